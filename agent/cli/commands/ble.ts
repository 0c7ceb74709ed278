import { Command, InvalidArgumentError } from 'commander';
import type { CalibrateFlags } from '../ble/calibrate.ts';
import type { ScanFlags } from '../ble/scan.ts';
import type { CommandModule } from '../program.ts';

const ITEMS_MAX = 1_000;

const positive =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0 || value > most) throw new InvalidArgumentError(`1 to ${most}`);
    return value;
  };

const withRadioOptions = (command: Command): Command =>
  command
    .option('--hci <n>', 'adapter number, as in hci0')
    .option('--socket <path>', 'a controller behind a Unix socket')
    .option('--tcp <host:port>', 'a controller behind TCP')
    .option('-c, --config <file>', 'take radio, sensors and keys from this kit.yaml')
    .option('--library <name>', 'abandonware or stoprocent')
    .option('--json', 'answer in JSON');

/** `barrow ble`: what is on the air, and what a shelf weighs. */
export const command: CommandModule = {
  build: (bind) => {
    const ble = new Command('ble')
      .description('Nearby sensors, and setting one shelf up')
      .addHelpText(
        'after',
        '\nExamples:\n  barrow ble scan -c kit.yaml\n  barrow ble calibrate s1 -c kit.yaml --items 10',
      );
    ble.addCommand(
      withRadioOptions(new Command('scan'))
        .description('Nearby sensors, decoded; the loudest first')
        .option('--seconds <n>', 'stop after this long', positive(86_400))
        .option('--all', 'also devices in no known format')
        .addHelpText(
          'after',
          '\nExamples:\n  barrow ble scan -c kit.yaml\n  barrow ble scan --hci 0 --seconds 30\n  barrow ble scan --socket /run/hci.sock --seconds 10 --json\n\nTo find out which sensor is which, hold it close to the box: it comes to the top.\n',
        )
        .action(bind(async (io, flags) => (await import('../ble/scan.ts')).scan(io, flags as ScanFlags))),
    );
    ble.addCommand(
      withRadioOptions(new Command('calibrate'))
        .description('Guided tare and unit weight of one shelf; prints the numbers for kit.yaml')
        .argument('<sensor>', 'the sensor’s id in kit.yaml')
        .option('--items <n>', 'how many items are put on the shelf', positive(ITEMS_MAX))
        .option('--seconds <n>', 'longest time for one measurement', positive(3_600))
        .addHelpText(
          'after',
          '\nExamples:\n  barrow ble calibrate s1 -c kit.yaml\n  barrow ble calibrate s1 -c kit.yaml --items 10 --json\n\nStop the agent first where it uses the same adapter alone. Exit status 1: the items are too light to be counted.\n',
        )
        .action(
          bind(async (io, sensor, flags) =>
            (await import('../ble/calibrate.ts')).calibrateSensor(io, sensor as string, flags as CalibrateFlags),
          ),
        ),
    );
    return ble;
  },
};
