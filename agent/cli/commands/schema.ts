import { Argument, Command } from 'commander';
import { registry } from '../../../drivers/registry.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import { asyncApi } from '../../asyncapi.ts';
import { configJsonSchema } from '../../config/json-schema.ts';
import { eventCatalogue, eventJsonSchema } from '../../event-catalogue.ts';
import { packageVersion } from '../../host/version.ts';
import type { CommandModule } from '../program.ts';
import { pricingEmissions } from '../../pricing/pricing-events.ts';
import { tillEmissions } from '../../till/till-events.ts';

type Document = 'config' | 'events' | 'rules' | 'asyncapi';

export const command: CommandModule = {
  build: (bind) =>
    new Command('schema')
      .description('JSON Schema and AsyncAPI, generated from the schemas that the agent itself checks with')
      .addArgument(new Argument('<document>', 'which one').choices(['config', 'events', 'rules', 'asyncapi']))
      .addHelpText('after', '\nExamples:\n  barrow schema config > kit.schema.json\n  barrow schema asyncapi')
      .action(
        bind(async (io, document: Document) => {
          await io.out(JSON.stringify(await documentOf(document), null, 2));
          return 0;
        }),
      ),
};

/** One of the published documents. */
export async function documentOf(document: Document): Promise<JsonObject> {
  switch (document) {
    case 'config':
      return configJsonSchema(registry);
    case 'rules':
      return (await import('../../pricing/bundle/json-schema.ts')).bundleJsonSchema();
    case 'events': {
      const events = await eventCatalogue(registry, [...tillEmissions, ...pricingEmissions]);
      return {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: 'Barrow events',
        oneOf: [...events.keys()].map((type) => ({ $ref: `#/$defs/${type}` })),
        $defs: Object.fromEntries([...events.values()].map((emission) => [emission.type, eventJsonSchema(emission)])),
      };
    }
    case 'asyncapi':
      return asyncApi(packageVersion(), await eventCatalogue(registry, [...tillEmissions, ...pricingEmissions]));
  }
}
