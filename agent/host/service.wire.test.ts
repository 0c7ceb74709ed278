import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Log } from '../../drivers/api/driver.ts';
import { serviceManager } from './service.ts';

const quiet: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A service manager's end of the socket, in another process, because Node has no datagram Unix sockets of its own. */
const LISTENER = `
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1].replace('@', '\\0') if sys.argv[1].startswith('@') else sys.argv[1])
print('listening', flush=True)
for _ in range(int(sys.argv[2])): print(server.recv(4096).decode(), flush=True)
`;

async function heard(address: string, count: number, speak: () => Promise<void>): Promise<string[]> {
  const child = spawn('python3', ['-c', LISTENER, address, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await expect.poll(() => text, { timeout: 10_000 }).toContain('listening');
  await speak();
  await once(child, 'exit');
  return text.trim().split('\n').slice(1);
}

describe('speaking to systemd', () => {
  test('says what a notify service says, at a path and at an abstract address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'barrow-notify-'));
    try {
      for (const address of [join(folder, 'notify'), `@barrow-test-${process.pid}`]) {
        const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: address };
        const words = await heard(address, 4, async () => {
          const service = await serviceManager(env, quiet);
          service.ready();
          service.pet();
          service.status('two\nlines');
          service.stopping();
        });
        expect(words).toEqual(['READY=1', 'WATCHDOG=1', 'STATUS=two lines', 'STOPPING=1']);
        expect(env['NOTIFY_SOCKET']).toBeUndefined();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('does nothing where no service manager listens, and warns where it went away', async () => {
    const idle = await serviceManager({}, quiet);
    idle.ready();
    const warnings: string[] = [];
    const gone = await serviceManager(
      { NOTIFY_SOCKET: join(tmpdir(), 'barrow-no-such-socket') },
      { ...quiet, warn: (event) => void warnings.push(event) },
    );
    gone.pet();
    expect(warnings).toEqual(['sd-notify-failed']);
  });
});
