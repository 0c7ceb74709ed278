import { failures, type Fail } from '../../../drivers/api/agent-error.ts';

export const bleCommandErrors = {
  'ble-no-radio': {
    sentence: 'No radio was named',
    hint: 'Give --hci N, --socket PATH, --tcp HOST:PORT or -c kit.yaml',
    exit: 2,
  },
  'ble-no-sensor': {
    sentence: 'No ble-shelf driver in this kit.yaml has such a sensor',
    hint: 'Use an id that stands under sensors:, or add the sensor first',
    exit: 2,
  },
  'ble-nothing-heard': {
    sentence: 'Nothing was heard',
    hint: 'Check the radio with barrow doctor, and that a sensor is switched on and near',
  },
  'ble-no-weight': {
    sentence: 'The sensor sent no steady weight',
    hint: 'Leave the shelf alone while it measures; barrow ble scan shows what the sensor sends',
  },
  'ble-no-difference': {
    sentence: 'The full shelf does not weigh more than the empty one',
    hint: 'Put the items on the shelf before the second measurement',
  },
} as const;

export const bleCommandFailure: Fail<typeof bleCommandErrors> = failures(bleCommandErrors);
