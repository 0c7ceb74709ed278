import { failures, type Fail } from '../../drivers/api/agent-error.ts';

/** Everything that can be wrong with a bundle, its inputs, its signature, or a request for a price. */
export const pricingErrors = {
  'file-unreadable': { sentence: 'This file cannot be read', hint: 'Check the path and its permissions', exit: 2 },
  'key-unreadable': {
    sentence: 'This is not the Ed25519 key that is needed here',
    hint: 'Give a PEM file: PKCS#8 (PRIVATE KEY) to sign, SPKI (PUBLIC KEY) to trust',
    exit: 2,
  },
  'bundle-too-large': { sentence: 'The rule file is larger than 4 MiB', hint: 'Split the catalogue over several kits' },
  'bundle-too-deep': { sentence: 'The rule file is nested too deeply', hint: 'Nest at most 32 levels' },
  'bundle-syntax': { sentence: 'The rule file cannot be read', hint: 'Correct the YAML or JSON at this place' },
  'bundle-format': {
    sentence: 'This is not a barrow.rules/1 bundle',
    hint: 'Give a source, a compiled bundle or a signed one',
  },
  'unknown-key': { sentence: 'This key is not known here', hint: 'Remove it or correct its spelling' },
  'missing-key': { sentence: 'A key is missing', hint: 'Add it' },
  'wrong-type': { sentence: 'A value has the wrong type', hint: 'Write it as the format asks' },
  'out-of-range': { sentence: 'A value is out of its range', hint: 'Choose a value within the limits' },
  'duplicate-id': { sentence: 'An id stands twice', hint: 'Give each its own' },
  'unknown-reference': { sentence: 'This names nothing in the bundle', hint: 'Correct the name or add what it names' },
  'ladder-order': {
    sentence: 'The ladder must start at 0 and rise',
    hint: 'Write it like [0, 1000, 1800, 2500], in basis points',
  },
  'weights-sum': { sentence: 'The cell weights do not sum to 10000', hint: 'Make them sum to 10000 basis points' },
  'condition-syntax': { sentence: 'The condition cannot be parsed', hint: 'Correct the expression at this place' },
  'condition-unsupported': {
    sentence: 'The condition uses what rules may not use',
    hint: 'Use facts, integers, texts, comparisons, in, &&, || and ! only',
  },
  'condition-type': { sentence: 'The condition compares things of different types', hint: 'Compare like with like' },
  'condition-too-large': {
    sentence: 'The condition is too large',
    hint: 'Use at most 64 nodes and 8 levels; split it over several rules',
  },
  'fact-unknown': { sentence: 'There is no such fact', hint: 'Use one of the facts of the kit' },
  'signature-missing': { sentence: 'The bundle is not signed', hint: 'Sign it with: barrow rules sign FILE --key KEY' },
  'signature-invalid': {
    sentence: 'No trusted key has signed these bytes',
    hint: 'Check the key, or fetch the bundle again',
  },
  'not-canonical': {
    sentence: 'The signed payload is not in canonical form',
    hint: 'Sign it with: barrow rules sign FILE --key KEY',
  },
  'version-not-newer': {
    sentence: 'A bundle of this version or a newer one has been seen',
    hint: 'Give the content a higher version and sign it anew; that is also how to go back',
  },
  'self-test-failed': {
    sentence: 'The bundle does not decide as its own test says',
    hint: 'Correct the rules or the test',
  },
  'inputs-invalid': { sentence: 'The inputs cannot be used', hint: 'Correct them at this place' },
  'audience-other': { sentence: 'The bundle is meant for other kits', hint: 'Check kit.id and kit.group in kit.yaml' },
  'outside-rollout': {
    sentence: 'This kit is not yet in the bundle’s roll-out',
    hint: 'Raise rolloutBp in the next version',
  },
  'bundle-expired': { sentence: 'The bundle has expired', hint: 'Publish a new version' },
  'currency-other': {
    sentence: 'The bundle is in another currency than the kit',
    hint: 'Check kit.currency in kit.yaml and currency in the bundle',
  },
  'engine-too-old': { sentence: 'The bundle asks for a newer engine', hint: 'Update the agent' },
  'no-trust': { sentence: 'No key is trusted on this kit', hint: 'Name the merchant’s key under pricing.trust' },
  'no-rules': { sentence: 'No rules are active on this kit', hint: 'Publish a signed bundle' },
  'unknown-sku': { sentence: 'This item is not in the catalogue', hint: 'Add it to the bundle’s catalogue' },
  'quote-invalid': { sentence: 'The quote cannot be made', hint: 'Check quantities and coupons' },
  'override-invalid': {
    sentence: 'The override cannot be taken',
    hint: 'Give actor, reason, a time still to come and a price',
  },
  'state-unreadable': {
    sentence: 'This is not the state folder of an agent',
    hint: 'Give the folder that kit.yaml names under state, with the agent stopped',
    exit: 2,
  },
} as const;

export type PricingCode = keyof typeof pricingErrors;
export const pricingFailure: Fail<typeof pricingErrors> = failures(pricingErrors);
