import { failures, type Fail } from '../../drivers/api/agent-error.ts';

export const configErrors = {
  'config-unreadable': {
    sentence: 'The configuration file cannot be read',
    hint: 'Name the file with -c; check that it exists and may be read',
    exit: 2,
  },
  'config-too-large': {
    sentence: 'The configuration file is larger than 1 MiB',
    hint: 'kit.yaml holds settings only; keep data elsewhere',
    exit: 2,
  },
  'config-not-text': {
    sentence: 'The configuration file is no text',
    hint: 'Write it anew from kit.example.yaml, and save it as UTF-8',
    exit: 2,
  },
  'config-syntax': {
    sentence: 'This is not YAML',
    hint: 'Look at the indentation, quotes and brackets around this place',
    exit: 2,
  },
  'config-invalid': {
    sentence: 'The configuration has faults',
    hint: 'Run `barrow check -c kit.yaml` to see them all with their lines',
    exit: 2,
  },
  'config-missing': {
    sentence: 'A setting is missing',
    hint: 'Add it; `barrow schema config` lists all settings',
    exit: 2,
  },
  'config-unknown-key': {
    sentence: 'There is no such setting',
    hint: 'Remove it or correct its spelling; `barrow schema config` lists all settings',
    exit: 2,
  },
  'config-type': {
    sentence: 'This value is of the wrong type',
    hint: 'Compare it with `barrow schema config`',
    exit: 2,
  },
  'config-value': { sentence: 'This value is not allowed', hint: 'Compare it with `barrow schema config`', exit: 2 },
  'config-duplicate': { sentence: 'This id stands twice', hint: 'Give each driver an id of its own', exit: 2 },
  'config-driver-type': {
    sentence: 'There is no driver of this type',
    hint: 'Correct the type or install the driver',
    exit: 2,
  },
  'config-secret-inline': {
    sentence: 'A secret must not stand in kit.yaml',
    hint: 'Write { file: … }, { env: … } or { credential: … } and keep the secret there',
    exit: 2,
  },
  'config-open-api': {
    sentence: 'The API would be open to the network',
    hint: 'Listen on 127.0.0.1, or set api.token to a secret',
    exit: 2,
  },
  'config-profile': {
    sentence: 'The broker profile does not allow this',
    hint: 'Keep to the limits of the profile, or choose profile: generic',
    exit: 2,
  },
  'secret-unreadable': {
    sentence: 'A secret cannot be read',
    hint: 'Check that the file exists beside kit.yaml, or that the variable or credential is set',
    exit: 2,
  },
  'kit-file-unreadable': {
    sentence: 'A file named in kit.yaml cannot be read',
    hint: 'Check the path, relative to kit.yaml, and its permissions',
    exit: 2,
  },
} as const;

export const configFailure: Fail<typeof configErrors> = failures(configErrors);
