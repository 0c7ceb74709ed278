import type { KitContext, VirtualDevice } from './virtual-device.ts';
export function shelfDevice(_spec: unknown, _products: unknown, _context: KitContext): Promise<VirtualDevice> {
  return Promise.reject(new Error('soon'));
}
