import { failures, type Fail } from '../../drivers/api/agent-error.ts';

export const simErrors = {
  'scenario-unreadable': {
    sentence: 'The scenario cannot be read',
    hint: 'Name a YAML file; firmware-sim/scenario/popup.yaml is an example',
    exit: 2,
  },
  'scenario-invalid': {
    sentence: 'The scenario has a fault',
    hint: 'Compare it with firmware-sim/scenario/popup.yaml',
    exit: 2,
  },
  'clip-missing': {
    sentence: 'The clip for the virtual camera is not there',
    hint: 'Install it with `apt-get install opencv-doc`, or name any clip with BARROW_CLIP',
    exit: 2,
  },
  'no-kernel-adapter': {
    sentence: 'The kernel takes no virtual Bluetooth adapter',
    hint: "As root: modprobe hci_vhci; a container shares its host's kernel and has no modules of its own",
    exit: 2,
  },
  'agent-ended': { sentence: 'The agent ended before the demo was over', hint: 'Its log is named above' },
  'agent-late': {
    sentence: 'The agent was not ready in time',
    hint: 'Its log is named above; `barrow doctor` says more',
  },
} as const;

export const simFailure: Fail<typeof simErrors> = failures(simErrors);
