import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { stateSchema } from '../../router/config/state-schema.ts';
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

test('an address is no file of SQLite', () => {
  for (const url of ['sqlite:/tmp/x', 'file:state.db', 'postgres://plimsoll@db/plimsoll']) {
    const { error } = stateSchema.safeParse({ kind: 'sqlite', url });
    expect(error?.issues).toMatchObject([
      { path: ['url'], message: expect.stringMatching(/path of a file .* write kind: postgres/) },
    ]);
  }
  for (const url of ['/var/lib/state.db', 'state.db', 'C:\\plimsoll\\state.db']) {
    expect(stateSchema.parse({ kind: 'sqlite', url }).url).toBe(url);
  }
  const url = 'postgres://plimsoll@db/plimsoll';
  expect(stateSchema.parse({ kind: 'postgres', url }).url).toBe(url);
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
