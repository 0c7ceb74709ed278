import { networkInterfaces } from 'node:os';
import { isLoopbackHost, mdnsHost, splitListen } from '../config/listen.ts';
import type { KitConfig } from '../config/read-config.ts';
import { qrText } from '../host/first-boot/tell.ts';
import { cliFailure } from './errors.ts';
import type { CommandIo } from './program.ts';

/** Where a phone in the shop's network finds the status page. */
export interface PageAddress {
  readonly url: string;
}

/**
 * The status page as others reach it: `<kit>.local` when the kit announces that name, else its address in the network.
 * Throws `page-loopback` when only this machine can reach it, `page-no-network` when it has no address.
 */
export function pageAddress(
  config: Pick<KitConfig, 'kit' | 'api' | 'mdns'>,
  addresses: readonly string[],
): PageAddress {
  const { host, port } = splitListen(config.api.listen);
  if (isLoopbackHost(host)) throw cliFailure('page-loopback', { detail: config.api.listen });
  if (config.mdns) return { url: `http://${mdnsHost(config.kit.id)}:${port}/` };
  const wildcard = host === '0.0.0.0' || host === '::' || host === '[::]';
  const name = wildcard ? addresses[0] : host;
  if (name === undefined) throw cliFailure('page-no-network');
  return { url: `http://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port}/` };
}

/** This machine's addresses that others can reach, IPv4 first. */
export function outerAddresses(): readonly string[] {
  const outer = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return [...outer].sort((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}

/** Prints the QR code with the address under it. A token stands behind the `#`, which no server ever sees. */
export async function tellPage(io: CommandIo, { url }: PageAddress, token: string | null): Promise<void> {
  const whole = token === null ? url : `${url}#token=${encodeURIComponent(token)}`;
  if (io.json) await io.out(JSON.stringify({ url: whole }));
  else await io.out(`${await qrText(whole)}\n${url}`);
}
