import { failures, type Fail } from '../../../drivers/api/agent-error.ts';

/** Why a broker could not be dialled. The uplink chooses its pace by the code. */
export const brokerErrors = {
  'broker-url': {
    sentence: 'This broker address cannot be used',
    hint: 'Give mqtt://HOST:PORT or mqtts://HOST:PORT',
    exit: 2,
  },
  'broker-unreachable': {
    sentence: 'The broker cannot be reached',
    hint: 'Check the network, the address and the port; events are kept and sent later',
  },
  'broker-timeout': {
    sentence: 'The broker does not answer',
    hint: 'Check whether something between swallows the traffic; events are kept and sent later',
  },
  'broker-closed': {
    sentence: 'The broker closed the connection before it was ready',
    hint: 'Check whether this port wants mqtt:// or mqtts://, and whether it asks for a client certificate; the broker’s log says more',
  },
  'broker-login': {
    sentence: 'The broker does not accept this kit’s login',
    hint: 'Check broker.username, broker.password and the client certificate',
  },
  'broker-identity': {
    sentence: 'The broker does not accept this client identifier',
    hint: 'Check kit.id against the names the broker allows',
  },
  'broker-refused': {
    sentence: 'The broker refused the connection',
    hint: 'Look into the broker’s log for the reason code',
  },
  'broker-busy': {
    sentence: 'The broker is too busy to take the connection',
    hint: 'Nothing to do: the kit keeps its events and tries again, more slowly',
  },
  'broker-protocol': {
    sentence: 'The broker speaks neither MQTT 5 nor MQTT 3.1.1 with this kit',
    hint: 'Check broker.protocol, and that the port is the broker’s MQTT port',
  },
  'broker-tls': {
    sentence: 'The broker’s certificate cannot be trusted',
    hint: 'Check broker.ca, the host name in broker.url and the certificate’s dates',
  },
  'broker-refuses-certificate': {
    sentence: 'The broker does not accept this kit’s certificate',
    hint: 'barrow doctor shows its dates; set broker.cert and broker.key, or ask the operations team for new ones',
  },
  'broker-material': {
    sentence: 'The files for the broker’s TLS cannot be used',
    hint: 'Put the right PEM files where broker.ca, broker.cert and broker.key point; they are read at each attempt',
  },
  'broker-clock': {
    sentence: 'The broker’s certificate is not valid yet by this kit’s clock',
    hint: 'Let the clock synchronise (NTP); events are kept until then',
  },
  'broker-subscribe': {
    sentence: 'The broker refused a subscription',
    hint: 'Allow the kit to read its command and rules topics',
  },
} as const;

export const brokerFailure: Fail<typeof brokerErrors> = failures(brokerErrors);
