import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../systemd/', import.meta.url));
const units = (await readdir(folder)).filter((name) => name.endsWith('.service'));

/** What `systemd-analyze security` gives the unit, from 0 (safe) to 10, without a running systemd. */
async function exposure(unit: string): Promise<number> {
  const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
  const score = /exposure level for [^:]+: ([0-9.]+)/.exec(stdout)?.[1];
  return Number(score ?? 'NaN');
}

async function unitText(name: string): Promise<string> {
  return readFile(`${folder}${name}`, 'utf8');
}

test('the exposure of the daemon is at most 2.4', async () => {
  expect(await exposure(`${folder}barrow.service`)).toBeLessThanOrEqual(2.4);
});

test('the exposure of the first boot is at most 2.4', async () => {
  expect(await exposure(`${folder}barrow-first-boot.service`)).toBeLessThanOrEqual(2.4);
});

test('no unit has a line that systemd would not understand', async () => {
  for (const unit of units) {
    // Programs of the package are not on this machine; every other word about our files is a fault.
    const said = await run('systemd-analyze', ['verify', '--man=no', `${folder}${unit}`]).then(
      ({ stderr }) => stderr,
      (error: { readonly stderr: string }) => error.stderr,
    );
    const ours = said
      .split('\n')
      .filter((line) => line.includes('barrow') && !line.includes('is not executable: No such file or directory'));
    expect(ours).toEqual([]);
  }
});

test('the daemon is started for ever, watched, and never waits for the clock', async () => {
  const text = await unitText('barrow.service');
  expect(text).toMatch(/^Type=notify$/m);
  expect(text).toMatch(/^Restart=always$/m);
  expect(text).toMatch(/^StartLimitIntervalSec=0$/m);
  expect(text).toMatch(/^WatchdogSec=30$/m);
  expect(text).toMatch(/^TimeoutStopSec=5$/m);
  expect(text).not.toMatch(/^(After|Wants|Requires)=.*time-sync/m);
  // V8 compiles at run time: the service would crash before its first line.
  expect(text).not.toMatch(/^MemoryDenyWriteExecute=(yes|true|1)/m);
});

test('the daemon has the capabilities of the radio and no others', async () => {
  const text = await unitText('barrow.service');
  expect(text).toMatch(/^AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN$/m);
  expect(text).toMatch(/^CapabilityBoundingSet=CAP_NET_RAW CAP_NET_ADMIN$/m);
});
