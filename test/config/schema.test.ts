import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CONFIG_SCHEMA_FILE, configSchemaJson } from '../../scripts/generate-schemas.ts';

test('plimsoll.config.schema.json is what the schema in the code generates', () => {
  const hint = 'run `npx tsx scripts/generate-schemas.ts`';
  expect(readFileSync(CONFIG_SCHEMA_FILE, 'utf8'), hint).toBe(configSchemaJson());
});

test('docs/CONFIGURATION.md names every field', () => {
  const document = readFileSync(
    fileURLToPath(new URL('../../docs/CONFIGURATION.md', import.meta.url)),
    'utf8',
  );
  for (const field of fieldsOf(JSON.parse(configSchemaJson()))) expect(document).toContain(`\`${field}\``);
});

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
}

/** `server.port` and the like. */
function fieldsOf({ properties = {} }: Node, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, node]) => [
    `${prefix}${name}`,
    ...fieldsOf(node, `${prefix}${name}.`),
  ]);
}
