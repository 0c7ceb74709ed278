import type { MonoMs } from '../../../drivers/api/clock.ts';
import type { BleRadio, RadioHealth, RadioOptions } from '../../../drivers/api/transports.ts';
import { radioFailure, type RadioErrorCode } from './errors.ts';
import { gattCalls } from './gatt-calls.ts';
import type { RadioDeps, RadioSettings } from './radio-settings.ts';
import { forkRadio, type RadioChild } from './radio-child.ts';
import { heard, ladderStart, tick, type LadderStep } from './radio-ladder.ts';
import { signalQueue } from './signal-queue.ts';
import type { AdapterState, FromRadio } from './radio-wire.ts';

/** Waits before a process that ended by itself is replaced; the last one repeats. */
const RESPAWN_MS = [0, 250, 1_000, 2_000, 5_000, 10_000, 30_000] as const;
/** A process that ran this long starts the waits from the beginning. */
const RAN_WELL_MS = 60_000;
/** Deaths in a row after which the radio counts as crashing. */
const CRASHES = 4;

const adapterCodes: Readonly<Partial<Record<AdapterState, RadioErrorCode>>> = {
  off: 'radio-unreachable',
  missing: 'radio-missing',
  blocked: 'radio-blocked',
  unauthorized: 'radio-unauthorized',
  unsupported: 'radio-unsupported',
  refusing: 'radio-scan-refused',
};

/** The agent's end of the radio process. @see openRadio */
export function superviseRadio(
  options: RadioOptions,
  { clock, log }: RadioDeps,
  settings: RadioSettings,
  outer: AbortSignal,
): BleRadio {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const queue = signalQueue();
  const calls = gattCalls();
  let ladder = ladderStart(clock.monoMs());
  let child: RadioChild | undefined;
  let startedMono = clock.monoMs();
  let adapter: AdapterState = 'starting';
  let deaths = 0;
  let recycling = false;
  let health: RadioHealth = {
    state: 'starting',
    code: null,
    adverts: 0,
    dropped: 0,
    restarts: 0,
    lastAdvertMono: null,
  };
  let droppedBelow = 0;

  const tell = (change: Partial<RadioHealth>): void => {
    const before = health;
    health = { ...health, ...change, dropped: droppedBelow + queue.dropped };
    if (before.state !== health.state || before.code !== health.code) {
      log.info('radio-health', { state: health.state, code: health.code });
      queue.push({ kind: 'health', health });
    }
  };

  const judge = (): void => {
    const code = adapterCodes[adapter] ?? (deaths >= CRASHES ? 'radio-crashing' : null);
    if (ladder.failed || code === 'radio-unauthorized' || code === 'radio-unsupported')
      return tell({ state: 'failed', code: code ?? 'radio-silent' });
    if (ladder.climbed > 0) return tell({ state: 'silent', code: code ?? 'radio-silent' });
    if (code !== null) return tell({ state: health.lastAdvertMono === null ? 'starting' : 'silent', code });
    tell({ state: health.lastAdvertMono === null ? 'starting' : 'scanning', code: null });
  };

  const onMessage = (from: RadioChild | undefined, message: FromRadio): void => {
    if (from !== child) return;
    switch (message.kind) {
      case 'ready':
        child?.send({ kind: 'start', options, gattTimeoutMs: settings.gattTimeoutMs });
        break;
      case 'state':
        adapter = message.state;
        judge();
        break;
      case 'adverts': {
        child?.send({ kind: 'ack' });
        const now = clock.monoMs();
        ladder = heard(ladder, now, settings.ladder);
        deaths = 0;
        adapter = 'on';
        tell({ adverts: health.adverts + message.adverts.length, lastAdvertMono: now });
        judge();
        for (const advert of message.adverts) queue.push({ kind: 'advert', advert });
        break;
      }
      case 'vitals':
        droppedBelow = message.vitals.dropped;
        log.debug('radio-vitals', { ...message.vitals });
        if (message.vitals.rssBytes > settings.recycleAtRssBytes) void recycle('memory');
        break;
      case 'result':
      case 'failure':
      case 'notification':
      case 'link-lost':
        calls.answer(message);
        break;
    }
  };

  const spawn = (): void => {
    startedMono = clock.monoMs();
    adapter = 'starting';
    const born: RadioChild = forkRadio((message) => onMessage(born, message));
    child = born;
    log.info('radio-process-started', { pid: born.pid ?? null });
    void born.ended.then(async ({ code, lastWords }) => {
      if (child !== born || signal.aborted) return;
      child = undefined;
      calls.loseAll();
      deaths = clock.monoMs() - startedMono > RAN_WELL_MS ? 1 : deaths + 1;
      log.warn('radio-process-ended', { exitCode: code, lastWords: lastWords.slice(-300), deaths });
      tell({ restarts: health.restarts + 1 });
      judge();
      await pause(RESPAWN_MS[Math.min(deaths - 1, RESPAWN_MS.length - 1)] ?? 0);
      if (child === undefined && !signal.aborted) spawn();
    });
  };

  const pause = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => undefined);

  /** Replaces the process. The old one lets go of the adapter first: two cannot hold it. */
  const recycle = async (reason: string): Promise<void> => {
    if (recycling || signal.aborted) return;
    recycling = true;
    log.info('radio-process-recycled', { reason });
    const old = child;
    child = undefined;
    calls.loseAll();
    await old?.end();
    recycling = false;
    if (signal.aborted) return;
    tell({ restarts: health.restarts + 1 });
    if (child === undefined) spawn();
  };

  const climb = async (step: LadderStep): Promise<void> => {
    log.warn('radio-ladder', { step, patience: ladder.patience });
    switch (step) {
      case 'restart-scan':
        child?.send({ kind: 'restart-scan' });
        break;
      case 'new-process':
        await recycle('silent');
        break;
      case 'reset-adapter':
        if (options.kind === 'hci-socket') child?.send({ kind: 'reset-adapter' });
        else {
          const done = await settings.resetAdapter(options.adapter, signal);
          log.info('radio-adapter-reset', { done: [...done] });
          await recycle('adapter-reset');
        }
        break;
      case 'give-up':
        break;
    }
    judge();
  };

  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(settings.tickMs, signal);
      const now: MonoMs = clock.monoMs();
      const next = tick(ladder, now, settings.ladder);
      ladder = next.state;
      if (next.step !== null) await climb(next.step);
      else if (now - startedMono > settings.recycleAfterMs) await recycle('age');
    }
  };

  spawn();
  watch().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  const close = async (): Promise<void> => {
    stop.abort(radioFailure('radio-closed'));
    const last = child;
    child = undefined;
    calls.loseAll();
    queue.end();
    await last?.end();
  };
  outer.addEventListener('abort', () => void close(), { once: true });

  return {
    health: () => ({ ...health, dropped: droppedBelow + queue.dropped }),
    signals: (reader) => queue.take(AbortSignal.any([reader, signal])),
    connect: (address, timeoutMs, caller) =>
      calls.connect({
        address,
        timeoutMs,
        send: (message) => child?.send(message),
        gattTimeoutMs: settings.gattTimeoutMs,
        signal: AbortSignal.any([caller, signal]),
      }),
    [Symbol.asyncDispose]: close,
  };
}
