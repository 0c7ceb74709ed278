import { Command } from 'commander';
import { registry } from '../../../drivers/registry.ts';
import { firstBoot } from '../../host/first-boot/first-boot.ts';
import { qrText, tell } from '../../host/first-boot/tell.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

interface FirstBootFlags {
  readonly boot: string;
  readonly etc: string;
  readonly screen?: string;
  readonly leds: string;
}

export const command: CommandModule = {
  build: (bind) =>
    new Command('first-boot')
      .description(
        'take kit.yaml and its secrets from the boot partition, make the device key, ask for its certificate',
      )
      .option('--boot <dir>', 'the boot partition', '/boot/firmware')
      .option('--etc <dir>', 'where the configuration is kept', '/etc/barrow')
      .option('--screen <file>', 'where the console reads what to show, e.g. /run/issue.d/barrow.issue')
      .option('--leds <dir>', 'the board’s lights', '/sys/class/leds')
      .addHelpText(
        'after',
        [
          '',
          'On the boot partition: kit.yaml, the files it names, claim.txt (a one-time code), device.crt (the certificate).',
          'It answers there with BARROW.TXT and, until a certificate has come, <kit>.csr.',
          'Exit status: 0 set up, 1 something must still be brought, 2 kit.yaml or a file was refused.',
          '',
          'Examples:',
          '  barrow first-boot',
          '  barrow first-boot --boot ./card --etc ./etc --json',
        ].join('\n'),
      )
      .action(bind(async (io, flags: FirstBootFlags) => run(io, flags))),
};

async function run(io: CommandIo, flags: FirstBootFlags): Promise<ExitStatus> {
  const report = await firstBoot(flags.boot, flags.etc, registry);
  const mute = await tell(
    report,
    { boot: flags.boot, screen: flags.screen ?? null, leds: flags.leds },
    new Date().toISOString(),
  );
  if (io.json) await io.out(JSON.stringify({ ok: report.word === 'READY TO START', ...report, mute }));
  else {
    await io.out(`${report.word}: ${report.lines.join('\n  ')}`);
    if (report.url !== null) await io.out(io.tty ? `${await qrText(report.url)}\n${report.url}` : report.url);
  }
  return report.state === 'refused' ? 2 : report.word === 'READY TO START' ? 0 : 1;
}
