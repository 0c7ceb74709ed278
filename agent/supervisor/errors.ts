import { failures, type Fail } from '../../drivers/api/agent-error.ts';

export const supervisorErrors = {
  'driver-open-timeout': {
    sentence: 'The device did not open within a minute',
    hint: 'Unplug it and plug it in again; `barrow doctor` lists what is connected',
  },
  'driver-ended': {
    sentence: 'The driver stopped without being told to',
    hint: 'It is started again by itself; if this repeats, send the support bundle to its maker',
  },
  'driver-bug': {
    sentence: 'The driver failed in a way it did not foresee',
    hint: 'It is started again by itself; send the support bundle to its maker',
  },
  'driver-emission': {
    sentence: 'The driver reported something that it had not declared',
    hint: 'The reading was dropped and counted; send the support bundle to the driver’s maker',
  },
  'driver-unknown': { sentence: 'There is no driver with this id', hint: '`barrow status` lists the drivers' },
} as const;

export const supervisorFailure: Fail<typeof supervisorErrors> = failures(supervisorErrors);
