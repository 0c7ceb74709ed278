import type { AgentStatus, DriverStatus } from '../core/status.ts';

/** Paints words where a terminal can show it; leaves them alone elsewhere. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly quiet: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function paint(colour: boolean): Paint {
  const style =
    (code: string) =>
    (text: string): string =>
      colour ? `\u001B[${code}m${text}\u001B[0m` : text;
  return { good: style('32'), warn: style('33'), bad: style('31'), quiet: style('2'), strong: style('1') };
}

/** The status page in a terminal: the one word, what to do, then devices, delivery, prices and the machine. */
export function statusText(status: AgentStatus, colour: boolean): readonly string[] {
  const p = paint(colour);
  const { kit } = status;
  const where = [kit.node, kit.group].filter((part) => part !== null).join(', ');
  const word = !status.ready ? p.bad('NOT READY') : status.reasons.length === 0 ? p.good('READY') : p.warn('READY');
  const lines = [
    `${p.strong(kit.id)}${where === '' ? '' : ` (${where})`}  ${word}`,
    p.quiet(`barrow ${status.version}, up ${span(status.uptimeS)}, ${status.now}`),
  ];
  for (const reason of status.reasons) {
    const code = [reason.driver, reason.code].filter((part) => part !== undefined).join(' ');
    lines.push('', `  ${reason.sentence} ${p.quiet(`[${code}]`)}`, `    → ${reason.hint}`);
  }
  lines.push('', ...driverLines(status, p), '');
  return [...lines, ...deliveryLines(status, p), ...machineLines(status, p)];
}

function driverLines(status: AgentStatus, p: Paint): readonly string[] {
  if (status.drivers.length === 0) return ['no devices'];
  const rows = status.drivers.map((driver) => [
    driver.id,
    driver.type,
    driver.code === null ? driver.state : `${driver.state} (${driver.code})`,
    `${driver.events} events`,
    driver.lastEventAt === null ? 'nothing yet' : `${ago(driver.lastEventAt, status.now)} ago`,
    batteries(driver),
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row, index) => {
    const state = status.drivers[index]?.state ?? 'failed';
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const tone = state === 'ready' ? p.good : state === 'failed' ? p.bad : state === 'stopped' ? p.quiet : p.warn;
    cells[2] = tone(cells[2] ?? '');
    return cells.join('  ').trimEnd();
  });
}

/** The batteries below a fifth: those that somebody must bring. */
function batteries(driver: DriverStatus): string {
  const low = driver.latest.flatMap(({ subject, data }) => {
    const measurements = data['measurements'];
    if (!Array.isArray(measurements)) return [];
    return (measurements as readonly { readonly name?: unknown; readonly value?: unknown }[])
      .filter(({ name, value }) => name === 'battery' && typeof value === 'number' && value < 20)
      .map(({ value }) => `${subject} battery ${String(value)} %`);
  });
  return low.join(', ');
}

function deliveryLines({ ledger, uplink, rules }: AgentStatus, p: Paint): readonly string[] {
  const sum = (of: 'pendingRows' | 'lostRows'): number => ledger.streams.reduce((total, one) => total + one[of], 0);
  const pending = sum('pendingRows');
  const lost = sum('lostRows');
  const facts = [
    uplink.state === 'online' ? p.good('online') : p.warn(uplink.state),
    ...(uplink.url === null ? [] : [uplink.url]),
    ...(uplink.code === null ? [] : [`[${uplink.code}]`]),
    `${pending} queued`,
    ...(pending > 0 && ledger.oldestPendingS !== null ? [`oldest ${span(ledger.oldestPendingS)}`] : []),
    ...(pending > 20 && uplink.drainPerS !== null && uplink.drainPerS > 0
      ? [`empty in ${span(pending / uplink.drainPerS)}`]
      : []),
    lost === 0 ? '0 lost' : p.bad(`${lost} lost`),
  ];
  const price =
    rules === null ? 'no rules' : `${rules.merchant} version ${rules.version} ${rules.state}, ${rules.rules} rules`;
  return [`delivery  ${facts.join('  ')}`, `prices    ${price}`];
}

function machineLines({ machine, clock, ledger }: AgentStatus, p: Paint): readonly string[] {
  const facts = [
    `clock ${clock.trust === 'synced' ? 'synced' : p.warn(clock.trust)}`,
    `ledger ${megabytes(ledger.bytes)} of ${megabytes(ledger.maxBytes)}`,
    ...(machine.freeBytes === null ? [] : [`disk ${megabytes(machine.freeBytes)} free`]),
    ...(machine.temperatureC === null ? [] : [`${machine.temperatureC.toFixed(0)} °C`]),
    ...(machine.throttled === null ? [] : [p.warn(machine.throttled)]),
    `memory ${megabytes(machine.rssBytes)}`,
  ];
  return [`machine   ${facts.join('  ')}`];
}

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

function ago(at: string, now: string): string {
  return span((Date.parse(now) - Date.parse(at)) / 1_000);
}

function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}
