// How the pages talk to the kit, and how they say numbers and times.

const TOKEN = 'barrow-token';
let askToken = null;

// A QR code hands the token over after the `#`, which no server ever sees.
const handed = /[#&]token=([^&]+)/.exec(location.hash)?.[1];
if (handed !== undefined) {
  sessionStorage.setItem(TOKEN, decodeURIComponent(handed));
  history.replaceState(null, '', location.pathname + location.search);
}

/** What to do when the kit asks for its token; resolves with it. */
export function onTokenAsked(ask) {
  askToken = ask;
}

export class KitError extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.hint = error.hint;
  }
}

async function send(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { cache: 'no-store', ...options, headers });
  if (response.status === 401 && askToken !== null) {
    sessionStorage.setItem(TOKEN, await askToken());
    return send(path, options);
  }
  return response;
}

/** A JSON answer; throws `KitError` with the kit's own words. */
export async function ask(path, options = {}) {
  const response = await send(path, options);
  const body = await response.json().catch(() => ({
    error: { code: 'unreadable', message: 'The kit’s answer cannot be read', hint: 'Reload the page' },
  }));
  if (!response.ok) throw new KitError(response.status, body.error);
  return body;
}

export function tell(path, body = {}, key = newKey()) {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
}

/** `crypto.randomUUID` is missing on plain HTTP, where a kit in a shop's network lives. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Saves a file that the kit makes; a link could not carry the token. */
export async function download(path, fallbackName) {
  const response = await send(path);
  if (!response.ok) throw new KitError(response.status, (await response.json()).error);
  const named = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = named ?? fallbackName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Follows the kit's events for ever; comes back by itself and tells whether it is connected. */
export async function follow(onEvent, onState, recent = 50) {
  let last = null;
  let pauseMs = 1_000;
  for (;;) {
    try {
      const headers = { accept: 'text/event-stream', ...(last === null ? {} : { 'last-event-id': last }) };
      const response = await send(`/v1/events?recent=${recent}`, { headers });
      if (!response.ok) throw new Error(`status ${response.status}`);
      onState(true);
      pauseMs = 1_000;
      for await (const event of messages(response.body)) {
        last = event.id;
        onEvent(event);
      }
    } catch (error) {
      console.warn('events', error);
    }
    onState(false);
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.75 + Math.random() / 2)));
    pauseMs = Math.min(pauseMs * 2, 15_000);
  }
}

async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const data = part
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice(6))
        .join('\n');
      if (data !== '') yield JSON.parse(data);
    }
  }
}

const formats = new Map();

/** Minor units as people write them. */
export function money(minor, currency) {
  let format = formats.get(currency);
  if (format === undefined) {
    format = new Intl.NumberFormat(navigator.language, { style: 'currency', currency });
    formats.set(currency, format);
  }
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

export function count(value) {
  return new Intl.NumberFormat(navigator.language).format(value);
}

export function percent(bp) {
  return bp === null ? '–' : `${(bp / 100).toFixed(bp % 100 === 0 ? 0 : 1)} %`;
}

export function bytes(value) {
  if (value === null) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${size >= 10 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** A span of time in its two largest units at most. */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400)
    return s % 3_600 < 60
      ? `${Math.floor(s / 3_600)} h`
      : `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}

/** By the kit's clock, not the phone's: either may be wrong, their difference is not. */
export function ago(at, now) {
  if (at === null) return 'nothing yet';
  const seconds = (Date.parse(now) - Date.parse(at)) / 1_000;
  return seconds < 2 ? 'just now' : `${span(seconds)} ago`;
}

export function clockTime(at, timeZone) {
  return new Date(at).toLocaleTimeString('en-GB', { hourCycle: 'h23', timeZone });
}
