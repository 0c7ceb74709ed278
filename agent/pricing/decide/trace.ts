import type { Bound } from './program.ts';

/** One comparison with what it met; age and quality stand with the inputs. `result` is null where the fact is unknown. */
export interface ConditionTrace {
  readonly fact: string;
  readonly op: string;
  readonly value: number | string | readonly (number | string)[];
  readonly actual: number | string | null;
  readonly result: boolean | null;
}

/** A required fact that could not be had. */
export interface UnmetTrace {
  readonly fact: string;
  readonly why: 'missing' | 'not-ok' | 'too-old';
  readonly ageS: number | null;
  readonly maxAgeS: number;
}

/** How a rule with `evidence` or `exit` stood; the first three for one with evidence, `on` for one with an exit. */
export interface EvidenceTrace {
  /** Windows that held among the `of` before the current one. */
  readonly held?: number;
  readonly of?: number;
  readonly atLeast?: number;
  readonly on?: boolean;
}

/** A rule and why it did or did not decide. */
export type RuleTrace = {
  readonly step: 'rule';
  readonly rule: string;
  readonly group: string;
  readonly priority: number;
  readonly rung: number;
  /**
   * `outranked`: it fired, but another of its group or another group's went further; that one is `by`. `gathering`: it
   * would fire, but is not on: its evidence does not suffice yet, or nothing goes on now. `exit`: it would fire or was on,
   * but its exit is true.
   */
  readonly outcome: 'wins' | 'outranked' | 'no-match' | 'unknown' | 'stale' | 'gathering' | 'exit';
  readonly by?: string;
  readonly onStale?: 'hold' | 'skip';
  readonly unmet?: readonly UnmetTrace[];
  readonly evidence?: EvidenceTrace;
  readonly conditions: readonly ConditionTrace[];
  /** The comparisons of its exit. */
  readonly exit?: readonly ConditionTrace[];
};

/** The steps of one decision in their order. */
export type TraceStep =
  | RuleTrace
  | { readonly step: 'rules-omitted'; readonly count: number }
  | {
      readonly step: 'override';
      readonly kind: 'kill' | 'block' | 'pin';
      readonly actor: string | null;
      readonly reason: string;
      readonly until: string | null;
      readonly wantedMinor: number;
    }
  | {
      readonly step: 'ladder';
      readonly from: number;
      readonly target: number;
      readonly to: number;
      readonly cell: string | null;
      readonly addRungs: number;
      readonly wantedMinor: number;
    }
  | { readonly step: 'hold'; readonly by: Bound; readonly wantedMinor: number; readonly standingMinor: number }
  | { readonly step: 'cap'; readonly by: Bound; readonly leastMinor: number; readonly binds: boolean }
  | { readonly step: 'rounding'; readonly fromMinor: number; readonly toMinor: number }
  | { readonly step: 'price'; readonly fromMinor: number; readonly toMinor: number };
