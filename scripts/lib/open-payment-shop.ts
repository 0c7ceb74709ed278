import { seededChance } from '../../agent/contract/fake-world.ts';
import { COMMAND } from '../../drivers/zvt-terminal/protocol.ts';
import { PaymentShop } from '../../firmware-sim/devices/zvt-terminal/payment-shop.ts';

const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A shop of which nothing is plugged in or started. */
export function paymentShop(): PaymentShop {
  return new PaymentShop({ quiet, chance: seededChance(7) });
}

/** A shop whose terminal takes payments. */
export async function openPaymentShop(): Promise<PaymentShop> {
  const shop = paymentShop();
  shop.plug();
  await shop.startTill();
  if (!(await shop.ready())) throw new Error('the terminal never became ready');
  return shop;
}

export function sale(amountMinor: number): {
  readonly amountMinor: number;
  readonly currency: 'EUR';
  readonly kind: 'sale';
} {
  return { amountMinor, currency: 'EUR', kind: 'sale' };
}

/** The outcomes that were stored, in their order. */
export function outcomes(shop: PaymentShop): readonly unknown[] {
  return shop.events.map((event) => event.data['outcome']);
}

/** How often the terminal was asked for a sale. */
export function asked(shop: PaymentShop): number {
  return shop.terminal.commands.filter((command) => command === COMMAND.authorisation).length;
}
