import { createHash } from 'node:crypto';

/** RFC 6962 §2.1: a leaf is hashed behind a zero byte, a node behind a one, so that neither can pass for the other. */
export function leafHash(bytes: Uint8Array | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Buffer.of(0)).update(bytes).digest());
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest());
}

/** The root of the empty tree. */
export const EMPTY_ROOT: Uint8Array = new Uint8Array(createHash('sha256').digest());

/**
 * A Merkle tree that only grows, as the roots of its full subtrees from the largest to the smallest: log₂ n hashes are
 * all that appending and the root need.
 */
export interface Frontier {
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, peaks: [] };

/** The tree with one more leaf. */
export function grow({ size, peaks }: Frontier, leaf: Uint8Array): Frontier {
  const grown = [...peaks];
  let node = leaf;
  // Each low one bit of the size is a full subtree as large as the one in hand.
  for (let bits = size; bits % 2 === 1; bits = (bits - 1) / 2) {
    const left = grown.pop();
    if (left === undefined) throw new RangeError('a frontier has one peak for each one bit of its size');
    node = nodeHash(left, node);
  }
  return { size: size + 1, peaks: [...grown, node] };
}

/** RFC 6962 §2.1 Merkle tree hash of all leaves. */
export function rootOf({ peaks }: Frontier): Uint8Array {
  const [last, ...rest] = [...peaks].reverse();
  if (last === undefined) return EMPTY_ROOT;
  return rest.reduce((right, left) => nodeHash(left, right), last);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
