import type { CloudEvent } from '../../agent/core/event.ts';
import type { Json, JsonObject } from '../../drivers/api/reading.ts';
import type { Bundle } from '../../agent/pricing/bundle/bundle.ts';

/** What the merchant signed, and what the subscriber read of prices since. */
export interface PriceTruth {
  publish(hash: string, bundle: Bundle): void;
  /** A retained `price/<sku>` message; empty where it was cleared. */
  shown(sku: string, payload: string): void;
  /** Every price on show is the last one decided, in the order given. */
  agrees(inOrder: readonly CloudEvent[]): boolean;
  /** `inOrder` is the stream `price`, oldest epoch first. */
  faults(inOrder: readonly CloudEvent[]): string[];
}

const DECIDED = 'barrow.price.decided.v1';
const ACTIVATED = 'barrow.rules.activated.v1';

export function priceTruth(): PriceTruth {
  const signed = new Map<string, Bundle>();
  const onShow = new Map<string, number | null>();
  return {
    publish: (hash, bundle) => void signed.set(hash, bundle),
    shown(sku, payload) {
      onShow.set(sku, payload === '' ? null : Number((JSON.parse(payload) as JsonObject)['priceMinor']));
    },
    agrees: (inOrder) => showFaults(inOrder, onShow).length === 0,
    faults: (inOrder) => [
      ...inOrder.filter(({ type }) => type === DECIDED).flatMap((event) => capFaults(event, signed)),
      ...versionFaults(inOrder, signed),
      ...chainFaults(inOrder),
      ...showFaults(inOrder, onShow),
    ],
  };
}

function word(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function whole(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : Number.NaN;
}

function bundleOf(event: CloudEvent): { readonly hash: string; readonly version: number } {
  const source = event.type === DECIDED ? (event.data['bundle'] as JsonObject) : event.data;
  return { hash: word(source['hash']), version: whole(source['version']) };
}

/** The limits of the public surface, worked out from the signed file alone. */
function capFaults(event: CloudEvent, signed: ReadonlyMap<string, Bundle>): string[] {
  const bundle = signed.get(bundleOf(event).hash);
  if (bundle === undefined) return [`${event.id} was decided by rules that nobody signed`];
  const { sku } = event.data;
  const item = bundle.catalog.find((each) => each.sku === sku);
  if (item === undefined) return [`${event.id} prices ${word(sku)}, which is not in its rules`];
  const { listMinor: list, costMinor: cost } = item;
  const { caps } = bundle;
  const least = [caps.kit, caps.category[item.category], caps.sku[item.sku]].map((cap) =>
    cap === undefined ? 0 : Math.ceil((list * (10_000 - cap.maxDiscountBp)) / 10_000),
  );
  const margin = Math.ceil((cost * 10_000) / (10_000 - caps.marginFloorBp));
  const floor = Math.min(list, Math.max(margin, item.mapMinor ?? 0, ...least));
  const price = whole(event.data['priceMinor']);
  const faults: string[] = [];
  if (!(price >= floor)) faults.push(`${event.id}: ${price} for ${item.sku} is below its floor of ${floor}`);
  if (!(price <= list)) faults.push(`${event.id}: ${price} for ${item.sku} is above its list price of ${list}`);
  // A freeze comes before a block: the standing price holds.
  const blocked = bundle.kill === null && bundle.overrides.some((one) => one.sku === item.sku && 'block' in one);
  if ((blocked || bundle.kill === 'list') && price !== list)
    faults.push(`${event.id}: ${item.sku} is held at its list price of ${list} and was priced ${price}`);
  if (whole(event.data['discountBp']) !== Math.floor(((list - price) * 10_000) / list))
    faults.push(`${event.id}: ${price} of ${list} is not a discount of ${word(event.data['discountBp'])} bp`);
  return faults;
}

/** Versions rise, but for the return after a crash loop; and what decides is what was activated last. */
function versionFaults(inOrder: readonly CloudEvent[], signed: ReadonlyMap<string, Bundle>): string[] {
  const faults: string[] = [];
  let epoch = '';
  let highest = 0;
  let inForce: string | null = null;
  for (const event of inOrder) {
    // A ledger that was replaced may have lost what it knew: its first words are taken as they are.
    if (event.epoch !== epoch) inForce = null;
    if (event.epoch !== epoch) highest = 0;
    ({ epoch } = event);
    if (event.type !== ACTIVATED && event.type !== DECIDED) continue;
    const { hash, version } = bundleOf(event);
    if (event.type === ACTIVATED) {
      if (!signed.has(hash)) faults.push(`${event.id} activated rules that nobody signed`);
      const returned = event.data['origin'] === 'crash-loop';
      if (!returned && version <= highest) faults.push(`${event.id} activated version ${version} after ${highest}`);
      highest = Math.max(highest, version);
      inForce = hash;
    } else if (inForce !== null && hash !== inForce)
      faults.push(`${event.id} was decided by version ${version}, which was not in force`);
  }
  return faults;
}

/** Each record names the size of the tree before it, so that a consumer misses none; and no two name one root. */
function chainFaults(inOrder: readonly CloudEvent[]): string[] {
  const faults: string[] = [];
  let before: CloudEvent | null = null;
  for (const event of inOrder) {
    const chain = event.data['chain'] as JsonObject | undefined;
    const last = before?.epoch === event.epoch ? (before.data['chain'] as JsonObject | undefined) : undefined;
    if (event.type.startsWith('barrow.loss') || chain === undefined) continue;
    if (last !== undefined && before !== null && Number(event.sequence) === Number(before.sequence) + 1) {
      if (whole(chain['size']) !== whole(last['size']) + 1)
        faults.push(`${event.id} stands on a tree of ${word(chain['size'])} after one of ${word(last['size'])}`);
      if (chain['root'] === last['root']) faults.push(`${event.id} stands on the same root as the record before`);
    }
    before = event;
  }
  return faults;
}

function showFaults(inOrder: readonly CloudEvent[], onShow: ReadonlyMap<string, number | null>): string[] {
  const epoch = inOrder.at(-1)?.epoch;
  const decided = new Map<string, number>();
  for (const event of inOrder)
    if (event.type === DECIDED && event.epoch === epoch)
      decided.set(word(event.data['sku']), whole(event.data['priceMinor']));
  return [...decided]
    .filter(([sku, price]) => onShow.get(sku) !== price)
    .map(([sku, price]) => `${sku} was decided at ${price} and is on show at ${String(onShow.get(sku) ?? 'nothing')}`);
}
