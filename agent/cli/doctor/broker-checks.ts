import { X509Certificate } from 'node:crypto';
import type { KitConfig } from '../../config/read-config.ts';
import type { Host } from '../../core/host.ts';
import { within } from '../../host/within.ts';
import { brokerOptions } from '../../broker-options.ts';
import { failed, finding, ok, type Finding } from './finding.ts';

const WARN_DAYS = 14;
const DAY_MS = 86_400_000;
/** Dialling, TLS and CONNACK together. */
const DIAL_MS = 15_000;

/** The whole way to the broker: name, socket, TLS, login, and back. */
export async function brokerChecks(config: KitConfig, host: Host, signal: AbortSignal): Promise<readonly Finding[]> {
  const { broker, kit } = config;
  if (broker === undefined) return [finding('broker', 'warn', 'broker-absent')];
  return [...(await certificateChecks(broker, host)), await roundTrip(broker, kit.id, host, signal)];
}

async function roundTrip(
  broker: NonNullable<KitConfig['broker']>,
  kitId: string,
  host: Host,
  signal: AbortSignal,
): Promise<Finding> {
  const startMono = host.clock.monoMs();
  try {
    const options = brokerOptions(broker, kitId);
    // A client id of its own: the agent's connection must not be taken over by a check.
    const ours = {
      ...options,
      clientId: `${options.clientId}-doctor`,
      will: { topic: `barrow/v1/${kitId}/doctor`, payload: '' },
    };
    const link = await within(DIAL_MS, signal, (limit) => host.broker(ours, limit));
    await link.close();
    return ok(
      'broker',
      `${broker.url} answers in ${Math.round(host.clock.monoMs() - startMono)} ms over MQTT ${link.protocol === 5 ? '5' : '3.1.1'}`,
    );
  } catch (error) {
    return failed('broker', error);
  }
}

async function certificateChecks(broker: NonNullable<KitConfig['broker']>, host: Host): Promise<readonly Finding[]> {
  if (broker.cert === undefined) return [];
  try {
    return [certificateCheck(new X509Certificate(await host.secret(broker.cert)), host.clock.wallMs())];
  } catch (error) {
    if (error instanceof Error && 'code' in error && !('hint' in error))
      return [
        finding(
          'certificate',
          'fail',
          'certificate-expired',
          'the file is no certificate',
          'Put the PEM certificate of this kit there',
        ),
      ];
    return [failed('certificate', error)];
  }
}

/** Judges a certificate's dates by a wall clock. */
export function certificateCheck(certificate: Pick<X509Certificate, 'validFrom' | 'validTo'>, nowMs: number): Finding {
  const fromMs = Date.parse(certificate.validFrom);
  const toMs = Date.parse(certificate.validTo);
  const until = new Date(toMs).toISOString().slice(0, 10);
  if (nowMs < fromMs)
    return finding(
      'certificate',
      'fail',
      'certificate-early',
      `valid from ${new Date(fromMs).toISOString().slice(0, 10)}`,
    );
  if (nowMs >= toMs) return finding('certificate', 'fail', 'certificate-expired', until);
  return toMs - nowMs < WARN_DAYS * DAY_MS
    ? finding('certificate', 'warn', 'certificate-expiring', until)
    : ok('certificate', `The client certificate is valid until ${until}`);
}
