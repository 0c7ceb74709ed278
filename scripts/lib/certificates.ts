import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Identity {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of its own for one test. */
export interface Authority extends AsyncDisposable {
  readonly folder: string;
  readonly caFile: string;
  readonly ca: string;
  /** Issues a certificate; dates as openssl takes them (`YYYYMMDDHHMMSSZ`), by default now for ten years. */
  issue(name: string, options?: { readonly notBefore?: string; readonly notAfter?: string }): Promise<Identity>;
}

/** Makes an authority with openssl in a temporary folder. */
export async function makeAuthority(
  dates: { readonly notBefore?: string; readonly notAfter?: string } = {},
): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-ca-'));
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  const newKey = (file: string): Promise<unknown> =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file);
  await writeFile(join(folder, 'index.txt'), '');
  await writeFile(join(folder, 'serial'), '01\n');
  await writeFile(join(folder, 'ca.cnf'), CA_CONFIG);
  const sign = (csr: string, out: string, extension: string, when: typeof dates, own: boolean): Promise<unknown> =>
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      '-extensions',
      extension,
      '-in',
      csr,
      '-out',
      out,
      ...(own ? ['-selfsign', '-keyfile', 'ca.key'] : ['-cert', 'ca.crt', '-keyfile', 'ca.key']),
      '-startdate',
      when.notBefore ?? '20200101000000Z',
      '-enddate',
      when.notAfter ?? '20491231235959Z',
    );
  const request = (key: string, name: string, out: string): Promise<unknown> =>
    openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', out);
  await newKey('ca.key');
  await request('ca.key', 'barrow test authority', 'ca.csr');
  await sign('ca.csr', 'ca.crt', 'authority', dates, true);
  return {
    folder,
    caFile: join(folder, 'ca.crt'),
    ca: await readFile(join(folder, 'ca.crt'), 'utf8'),
    issue: async (name, options = {}) => {
      const base = `${name.replaceAll(/[^a-z0-9]/gi, '-')}-${(await readFile(join(folder, 'serial'), 'utf8')).trim()}`;
      await newKey(`${base}.key`);
      await request(`${base}.key`, name, `${base}.csr`);
      await sign(`${base}.csr`, `${base}.crt`, 'leaf', options, false);
      const certFile = join(folder, `${base}.crt`);
      const keyFile = join(folder, `${base}.key`);
      return { certFile, keyFile, cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const CA_CONFIG = `
[ca]
default_ca = test
[test]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = CA:FALSE
subjectAltName = DNS:localhost,IP:127.0.0.1
`;
