import type { ErrorEntry, ErrorTable } from '../drivers/api/agent-error.ts';
import type { Driver } from '../drivers/api/driver.ts';
import { linkErrors } from '../drivers/lib/link-errors.ts';
import { radioErrors } from '../drivers/lib/radio-errors.ts';
import { apiErrors } from './api/errors.ts';
import { configErrors } from './config/errors.ts';
import { cameraErrors } from '../drivers/lib/camera-errors.ts';
import { firstBootErrors } from './host/first-boot/errors.ts';
import { httpErrors } from './host/http/errors.ts';
import { brokerErrors } from './host/mqtt/errors.ts';
import { ledgerErrors } from './ledger/errors.ts';
import { pricingErrors } from './pricing/errors.ts';
import { readinessErrors } from './readiness.ts';
import { supervisorErrors } from './supervisor/errors.ts';
import { supportErrors } from './support/support-bundle.ts';
import { paymentErrors } from './till/payment-errors.ts';
import { tillErrors } from './till/errors.ts';
import { uplinkErrors } from './uplink/errors.ts';

/** The agent's own tables by room. A code stands in one of them and means one thing for ever. */
export const agentTables: Readonly<Record<string, ErrorTable>> = {
  configuration: configErrors,
  supervisor: supervisorErrors,
  readiness: readinessErrors,
  ledger: ledgerErrors,
  uplink: uplinkErrors,
  broker: brokerErrors,
  http: httpErrors,
  api: apiErrors,
  till: tillErrors,
  payment: paymentErrors,
  pricing: pricingErrors,
  camera: cameraErrors,
  link: linkErrors,
  support: supportErrors,
  radio: radioErrors,
  'first boot': firstBootErrors,
};

/** Finds a code's words: the agent's tables first, then those of the drivers at work. */
export function errorLookup(drivers: readonly Driver[]): (code: string) => ErrorEntry | undefined {
  const merged = new Map<string, ErrorEntry>();
  for (const table of [...drivers.map((driver) => driver.errors), ...Object.values(agentTables)]) {
    for (const [code, entry] of Object.entries(table)) merged.set(code, entry);
  }
  return (code) => merged.get(code);
}
