import type { ByteLink } from '../../drivers/api/transports.ts';

/** Reads until `length` bytes came or the link ended; the failure's code, if there was one, comes along. */
export async function readAll(
  link: ByteLink,
  length: number = Number.POSITIVE_INFINITY,
): Promise<{ got: string; code: string | null }> {
  let got = '';
  try {
    for await (const chunk of link.chunks(new AbortController().signal)) {
      got += Buffer.from(chunk).toString('latin1');
      if (got.length >= length) break;
    }
    return { got, code: null };
  } catch (error) {
    return { got, code: (error as { code: string }).code };
  }
}
