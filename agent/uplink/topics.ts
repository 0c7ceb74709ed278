import type { Stream } from '../../drivers/api/reading.ts';
import { maskCards } from '../../drivers/lib/pan-scrub.ts';

const ROOT = 'barrow/v1';

/** Longest topic that is published: AWS IoT Core's limit, and far from MQTT's 65,535. */
export const TOPIC_BYTES_MAX = 256;

/** Every topic of one kit. */
export interface KitTopics {
  readonly state: string;
  readonly health: string;
  event(stream: Stream): string;
  batch(stream: Stream): string;
  manifest(stream: Stream): string;
  price(sku: string): string;
  reply(id: string): string;
  /** What the kit listens to. */
  readonly subscriptions: readonly string[];
  /** What an incoming topic asks for; `null` when it is none of ours. */
  read(topic: string): Incoming | null;
  /** Whether an answer may be published there: never onto the kits' own streams or orders. */
  mayAnswer(topic: string): boolean;
}

export type Incoming = { readonly kind: 'rules' } | { readonly kind: 'command'; readonly name: string };

export function kitTopics(kit: { readonly id: string; readonly group?: string | undefined }): KitTopics {
  const base = `${ROOT}/${kit.id}`;
  const command = `${base}/command/`;
  const rules = [`${base}/rules`, ...(kit.group === undefined ? [] : [`${ROOT}/group/${kit.group}/rules`])];
  const reply = `${base}/reply/`;
  return {
    state: `${base}/state`,
    health: `${base}/health`,
    event: (stream) => `${base}/event/${stream}`,
    batch: (stream) => `${base}/batch/${stream}`,
    manifest: (stream) => `${base}/manifest/${stream}`,
    price: (sku) => `${base}/price/${topicLevel(sku)}`,
    reply: (id) => `${reply}${id}`,
    subscriptions: [`${command}+`, ...rules],
    read: (topic) => {
      if (rules.includes(topic)) return { kind: 'rules' };
      if (!topic.startsWith(command)) return null;
      const name = topic.slice(command.length);
      return /^[a-z][a-z0-9-]{0,31}$/.test(name) && maskCards(name) === name ? { kind: 'command', name } : null;
    },
    mayAnswer: (topic) => {
      const bytes = new TextEncoder().encode(topic).length;
      if (bytes === 0 || bytes > TOPIC_BYTES_MAX || /[+#\0]/.test(topic) || topic.startsWith('$')) return false;
      // A name is published too: whoever put a card number into it gets no answer there.
      if (maskCards(topic) !== topic) return false;
      return !topic.startsWith(`${ROOT}/`) || topic.startsWith(reply);
    },
  };
}

/** A SKU as one topic level: what would split or widen a topic is percent-encoded. */
export function topicLevel(text: string): string {
  return text.replaceAll(/[%/+#\0]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
