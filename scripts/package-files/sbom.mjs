// Prints a CycloneDX 1.5 bill of materials of what the package really holds: `node sbom.mjs LIB ARCH NODE_VERSION`.
// Not `npm sbom`: that describes the tree as installed for the build machine, this one what is packed for the target.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagesIn } from './packages-in.mjs';

const [lib, arch, nodeVersion] = process.argv.slice(2);
const own = JSON.parse(readFileSync(join(lib, 'package.json'), 'utf8'));
const sha256 = (path) => [{ alg: 'SHA-256', content: createHash('sha256').update(readFileSync(path)).digest('hex') }];
const licences = (said) =>
  / (OR|AND|WITH) |^\(/.test(said)
    ? [{ expression: said }]
    : [{ license: /^[A-Za-z0-9.+-]+$/.test(said) && said !== 'NOASSERTION' ? { id: said } : { name: said } }];

const components = [
  {
    type: 'platform',
    'bom-ref': 'node',
    name: 'node',
    version: nodeVersion,
    purl: `pkg:generic/node@${nodeVersion}?arch=${arch}`,
    licenses: [{ license: { id: 'MIT' } }],
    hashes: sha256(join(lib, 'bin/node')),
  },
  ...readdirSync(join(lib, 'models'))
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => ({
      type: 'machine-learning-model',
      'bom-ref': name,
      name,
      version: own.version,
      hashes: sha256(join(lib, 'models', name)),
    })),
  ...packagesIn(join(lib, 'node_modules')).map(({ name, version, license }) => ({
    type: 'library',
    'bom-ref': `${name}@${version}`,
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: licences(license),
  })),
];
// The same package may lie in two places.
const unique = [...new Map(components.map((component) => [component['bom-ref'], component])).values()];
console.log(
  JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: {
        component: {
          type: 'application',
          'bom-ref': 'barrow',
          name: 'barrow',
          version: own.version,
          purl: `pkg:deb/barrow@${own.version}?arch=${arch}`,
          licenses: licences(own.license),
        },
      },
      components: unique,
      dependencies: [{ ref: 'barrow', dependsOn: unique.map((component) => component['bom-ref']) }],
    },
    null,
    1,
  ),
);
