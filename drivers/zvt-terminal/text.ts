import { scrubPans } from '../lib/pan-scrub.ts';

/** Code page 437, the default of ZVT (A 9.4.2, tag 14), from 80 on. */
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const LF = 0x0a;
const CR = 0x0d;
const CONTROL_END = 0x20;
const DEL = 0x7f;

/**
 * A terminal's text as one string, card numbers scrubbed. Terminals send code page 437 or Latin-1 without saying which;
 * letters of the former lie in 80–A5, where the latter has control characters, and the latter's lie from C0 on, where
 * the former has frames and Greek. So the bytes themselves tell.
 */
export function readText(bytes: Uint8Array): string {
  const latin = bytes.some((byte) => byte >= 0xc0) && !bytes.some((byte) => byte >= 0x80 && byte <= 0xa5);
  let text = '';
  for (const byte of bytes) {
    if (byte === LF || byte === CR) text += String.fromCharCode(byte);
    else if (byte >= CONTROL_END && byte !== DEL)
      text += byte < DEL || latin ? String.fromCharCode(byte) : (CP437[byte - 0x80] ?? '');
  }
  return scrubPans(text);
}

/** Text of a fixed field: without the padding at its end. */
export function readPadded(bytes: Uint8Array): string {
  return readText(bytes).trimEnd();
}
