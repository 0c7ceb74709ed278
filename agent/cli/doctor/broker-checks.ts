import { X509Certificate } from 'node:crypto';
import type { KitConfig } from '../../config/read-config.ts';
import type { BrokerLink, Host } from '../../core/host.ts';
import { within } from '../../host/within.ts';
import { brokerOptions } from '../../broker-options.ts';
import { uplinkFailure } from '../../uplink/errors.ts';
import { kitTopics } from '../../uplink/topics.ts';
import { failed, finding, ok, type Finding } from './finding.ts';

const WARN_DAYS = 14;
const DAY_MS = 86_400_000;
/** Dialling, TLS and CONNACK together. */
const DIAL_MS = 15_000;

/** The whole way to the broker: name, socket, TLS, login, a message and its acknowledgement, a subscription. */
export async function brokerChecks(config: KitConfig, host: Host, signal: AbortSignal): Promise<readonly Finding[]> {
  const { broker, kit } = config;
  if (broker === undefined) return [finding('broker', 'warn', 'broker-absent')];
  return [...(await certificateChecks(broker, host)), ...(await roundTrip(broker, kit, host, signal))];
}

async function roundTrip(
  broker: NonNullable<KitConfig['broker']>,
  kit: KitConfig['kit'],
  host: Host,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const startMono = host.clock.monoMs();
  const options = brokerOptions(broker, kit.id);
  const topics = kitTopics(kit);
  const topic = topics.reply('doctor');
  try {
    // A client id of its own: the agent's connection must not be taken over by a check.
    const ours = { ...options, clientId: `${options.clientId}-doctor`, will: { topic, payload: '' } };
    return await within(DIAL_MS, signal, async (limit) => {
      await using link = await host.broker(ours, limit);
      // A PUBACK tells more than a CONNACK: most brokers let anybody in whose messages they then refuse.
      const reasonCode = await link.publish(topic, '{}', { qos: 1, retain: false });
      if (reasonCode >= 0x80) throw uplinkFailure('uplink-refused', { detail: reasonText(topic, reasonCode) });
      await link.subscribe(topics.subscriptions);
      const took = Math.round(host.clock.monoMs() - startMono);
      const answered = `${broker.url} takes messages in ${took} ms over MQTT ${link.protocol === 5 ? '5' : '3.1.1'}`;
      return [ok('broker', answered), ...brokerCertificate(link, host.clock.wallMs())];
    });
  } catch (error) {
    return [failed('broker', error)];
  }
}

function reasonText(topic: string, reasonCode: number): string {
  return `${topic} (reason code 0x${reasonCode.toString(16)})`;
}

/** Judges the certificate that a broker showed; one that is not valid has not got so far. */
export function brokerCertificate({ certificate }: Pick<BrokerLink, 'certificate'>, nowMs: number): readonly Finding[] {
  if (certificate === undefined) return [];
  const until = new Date(certificate.untilMs).toISOString().slice(0, 10);
  return [
    certificate.untilMs - nowMs < WARN_DAYS * DAY_MS
      ? finding('broker certificate', 'warn', 'broker-certificate-expiring', until)
      : ok('broker certificate', `The broker’s certificate is valid until ${until}`),
  ];
}

async function certificateChecks(broker: NonNullable<KitConfig['broker']>, host: Host): Promise<readonly Finding[]> {
  if (broker.cert === undefined) return [];
  try {
    return [certificateCheck(new X509Certificate(await host.secret(broker.cert)), host.clock.wallMs())];
  } catch (error) {
    if (error instanceof Error && 'code' in error && !('hint' in error))
      return [finding('certificate', 'fail', 'certificate-unreadable')];
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
