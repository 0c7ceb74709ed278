import { configErrors } from './errors.ts';
import type { ConfigFault } from './fault.ts';
import { utf8Text } from '../core/utf8-text.ts';

export type KitText = { readonly text: string } | { readonly fault: ConfigFault };

const LINE_FEED = 0x0a;

/**
 * kit.yaml as text. An editor that saves UTF-16 or Latin-1 and a power cut that leaves zeros both give something that
 * YAML would take apart in its own way, with words that help nobody; they are named as what they are.
 */
export function kitText(bytes: Uint8Array): KitText {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { fault: notText(bytes, 0, 'this file is UTF-16') };
  const zero = bytes.indexOf(0);
  if (zero >= 0) return { fault: notText(bytes, zero, 'zeros instead of text stand here, as after a power cut') };
  const text = utf8Text(bytes);
  if (text === null) return { fault: notText(bytes, lastGood(bytes), 'a letter that is not UTF-8 stands here') };
  if (text.trim() === '') return { fault: notText(bytes, 0, 'this file is empty') };
  return { text };
}

/** How many bytes from the start are whole letters. */
function lastGood(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let good = 0;
  for (let end = 0; end < bytes.length; end += 1)
    try {
      if (decoder.decode(bytes.subarray(end, end + 1), { stream: true }) !== '') good = end + 1;
    } catch (error) {
      if (error instanceof TypeError) return good;
      throw error;
    }
  return good;
}

function notText(bytes: Uint8Array, offset: number, detail: string): ConfigFault {
  const before = bytes.subarray(0, offset);
  return {
    code: 'config-not-text',
    path: '',
    line: 1 + before.reduce((lines, byte) => lines + (byte === LINE_FEED ? 1 : 0), 0),
    column: offset - before.lastIndexOf(LINE_FEED),
    message: `${configErrors['config-not-text'].sentence}: ${detail}`,
    hint: configErrors['config-not-text'].hint,
  };
}
