import { failures, type AgentError, type Fail } from '../../drivers/api/agent-error.ts';

export const apiErrors = {
  'request-malformed': {
    sentence: 'The request cannot be read',
    hint: 'Send one JSON object as the body, as /openapi.json describes it',
  },
  'body-not-json': {
    sentence: 'The body is not JSON',
    hint: 'Send Content-Type: application/json',
  },
  'parameter-invalid': {
    sentence: 'A parameter of the address is wrong',
    hint: 'Compare it with /openapi.json',
  },
  'host-refused': {
    sentence: 'The kit is not known by this name',
    hint: 'Open it by its address, or by its name with .local',
  },
  'origin-refused': {
    sentence: 'Another web site may not talk to this kit',
    hint: 'Open the kit’s own page',
  },
  'token-missing': {
    sentence: 'This address of the kit asks for its token',
    hint: 'Send Authorization: Bearer with the token that api.token in kit.yaml names',
  },
  'token-wrong': {
    sentence: 'The token is not the one of this kit',
    hint: 'Look it up in the file that api.token in kit.yaml names',
  },
  'token-required': {
    sentence: 'The local API would be open to the network without a token',
    hint: 'Set api.token to a secret of at least 16 characters, or listen on 127.0.0.1',
    exit: 2,
  },
  'route-unknown': {
    sentence: 'There is nothing at this address',
    hint: 'See /openapi.json for what there is',
  },
  'method-refused': {
    sentence: 'This address does not take this method',
    hint: 'The Allow header names those that it takes',
  },
  'rate-limited': {
    sentence: 'Too many requests at a time',
    hint: 'Wait as long as Retry-After says',
  },
  'streams-full': {
    sentence: 'Too many readers follow the kit already',
    hint: 'Close a page that is not needed',
  },
  'idempotency-key-invalid': {
    sentence: 'The Idempotency-Key cannot be used',
    hint: 'Send 1 to 255 printable ASCII characters, a UUID at best',
  },
  'pricing-off': {
    sentence: 'This kit has no price rules',
    hint: 'Set pricing in kit.yaml and deliver a signed bundle',
  },
  'bundle-off': {
    sentence: 'This agent makes no support bundle',
    hint: 'Run barrow support-bundle on the kit',
  },
  'sensor-unknown': {
    sentence: 'There is no such sensor under this driver',
    hint: '`barrow status --json` lists the sensors',
  },
  'weight-unsteady': {
    sentence: 'The weight did not come to rest',
    hint: 'Leave the shelf alone while it is measured, and bring the kit near the sensor',
  },
  'weights-alike': {
    sentence: 'The shelf weighs no more with the items than without',
    hint: 'Measure it empty first, then with the items on it',
  },
  'aim-off': {
    sentence: 'This camera cannot be shown while it counts',
    hint: 'Stop the agent and run barrow camera aim on the kit',
  },
  bug: {
    sentence: 'The request met a bug in the agent',
    hint: 'Look at the agent’s log and report it',
  },
} as const;

export const apiFailure: Fail<typeof apiErrors> = failures(apiErrors);

/** The HTTP status of a code; what stands in no row is 503 when the world fails and 422 when the request does. */
const STATUS: Readonly<Record<string, number>> = {
  'request-malformed': 400,
  'parameter-invalid': 400,
  'body-invalid': 400,
  'idempotency-key-invalid': 400,
  'token-missing': 401,
  'token-wrong': 401,
  'host-refused': 403,
  'origin-refused': 403,
  'route-unknown': 404,
  'payment-unknown': 404,
  'driver-unknown': 404,
  'sensor-unknown': 404,
  'weight-unsteady': 409,
  'weights-alike': 422,
  'method-refused': 405,
  'body-not-json': 415,
  'original-voided': 409,
  'original-returned': 409,
  'payment-blocked': 409,
  'terminal-busy': 409,
  'terminal-ambiguous': 422,
  'amount-invalid': 422,
  'receipt-missing': 422,
  'quote-invalid': 422,
  'override-invalid': 422,
  'out-of-range': 422,
  'payment-not-unknown': 409,
  'no-rules': 409,
  'pricing-off': 409,
  'card-data': 422,
  'gtin-invalid': 422,
  'currency-mismatch': 422,
  'kit-mismatch': 422,
  'sums-differ': 422,
  'price-missing': 422,
  'original-unknown': 422,
  'return-exceeds-sale': 422,
  'idempotency-mismatch': 422,
  'unknown-sku': 422,
  'rate-limited': 429,
  bug: 500,
  'bundle-off': 501,
  'aim-off': 501,
};

export function statusOf(error: AgentError): number {
  return STATUS[error.code] ?? (error.exit === 2 ? 422 : 503);
}
