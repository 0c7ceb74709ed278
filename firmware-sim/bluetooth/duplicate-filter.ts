/** Addresses that a controller's duplicate filter can hold; the least recently heard goes first. Real ones hold 20 … 100. */
export const DUPLICATE_FILTER_ENTRIES = 64;

/** Remembers what was reported, keyed by address and kind of PDU but not by content, as controllers do. */
export interface DuplicateFilter {
  /** True when it must not be reported again. */
  seen(address: string, pdu: string): boolean;
  clear(): void;
  readonly size: number;
}

export const duplicateFilter = (): DuplicateFilter => {
  const keys = new Map<string, true>();
  return {
    seen: (address, pdu) => {
      const key = `${address}/${pdu}`;
      const known = keys.delete(key);
      keys.set(key, true);
      const oldest = keys.keys().next();
      if (keys.size > DUPLICATE_FILTER_ENTRIES && oldest.done !== true) keys.delete(oldest.value);
      return known;
    },
    clear: () => keys.clear(),
    get size() {
      return keys.size;
    },
  };
};
