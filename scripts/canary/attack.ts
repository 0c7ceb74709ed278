/** What `/openapi.json` says of one operation, as far as an attacker needs it. */
interface Operation {
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** One request with a card number where none belongs. */
export interface Attack {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Streams that never end by themselves. */
const ENDLESS = 'text/event-stream';

/**
 * A card number in every place of every operation that the kit describes: each text, number and name of the body, each
 * parameter of the path, the query, the Idempotency-Key and headers that a proxy or a till may send.
 */
export function attacksOf(document: unknown, pan: string): readonly Attack[] {
  const { paths } = document as OpenApi;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([verb, operation]): readonly Attack[] => {
      const method = verb.toUpperCase();
      const endless = Object.values(operation.responses ?? {}).some((answer) => ENDLESS in (answer.content ?? {}));
      if (endless) return [];
      const named = path.replaceAll(/\{\w+\}/g, pan);
      const example = operation.requestBody?.content?.['application/json']?.example;
      const json = { 'content-type': 'application/json' };
      if (method === 'GET')
        return [
          {
            method,
            path: `${named}?limit=${pan}&level=${pan}&driver=${pan}&${pan}=1`,
            headers: hostile(pan),
            body: null,
          },
        ];
      return [
        ...poisoned(example, pan).map((body) => ({ method, path: named, headers: json, body: JSON.stringify(body) })),
        { method, path: named, headers: { ...json, 'idempotency-key': pan }, body: JSON.stringify(example) },
        { method, path: `${named}?card=${pan}`, headers: { ...json, ...hostile(pan) }, body: JSON.stringify(example) },
        { method, path: named, headers: json, body: `{"card":"${pan}"` },
        { method, path: named, headers: json, body: pan },
      ];
    }),
  );
}

function hostile(pan: string): Readonly<Record<string, string>> {
  return {
    'user-agent': `till/${pan}`,
    'x-request-id': pan,
    cookie: `c=${pan}`,
    traceparent: `00-${pan}`,
    referer: `http://x/${pan}`,
  };
}

/** Copies of a JSON value, each with the number in one more place. */
function poisoned(value: unknown, pan: string): readonly unknown[] {
  if (typeof value === 'string') return [pan, `${value} ${pan}`, pan.replaceAll(/(.{4})(?=.)/g, '$1 ')];
  if (typeof value === 'number') return [Number(pan), pan];
  if (Array.isArray(value))
    return value.flatMap((item: unknown, at) => poisoned(item, pan).map((bad) => value.with(at, bad) as unknown));
  if (typeof value !== 'object' || value === null) return [pan];
  const entries = Object.entries(value);
  return [
    { ...value, [pan]: 1 },
    { ...value, note: `card ${pan}` },
    ...entries.flatMap(([key, inner]) => poisoned(inner, pan).map((bad) => ({ ...value, [key]: bad }))),
  ];
}
