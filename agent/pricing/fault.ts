import { pricingErrors, type PricingCode } from './errors.ts';

export type PathKey = string | number;
export type Path = readonly PathKey[];

/** One fault in a bundle or its inputs: what, where in the document, and what to do. */
export interface Fault {
  readonly code: PricingCode;
  readonly message: string;
  readonly hint: string;
  readonly path: Path;
  /** Where inside the text at `path`, in UTF-16 units; only for conditions. */
  readonly offset?: number;
  /** The key itself is meant, not its value. */
  readonly atKey?: boolean;
}

/** At most this many faults are told of one document; a hostile one has no end of them. */
export const MAX_FAULTS = 20;

export function fault(
  code: PricingCode,
  path: Path,
  detail: string,
  more: { readonly hint?: string | undefined; readonly offset?: number; readonly atKey?: boolean } = {},
): Fault {
  return {
    code,
    message: `${pricingErrors[code].sentence}: ${detail}`,
    hint: more.hint ?? pricingErrors[code].hint,
    path,
    ...(more.offset === undefined ? {} : { offset: more.offset }),
    ...(more.atKey === true ? { atKey: true } : {}),
  };
}

/** `rules[0].when` */
export function pathText(path: Path): string {
  const text = path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  );
  return text === '' ? 'the document' : text;
}
