/** What becomes of a Bluetooth radio: said by the host, repeated by the drivers that depend on it. */
export const radioErrors = {
  'radio-unreachable': {
    sentence: 'The Bluetooth controller does not answer',
    hint: 'It is started anew by itself; if that does not help, replug the adapter, or see that the HCI socket is being served',
  },
  'radio-missing': {
    sentence: 'There is no such Bluetooth adapter',
    hint: 'Plug it in, or name another one at radio: in kit.yaml; `ls /sys/class/bluetooth` lists those that are there',
  },
  'radio-blocked': {
    sentence: 'The Bluetooth adapter is switched off by a block',
    hint: 'Turn its hardware switch on, or run `rfkill unblock bluetooth`',
  },
  'radio-unauthorized': {
    sentence: 'This process may not use the Bluetooth adapter',
    hint: 'Grant CAP_NET_RAW and CAP_NET_ADMIN, e.g. AmbientCapabilities in the systemd unit',
  },
  'radio-unsupported': {
    sentence: 'This adapter cannot do Bluetooth Low Energy',
    hint: 'Use an adapter with Bluetooth 4.0 or later',
  },
  'radio-silent': {
    sentence: 'The radio hears nothing',
    hint: 'It restarts itself step by step; check the antenna, replug a USB adapter, and see whether any sensor is in range',
  },
  'radio-scan-refused': {
    sentence: 'The adapter refuses to scan',
    hint: 'Another program may own the adapter: stop bluetoothd or give the agent an adapter of its own',
  },
  'radio-crashing': {
    sentence: 'The radio process keeps ending',
    hint: 'See its last words in the log; a fault of the adapter’s driver is likely',
  },
  'radio-closed': { sentence: 'The radio was closed', hint: 'Open it again' },
  'gatt-timeout': { sentence: 'The sensor did not answer in time', hint: 'Move it closer or replace its battery' },
  'gatt-lost': { sentence: 'The connection to the sensor was lost', hint: 'It is tried again by itself' },
  'gatt-not-found': {
    sentence: 'The sensor does not offer this characteristic',
    hint: 'Check its format in kit.yaml',
  },
  'gatt-refused': { sentence: 'The sensor refused the request', hint: 'It may want pairing, which is not supported' },
  'gatt-busy': { sentence: 'Too many requests wait for this radio', hint: 'Wait for those under way' },
} as const;

export type RadioErrorCode = keyof typeof radioErrors;
