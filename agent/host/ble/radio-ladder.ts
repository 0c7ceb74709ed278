/** The steps against a radio that hears nothing, mildest first. */
export const LADDER = ['restart-scan', 'new-process', 'reset-adapter', 'give-up'] as const;
export type LadderStep = (typeof LADDER)[number];

export interface LadderSettings {
  /** Silence of all adverts after which each step is taken. */
  readonly afterMs: Readonly<Record<LadderStep, number>>;
  /** A tick that comes this much later than the last means that we slept, not the radio. */
  readonly graceMs: number;
  /** An advert within this time after a step was won by the step; a later one came by itself. */
  readonly helpedWithinMs: number;
  /** Longest stretch of the times above at a quiet site, as a factor. */
  readonly patienceMax: number;
}

export const ladderDefaults: LadderSettings = {
  afterMs: { 'restart-scan': 30_000, 'new-process': 90_000, 'reset-adapter': 180_000, 'give-up': 210_000 },
  graceMs: 10_000,
  helpedWithinMs: 15_000,
  patienceMax: 32,
};

export interface LadderState {
  /** Since when nothing was heard. */
  readonly silentSinceMono: number;
  readonly lastTickMono: number;
  /** Steps already taken in this silence. */
  readonly climbed: number;
  readonly lastStepMono: number | null;
  /** The times are multiplied by it: 1 where adverts never cease, more where silences have ended by themselves. */
  readonly patience: number;
  readonly failed: boolean;
}

export const ladderStart = (nowMono: number): LadderState => ({
  silentSinceMono: nowMono,
  lastTickMono: nowMono,
  climbed: 0,
  lastStepMono: null,
  patience: 1,
  failed: false,
});

/**
 * An advert was heard. A silence that ended by itself, without or long after a step, was the site's own quiet: the next
 * is given twice that long before anything is done. Where adverts keep coming, patience wears off again.
 */
export function heard(state: LadderState, nowMono: number, settings: LadderSettings): LadderState {
  const silenceMs = nowMono - state.silentSinceMono;
  const first = settings.afterMs['restart-scan'];
  const helped = state.lastStepMono !== null && nowMono - state.lastStepMono <= settings.helpedWithinMs;
  let patience = state.patience;
  if (!helped && silenceMs > first / 2)
    patience = Math.min(settings.patienceMax, Math.max(patience, (2 * silenceMs) / first));
  else if (helped) patience = Math.max(1, patience / 2);
  return { ...state, silentSinceMono: nowMono, climbed: 0, lastStepMono: null, patience, failed: false };
}

/** Time passes. At most one step is due at a time; after the last one the ladder begins again, more patiently. */
export function tick(
  state: LadderState,
  nowMono: number,
  settings: LadderSettings,
): { readonly state: LadderState; readonly step: LadderStep | null } {
  const late = nowMono - state.lastTickMono;
  const here = { ...state, lastTickMono: nowMono };
  // Whoever slept through the adverts cannot tell that there were none.
  if (late > settings.graceMs) return { state: { ...here, silentSinceMono: state.silentSinceMono + late }, step: null };
  const step = LADDER[state.climbed];
  if (step === undefined || nowMono - state.silentSinceMono < settings.afterMs[step] * state.patience)
    return { state: here, step: null };
  if (step === 'give-up') {
    const patience = Math.min(settings.patienceMax, state.patience * 2);
    return {
      state: { ...here, silentSinceMono: nowMono, climbed: 0, lastStepMono: null, patience, failed: true },
      step,
    };
  }
  return { state: { ...here, climbed: state.climbed + 1, lastStepMono: nowMono }, step };
}
