/** A counter below this may be a sensor that began again after a battery change (bthome-ble accepts it at any time). */
export const RESTART_BELOW = 100;
/**
 * … but only when the old counter has not been heard for this long. As long as the real sensor speaks, nobody can replay
 * its first hundred frames; bthome-ble's rule alone would let them.
 */
export const RESTART_SILENCE_MS = 600_000;
/** A packet id this far ahead is new; the rest of the circle is the past (bthome-ble). */
export const PACKET_AHEAD = 63;
/** After this much silence a packet id says nothing any more (bthome-ble). */
export const PACKET_MEMORY_MS = 4_000;

export interface ReplayState {
  /** Highest counter that was accepted; `null` before the first. */
  readonly counter: number | null;
  readonly counterMono: number;
  readonly packetId: number | null;
  readonly packetMono: number;
}

export const freshReplay = (counter: number | null, nowMono: number): ReplayState => ({
  counter,
  counterMono: nowMono,
  packetId: null,
  packetMono: nowMono,
});

export type ReplayVerdict = 'new' | 'duplicate' | 'replayed';

/** Judges an authentic frame by its replay counter. */
export function judgeCounter(
  state: ReplayState,
  counter: number,
  nowMono: number,
): { readonly state: ReplayState; readonly verdict: ReplayVerdict } {
  if (counter === state.counter) return { state, verdict: 'duplicate' };
  const restarted = counter < RESTART_BELOW && nowMono - state.counterMono >= RESTART_SILENCE_MS;
  if (state.counter !== null && counter < state.counter && !restarted) return { state, verdict: 'replayed' };
  return { state: { ...state, counter, counterMono: nowMono }, verdict: 'new' };
}

/** Judges a frame by its packet id, which repeats with every repetition of one measurement. */
export function judgePacket(
  state: ReplayState,
  packetId: number,
  nowMono: number,
): { readonly state: ReplayState; readonly verdict: 'new' | 'duplicate' } {
  const ahead = state.packetId === null ? 1 : (packetId - state.packetId + 256) % 256;
  const forgotten = nowMono - state.packetMono > PACKET_MEMORY_MS;
  if (!forgotten && (ahead === 0 || ahead > PACKET_AHEAD)) return { state, verdict: 'duplicate' };
  return { state: { ...state, packetId, packetMono: nowMono }, verdict: 'new' };
}
