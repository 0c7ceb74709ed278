import { failures, type Fail } from '../api/agent-error.ts';

/**
 * What can go wrong with a byte link. The host throws these, every driver on a link puts them into its own table, so
 * that one code has one meaning from the log to the status page.
 */
export const linkErrors = {
  'port-missing': {
    sentence: 'The serial port is not there',
    hint: 'Plug the device in; barrow doctor shows which port it has and its stable name',
  },
  'port-busy': {
    sentence: 'Another program holds the serial port',
    hint: 'Stop it (lsof PORT names it), or give the driver another port',
  },
  'port-identity': {
    sentence: 'Another device sits at this serial port',
    hint: 'Plug the right device in, or correct usb: in kit.yaml; barrow doctor lists the ports',
  },
  'port-failed': {
    sentence: 'The serial port cannot be used',
    hint: 'Check port: in kit.yaml; if it is right, the agent’s user may lack the group dialout',
  },
  'port-lost': {
    sentence: 'The serial device went away',
    hint: 'Check its cable and power; the driver opens it again as soon as it is back',
  },
  'host-unreachable': {
    sentence: 'The device does not answer on the network',
    hint: 'Check its address and port in kit.yaml and that it is switched on',
  },
  'connection-lost': {
    sentence: 'The network connection to the device broke',
    hint: 'Check its cable and power; the driver connects again by itself',
  },
} as const;

export const linkFailure: Fail<typeof linkErrors> = failures(linkErrors);
