import { maskCards } from '../lib/pan-scrub.ts';

/**
 * What an error code says to a person.
 * `sentence` names what is wrong, `hint` the next step; both are plain English without a full stop inside a fragment.
 */
export interface ErrorEntry {
  readonly sentence: string;
  readonly hint: string;
  /** Exit status of a command that ends with it: 1 the thing asked about is bad (default), 2 usage or configuration. */
  readonly exit?: 1 | 2;
}

/** A table of stable error codes. Codes are kebab-case and never change their meaning. */
export type ErrorTable = Readonly<Record<string, ErrorEntry>>;

export interface AgentErrorOptions {
  /** The concrete circumstance, e.g. the path or the topic. Never a secret; a card number in it is masked. */
  readonly detail?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * A failure of the world (not a bug): a stable code, a sentence, what the operator can do.
 * The code's general meaning stands in an {@link ErrorTable}; `detail` adds the circumstance.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: string;
  readonly hint: string;
  readonly exit: 1 | 2;

  constructor(code: string, entry: ErrorEntry, options: AgentErrorOptions = {}) {
    super(
      // What was asked for stands in many details (an unknown id, a wrong topic), and anything can be asked for.
      options.detail === undefined ? entry.sentence : `${entry.sentence}: ${maskCards(options.detail)}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint ?? entry.hint;
    this.exit = entry.exit ?? 1;
  }
}

/** Makes an error of one table from its code. */
export type Fail<T extends ErrorTable> = (code: keyof T & string, options?: AgentErrorOptions) => AgentError;

/**
 * Makes the constructor of one table's errors.
 * @example const fail = failures(serialErrors); throw fail('port-missing', { detail: path })
 */
export function failures<T extends ErrorTable>(table: T): Fail<T> {
  return (code, options) => {
    const entry = table[code];
    if (entry === undefined) throw new TypeError(`error code ${code} stands in no table`);
    return new AgentError(code, entry, options);
  };
}
