import { Command } from 'commander';
import { loadBundle } from '../../pricing/bundle/load.ts';
import { readSigningKey, signPayload } from '../../pricing/bundle/sign.ts';
import { selfTestFaults } from '../../pricing/bundle/self-test.ts';
import type { Binder } from '../program.ts';
import { readBounded, writeResult } from './files.ts';
import { reportFaults } from './report.ts';

/** `barrow rules sign`: checks, compiles and signs; a second key adds its signature to a signed bundle. */
export function signCommand(bind: Binder): Command {
  return new Command('sign')
    .description('sign a bundle with an Ed25519 key')
    .argument('<file>', 'a source, a compiled bundle or a signed one')
    .requiredOption('--key <key>', 'private key, PEM PKCS#8')
    .option('--out <file>', 'write here instead of stdout')
    .option('--json', 'errors in JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  openssl genpkey -algorithm ed25519 -out merchant.key\n  openssl pkey -in merchant.key -pubout -out merchant.pub\n  barrow rules sign rules.yaml --key merchant.key --out rules.signed.json',
    )
    .action(
      bind(async (io, file: string, options: { readonly key: string; readonly out?: string }) => {
        const key = readSigningKey(await readBounded(options.key), options.key);
        const loaded = loadBundle(await readBounded(file), { sources: true });
        if (!loaded.ok) return reportFaults(io, loaded.faults);
        const failed = selfTestFaults(loaded.bundle);
        if (failed.length > 0) return reportFaults(io, failed);
        const text = JSON.stringify(signPayload(loaded.bytes, key, loaded.envelope?.signatures));
        if (options.out === undefined) await io.out(text);
        else await writeResult(options.out, `${text}\n`);
        return 0;
      }),
    );
}
