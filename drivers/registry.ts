// Written by `npm run registry` from the folders beside it. Not edited by hand.
import type { DriverRegistry } from './api/driver.ts';

export const registry: DriverRegistry = {
  'barcode-scanner': async () => (await import('./barcode-scanner/index.ts')).driver,
  'ble-shelf': async () => (await import('./ble-shelf/index.ts')).driver,
  'camera-counter': async () => (await import('./camera-counter/index.ts')).driver,
  'loyalty-reader': async () => (await import('./loyalty-reader/index.ts')).driver,
  'zvt-terminal': async () => (await import('./zvt-terminal/index.ts')).driver,
};
