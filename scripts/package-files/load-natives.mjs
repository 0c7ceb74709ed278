// Loads and uses every native part of a packed tree, with the Node that runs this: `LIB/bin/node load-natives.mjs LIB`.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const lib = process.argv[2];
const require = createRequire(join(lib, 'package.json'));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const must = (holds, what) => {
  if (!holds) throw new Error(what);
};

const uses = {
  'better-sqlite3': async () => {
    const folder = mkdtempSync(join(tmpdir(), 'barrow-load-'));
    try {
      const Database = require('better-sqlite3');
      const db = new Database(join(folder, 'x.db'));
      must(db.pragma('journal_mode = WAL', { simple: true }) === 'wal', 'no WAL');
      const { version } = db.prepare('select sqlite_version() as version').get();
      db.close();
      // Closed databases must survive the collector; headers of Node 24.21 made it abort.
      for (let round = 0; round < 100; round += 1) {
        new Database(':memory:').close();
        Array.from({ length: 1000 }, () => Array.from({ length: 500 }, () => round));
        if (round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return `SQLite ${version}`;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  sharp: async () => {
    const sharp = require('sharp');
    const { info } = await sharp({ create: { width: 32, height: 8, channels: 3, background: '#fff' } })
      .resize(16)
      .jpeg()
      .toBuffer({ resolveWithObject: true });
    must(info.width === 16, 'resized wrongly');
    return `libvips ${sharp.versions.vips}`;
  },
  'onnxruntime-node': async () => {
    const { InferenceSession } = require('onnxruntime-node');
    const session = await InferenceSession.create(join(lib, 'models/nanodet-g-person.onnx'), { intraOpNumThreads: 1 });
    must(session.inputNames.length === 1, 'the model has no input');
    return `model with ${session.outputNames.length} outputs`;
  },
  koffi: async () => {
    const { default: koffi } = await load('koffi');
    must(koffi.load('libc.so.6').func('int getpid()')() === process.pid, 'libc answers wrongly');
    return 'libc answers';
  },
  serialport: async () => {
    const { SerialPort } = require('serialport');
    return `${(await SerialPort.list()).length} ports`;
  },
  '@stoprocent/bluetooth-hci-socket': async () => typeof require('@stoprocent/bluetooth-hci-socket'),
  '@abandonware/bluetooth-hci-socket': async () => typeof require('@abandonware/bluetooth-hci-socket'),
};

let failed = 0;
for (const [name, use] of Object.entries(uses)) {
  try {
    console.log(`ok    ${name}: ${await use()}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}
console.log(`${process.version} ${process.arch} ${process.report.getReport().header.glibcVersionRuntime ?? ''}`);
process.exitCode = failed === 0 ? 0 : 1;
