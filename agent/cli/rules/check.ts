import { Command } from 'commander';
import { loadBundle } from '../../pricing/bundle/load.ts';
import { sha256Hex } from '../../pricing/bundle/canonical.ts';
import { selfTestFaults } from '../../pricing/bundle/self-test.ts';
import { fault } from '../../pricing/fault.ts';
import { cliFailure } from '../errors.ts';
import type { Binder } from '../program.ts';
import { readBounded, readTrust } from './files.ts';
import { reportFaults } from './report.ts';

interface CheckOptions {
  readonly trust: readonly string[];
  readonly newerThan?: string;
}

/** `barrow rules check`: everything that a kit checks before it takes a bundle, but its own place and time. */
export function checkCommand(bind: Binder): Command {
  return new Command('check')
    .description('check a source, a compiled bundle or a signed one')
    .argument('<file>', 'the bundle')
    .option('--trust <pub>', 'a public key (PEM); one of those given must have signed', collect, [])
    .option('--newer-than <n>', 'refuse this version and older ones')
    .option('--json', 'answer in JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  barrow rules check rules.yaml\n  barrow rules check rules.signed.json --trust merchant.pub --newer-than 6',
    )
    .action(
      bind(async (io, file: string, options: CheckOptions) => {
        const newerThan = versionOf(options.newerThan);
        const trust = options.trust.length === 0 ? undefined : await readTrust(options.trust);
        const loaded = loadBundle(await readBounded(file), {
          sources: true,
          ...(trust === undefined ? {} : { trust }),
        });
        if (!loaded.ok) return reportFaults(io, loaded.faults);
        const { bundle, warnings, signedBy } = loaded;
        if (newerThan !== null && bundle.version <= newerThan)
          return reportFaults(io, [
            fault('version-not-newer', ['version'], `${bundle.version} is not above ${newerThan}`),
          ]);
        const failed = selfTestFaults(bundle);
        if (failed.length > 0) return reportFaults(io, failed);
        const facts = {
          ok: true,
          merchant: bundle.merchant,
          version: bundle.version,
          rules: bundle.rules.length,
          skus: bundle.catalog.length,
          hash: sha256Hex(loaded.bytes),
          signedBy,
          warnings,
        };
        if (io.json) await io.out(JSON.stringify(facts));
        else {
          for (const warning of warnings) io.err(`warning: ${warning}`);
          const signed =
            signedBy === null
              ? loaded.envelope === null
                ? 'not signed'
                : 'signature not checked'
              : `signed by ${signedBy}`;
          await io.out(
            `ok: ${bundle.merchant} version ${bundle.version}, ${facts.rules} rules, ${facts.skus} items, ${signed}`,
          );
        }
        return 0;
      }),
    );
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function versionOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const version = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(version))
    throw cliFailure('usage', { detail: `--newer-than takes a version number, not ${text}` });
  return version;
}
