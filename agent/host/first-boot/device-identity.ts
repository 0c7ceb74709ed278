import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { firstBootFailure } from './errors.ts';
import { textIfThere, wipe, writeWhole } from './kept-on-disk.ts';
import { signingRequest } from './signing-request.ts';

/** Where the key and certificate lie; systemd hands them to the service as `barrow_device.key` and `barrow_device.crt`. */
export const CREDENTIALS = 'credentials';
/** A code shorter than this could be guessed from its proof. */
const MIN_CLAIM_CHARACTERS = 16;
const SECRET_MODE = 0o600;

export interface DeviceIdentity {
  /** True when the key was made now. */
  readonly made: boolean;
  /** The request's name on the boot partition; null while a certificate is there. */
  readonly request: string | null;
  readonly certificate: { readonly subject: string; readonly validFrom: string; readonly validTo: string } | null;
}

/**
 * Makes the kit's own key (EC P-256) where it will stay, asks for a certificate on the boot partition, and takes the
 * certificate when it appears there as `device.crt`. The private key is never written anywhere else.
 * @throws AgentError `claim-short`, `certificate-unreadable`, `certificate-stranger`
 */
export async function deviceIdentity(boot: string, etc: string, kitId: string): Promise<DeviceIdentity> {
  const folder = join(etc, CREDENTIALS);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const claim = await takeClaim(boot, folder);
  const { key, made } = await ownKey(folder);
  const taken = await takeCertificate(boot, folder, key);
  const pem = taken ?? (await textIfThere(folder, 'device.crt'));
  const requestName = `${kitId}.csr`;
  if (pem !== null) {
    await rm(join(boot, requestName), { force: true });
    const { subject, validFrom, validTo } = new X509Certificate(pem);
    return { made, request: null, certificate: { subject, validFrom, validTo } };
  }
  const request = signingRequest(key, { commonName: kitId, ...(claim === null ? {} : { claim }) });
  await writeWhole(join(boot, requestName), request, { mode: 0o644 });
  return { made, request: requestName, certificate: null };
}

async function ownKey(folder: string): Promise<{ readonly key: KeyObject; readonly made: boolean }> {
  const pem = await textIfThere(folder, 'device.key');
  if (pem !== null) return { key: createPrivateKey(pem), made: false };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeWhole(join(folder, 'device.key'), text, { mode: SECRET_MODE });
  return { key: privateKey, made: true };
}

/** The claim code leaves the boot partition at once; it is kept until a certificate has come. */
async function takeClaim(boot: string, folder: string): Promise<string | null> {
  const text = await textIfThere(boot, 'claim.txt');
  if (text === null) return textIfThere(folder, 'claim');
  const claim = text.trim();
  if (claim.length < MIN_CLAIM_CHARACTERS) throw firstBootFailure('claim-short');
  await writeWhole(join(folder, 'claim'), claim, { mode: SECRET_MODE });
  await wipe(join(boot, 'claim.txt'));
  return claim;
}

async function takeCertificate(boot: string, folder: string, key: KeyObject): Promise<string | null> {
  const pem = await textIfThere(boot, 'device.crt');
  if (pem === null) return null;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (error) {
    throw firstBootFailure('certificate-unreadable', { cause: error });
  }
  if (!certificate.checkPrivateKey(key)) throw firstBootFailure('certificate-stranger');
  await writeWhole(join(folder, 'device.crt'), pem, { mode: SECRET_MODE });
  await wipe(join(boot, 'device.crt'));
  await rm(join(folder, 'claim'), { force: true });
  return pem;
}
