import type { Path, PathKey } from '../fault.ts';

/** Where a value begins in the text, and where its key does. */
export interface JsonPlace {
  readonly start: number;
  readonly keyStart: number;
}

/** Why a text is not the JSON that rules are written in. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly code: 'syntax' | 'too-deep';
  readonly offset: number;

  constructor(code: 'syntax' | 'too-deep', offset: number, detail: string) {
    super(detail);
    this.code = code;
    this.offset = offset;
  }
}

/** Nesting allowed: a condition at its limit of 8 levels stands at 20. */
export const MAX_NESTING = 32;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
/** One escape after its backslash. */
const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Half of a character beyond U+FFFF; only an escape can write one. */
export const LONE_SURROGATE: RegExp = /\p{Surrogate}/u;
const SPACE = /[ \t\n\r]*/y;

/**
 * Reads JSON more strictly than JSON.parse: integers only (±(2^53−1)), no key twice, no `__proto__`, bounded nesting.
 * JSON.parse would take the last of two equal keys, which lets two readers of one signed text see two bundles.
 * Throws {@link JsonFault}.
 */
export function readJson(text: string): unknown {
  const reader = new Reader(text, null);
  const value = reader.value(0, null, 0);
  reader.end();
  return value;
}

/** Where the value at a path, or its nearest parent, stands in a text that `readJson` has read. Reads no further. */
export function placeIn(text: string, path: Path): JsonPlace {
  const reader = new Reader(text, path);
  try {
    reader.value(0, 0, 0);
  } catch (error) {
    if (!(error instanceof Found)) throw error;
  }
  return reader.place;
}

/** Ends the reading where everything that was wanted has been seen. */
class Found extends Error {}

class Reader {
  place: JsonPlace = { start: 0, keyStart: 0 };
  readonly #text: string;
  readonly #wanted: Path;
  #at = 0;

  constructor(text: string, wanted: Path | null) {
    this.#text = text;
    this.#wanted = wanted ?? [];
  }

  /** `matched`: how many keys of the wanted path lead here; null when this is off that path. */
  value(depth: number, matched: number | null, keyStart: number): unknown {
    this.#space();
    if (matched !== null) {
      this.place = { start: this.#at, keyStart: keyStart === 0 ? this.#at : keyStart };
      if (matched === this.#wanted.length) throw new Found();
    }
    const char = this.#text[this.#at];
    if (char === '"') return this.#string();
    if (char === '{') return this.#object(this.#deeper(depth), matched);
    if (char === '[') return this.#array(this.#deeper(depth), matched);
    if (char === 't') return this.#word('true', true);
    if (char === 'f') return this.#word('false', false);
    return char === 'n' ? this.#word('null', null) : this.#number();
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#fault('nothing may follow the document');
  }

  #object(depth: number, matched: number | null): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at += 1;
    this.#space();
    if (this.#take('}')) return object;
    for (;;) {
      this.#space();
      const keyStart = this.#at;
      if (this.#text[this.#at] !== '"') throw this.#fault('a key in double quotes was expected');
      const key = this.#string();
      if (Object.hasOwn(object, key)) throw this.#fault(`the key ${JSON.stringify(key)} stands twice`, keyStart);
      if (key === '__proto__') throw this.#fault('the key __proto__ is not allowed', keyStart);
      this.#space();
      if (!this.#take(':')) throw this.#fault('a colon was expected');
      object[key] = this.value(depth, this.#follow(matched, key), keyStart);
      this.#space();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#fault('a comma or } was expected');
    }
  }

  #array(depth: number, matched: number | null): unknown[] {
    const array: unknown[] = [];
    this.#at += 1;
    this.#space();
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.value(depth, this.#follow(matched, array.length), 0));
      this.#space();
      if (this.#take(']')) return array;
      if (!this.#take(',')) throw this.#fault('a comma or ] was expected');
    }
  }

  #follow(matched: number | null, key: PathKey): number | null {
    return matched !== null && this.#wanted[matched] === key ? matched + 1 : null;
  }

  #deeper(depth: number): number {
    if (depth >= MAX_NESTING) throw new JsonFault('too-deep', this.#at, `deeper than ${MAX_NESTING} levels`);
    return depth + 1;
  }

  /** By hand: a regular expression would need backtracking space for each of a payload's millions of characters. */
  #string(): string {
    const start = this.#at;
    let at = start + 1;
    let escaped = false;
    for (; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        const raw = this.#text.slice(start, this.#at);
        if (!escaped) return raw.slice(1, -1);
        const value = JSON.parse(raw) as string;
        // RFC 8785 §3.2.2.2: it has no UTF-8 form, so no two programs would sign or show the same.
        if (LONE_SURROGATE.test(value)) throw this.#fault('half of a surrogate pair stands in this text', start);
        return value;
      }
      if (code < 0x20) throw this.#fault('this character must be escaped in a text', at);
      if (code !== BACKSLASH) continue;
      escaped = true;
      ESCAPE.lastIndex = at + 1;
      const escape = ESCAPE.exec(this.#text);
      if (escape === null) throw this.#fault('this escape is not known', at);
      at += escape[0].length;
    }
    throw this.#fault('this text is not closed', start);
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#fault('a value was expected');
    const value = Number(match[0]);
    if (match[1] !== undefined || match[2] !== undefined) throw this.#fault('numbers are whole, without . and e');
    if (!Number.isSafeInteger(value)) throw this.#fault('numbers lie within ±(2^53−1)');
    this.#at = NUMBER.lastIndex;
    return value === 0 ? 0 : value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault('a value was expected');
    this.#at += word.length;
    return value;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #fault(detail: string, offset = this.#at): JsonFault {
    return new JsonFault('syntax', offset, detail);
  }
}
