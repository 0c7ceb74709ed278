// The one arrow: models ← drivers ← agent ← firmware-sim; scripts and tests stand outside.
const tests = '\\.test\\.ts$';
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'models-know-nobody',
      severity: 'error',
      from: { path: '^models/', pathNot: tests },
      to: { path: '^(drivers|agent|firmware-sim|scripts)/' },
    },
    {
      name: 'drivers-know-models-only',
      severity: 'error',
      from: { path: '^drivers/', pathNot: tests },
      to: { path: '^(agent|firmware-sim|scripts)/' },
    },
    {
      name: 'agent-knows-drivers-and-models',
      severity: 'error',
      from: { path: '^agent/', pathNot: tests },
      to: { path: '^(firmware-sim|scripts)/' },
    },
    {
      name: 'nobody-imports-scripts',
      severity: 'error',
      from: { path: '^(models|drivers|agent|firmware-sim)/', pathNot: tests },
      to: { path: '^scripts/' },
    },
    {
      // Tests too: a family's folder can be deleted, and the rest still compiles.
      name: 'a-family-knows-no-other',
      severity: 'error',
      from: { path: '^drivers/([^/]+)/', pathNot: ['^drivers/(api|lib)/'] },
      to: { path: '^drivers/[^/]+/', pathNot: ['^drivers/(api|lib)/', '^drivers/$1/'] },
    },
    {
      name: 'api-and-lib-know-no-family',
      severity: 'error',
      from: { path: '^drivers/(api|lib)/', pathNot: tests },
      to: { path: '^drivers/', pathNot: '^drivers/(api|lib)/' },
    },
    {
      name: 'a-simulated-device-never-reads-the-decoder',
      severity: 'error',
      from: { path: '^firmware-sim/', pathNot: tests },
      to: { path: '^drivers/.*/decode[^/]*\\.ts$' },
    },
    {
      name: 'the-operating-system-is-reached-through-the-host',
      comment:
        'Time, chance and I/O are arguments everywhere else; otherwise the deterministic world would not be one.',
      severity: 'error',
      from: { path: '^(agent|drivers|models)/', pathNot: ['^agent/(host|cli)/', '^models/build/', tests] },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|util)$' },
    },
    {
      name: 'native-modules-live-in-the-host',
      severity: 'error',
      from: { path: '^(agent|drivers|models)/', pathNot: ['^agent/host/', '^models/build/', tests] },
      to: {
        path: 'node_modules/(serialport|@serialport|@abandonware|@stoprocent|onnxruntime-node|sharp|mqtt|koffi|pino|node-unix-socket|bonjour-service)/',
      },
    },
    {
      name: 'sqlite-lives-in-the-ledger',
      severity: 'error',
      from: { path: '^(agent|drivers|models|firmware-sim)/', pathNot: ['^agent/ledger/', tests] },
      to: { path: 'node_modules/better-sqlite3/' },
    },
    {
      name: 'simulator-native-modules-live-in-its-wire-files',
      severity: 'error',
      from: { path: '^firmware-sim/', pathNot: ['^firmware-sim/wire/', tests] },
      to: { path: 'node_modules/koffi/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
