import { isLoopbackHost, splitListen } from './listen.ts';
import { fault, type ConfigFault, type Locator } from './fault.ts';
import type { KitFile } from './schema.ts';

/** Faults that no single field shows: what contradicts what. */
export function semanticFaults(file: Partial<KitFile>, locator: Locator): readonly ConfigFault[] {
  return [
    ...duplicateIds(file, locator),
    ...timesOutOfOrder(file, locator),
    ...openApi(file, locator),
    ...brokerFaults(file, locator),
  ];
}

function duplicateIds(file: Partial<KitFile>, locator: Locator): readonly ConfigFault[] {
  const seen = new Set<string>();
  return (file.drivers ?? []).flatMap((driver, index) => {
    if (!seen.has(driver.id)) {
      seen.add(driver.id);
      return [];
    }
    return [fault('config-duplicate', ['drivers', index, 'id'], locator, driver.id)];
  });
}

function timesOutOfOrder(file: Partial<KitFile>, locator: Locator): readonly ConfigFault[] {
  const { opens, closes } = file.kit ?? {};
  if (opens === undefined || closes === undefined || Date.parse(opens) < Date.parse(closes)) return [];
  return [fault('config-value', ['kit', 'closes'], locator, 'kit.closes is not after kit.opens')];
}

function openApi(file: Partial<KitFile>, locator: Locator): readonly ConfigFault[] {
  if (file.api?.listen === undefined) return [];
  const { host, port } = splitListen(file.api.listen);
  if (port > 65_535) return [fault('config-value', ['api', 'listen'], locator, 'a port is at most 65535')];
  if (isLoopbackHost(host) || file.api.token !== undefined) return [];
  return [fault('config-open-api', ['api', 'listen'], locator, file.api.listen)];
}

/** AWS IoT Core asks for TLS with a client certificate and topic levels of its own (topic ≤ 256 bytes, 7 slashes). */
function brokerFaults(file: Partial<KitFile>, locator: Locator): readonly ConfigFault[] {
  const { broker } = file;
  if (broker === undefined) return [];
  const faults: ConfigFault[] = [];
  const tls = broker.url.startsWith('mqtts:');
  if ((broker.cert === undefined) !== (broker.key === undefined))
    faults.push(
      fault(
        'config-missing',
        ['broker', broker.cert === undefined ? 'key' : 'cert'],
        locator,
        'broker.cert and broker.key go together',
      ),
    );
  if (!tls && (broker.ca ?? broker.cert) !== undefined)
    faults.push(fault('config-value', ['broker', 'url'], locator, 'certificates need an mqtts:// URL'));
  if (broker.profile === 'aws') {
    if (!tls) faults.push(fault('config-profile', ['broker', 'url'], locator, 'AWS IoT Core speaks mqtts:// only'));
    if (broker.cert === undefined)
      faults.push(
        fault('config-profile', ['broker', 'profile'], locator, 'AWS IoT Core asks for broker.cert and broker.key'),
      );
  }
  return faults;
}
