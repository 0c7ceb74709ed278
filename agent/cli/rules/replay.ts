import { Command } from 'commander';
import { copyLedger, ledgerPath } from '../../host/ledger-copy.ts';
import { readLedger } from '../../ledger/read-ledger.ts';
import { compare, replay, type Comparison, type RecordedDecision, type SoldUnits } from '../../pricing/audit/replay.ts';
import { keptBundles, readKept } from '../../pricing/bundle/bundle-store.ts';
import type { Bundle } from '../../pricing/bundle/bundle.ts';
import { loadBundle } from '../../pricing/bundle/load.ts';
import type { AuditReader } from '../../ledger/audit-reader.ts';
import type { Binder, CommandIo, ExitStatus } from '../program.ts';
import { readBounded } from './files.ts';
import { reportFaults } from './report.ts';
import { openStateFolder } from './state-folder.ts';

interface ReplayOptions {
  readonly state: string;
  readonly bundle?: string;
}

/**
 * `barrow rules replay`: every recorded decision again, byte for byte; with another bundle, what it would have made of
 * them. Evidence of that bundle's rules is gathered from the recorded moments alone.
 */
export function replayCommand(bind: Binder): Command {
  return new Command('replay')
    .description('decide a stopped agent’s recorded decisions again')
    .requiredOption('--state <dir>', 'state folder of the agent')
    .option('--bundle <file>', 'another bundle, to compare units, discount and margin with')
    .option('--json', 'answer in JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  barrow rules replay --state /var/lib/barrow\n  barrow rules replay --state /var/lib/barrow --bundle next.yaml --json\n\n' +
        'With --bundle the recorded moments are decided again, no others. Windows of `evidence` are gathered from those\n' +
        'alone, so a rule with evidence may go on earlier or later than it would have on the kit, or never.',
    )
    .action(bind(run));
}

async function run(io: CommandIo, options: ReplayOptions): Promise<ExitStatus> {
  const other = options.bundle === undefined ? null : loadBundle(await readBounded(options.bundle), { sources: true });
  if (other !== null && !other.ok) return reportFaults(io, other.faults);
  using folder = await openStateFolder(options.state);
  const { ledger } = folder;
  const result = replay(decisions(ledger), bundlesOf(ledger));
  const ok = result.differing.length === 0;
  const comparison = other === null ? null : compare(decisions(ledger), soldIn(options.state), other.bundle);
  if (io.json) await io.out(JSON.stringify({ ok, ...result, ...(comparison === null ? {} : { comparison }) }));
  else {
    await io.out(`${result.identical} of ${result.records} decisions came out the same to the byte`);
    if (result.withoutBundle > 0)
      await io.out(`${result.withoutBundle} were decided by bundles that are no longer kept`);
    for (const id of result.differing) await io.out(`differs: ${id}`);
    for (const row of comparison ?? []) await io.out(line(row));
  }
  return ok ? 0 : 1;
}

function line({ sku, actual, other }: Comparison): string {
  const side = ({ netMinor, discountMinor, marginMinor }: Comparison['actual']): string =>
    `net ${netMinor}, discount ${discountMinor}, margin ${marginMinor}`;
  return `${sku}\t${actual.units} units\tas it was: ${side(actual)}\twith the other bundle: ${side(other)}`;
}

function* decisions(ledger: AuditReader): Generator<RecordedDecision> {
  for (const { sequence, type, data, wallMs } of ledger.rows())
    if (type === 'barrow.price.decided.v1') yield { id: `${ledger.epoch}/price/${sequence}`, data, wallMs };
}

function bundlesOf(ledger: AuditReader): ReadonlyMap<string, Bundle> {
  const bundles = new Map<string, Bundle>();
  for (const kept of keptBundles(ledger)) {
    const bytes = readKept(ledger, kept);
    const loaded = bytes === null ? null : loadBundle(bytes, { sources: false });
    if (loaded?.ok === true) bundles.set(kept.hash, loaded.bundle);
  }
  return bundles;
}

/** What was sold, returns taken off; voided sales are left out where their void is in the ledger too. */
function soldIn(state: string): readonly SoldUnits[] {
  using copy = copyLedger(ledgerPath(state));
  using ledger = readLedger(copy.path);
  const units: (SoldUnits & { readonly id: string })[] = [];
  const voided = new Set<string>();
  for (const { type, data, sequence, wallMs } of ledger.events('sale', 1, Number.MAX_SAFE_INTEGER)) {
    const original = data['originalEventId'];
    if (type === 'barrow.void.v1' && typeof original === 'string') voided.add(original);
    if (type !== 'barrow.sale.v1' && type !== 'barrow.return.v1') continue;
    const sign = type === 'barrow.sale.v1' ? 1 : -1;
    const lines: unknown = data['lines'];
    for (const item of Array.isArray(lines) ? (lines as readonly Readonly<Record<string, unknown>>[]) : []) {
      const { sku, qty, netMinor } = item;
      if (item['void'] === true || typeof sku !== 'string' || typeof qty !== 'number' || typeof netMinor !== 'number')
        continue;
      units.push({ id: `${ledger.epoch}/sale/${sequence}`, sku, qty: sign * qty, netMinor: sign * netMinor, wallMs });
    }
  }
  return units.filter(({ id }) => !voided.has(id));
}
