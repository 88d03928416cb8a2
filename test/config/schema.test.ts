import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { redisSchema, stateSchema } from '../../router/config/state-schema.ts';
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

test.each([
  'redis://:hunter2@cache:6379',
  'rediss://default:hunter2@cache',
  'redis+tls://default:hunter2@cache',
  'redis://:hun/ter2@cache',
  'redis://cache:6379/0?password=hunter2',
])('a password in redis.url points to url_env, and is not repeated: %s', (url) => {
  const [issue, ...further] = redisSchema.safeParse({ url }).error?.issues ?? [];
  expect(issue).toMatchObject({ path: ['url'], message: expect.stringMatching(/no password.* url_env$/) });
  expect(further).toEqual([]);
  expect(JSON.stringify(issue)).not.toMatch(/hunter2|hun\/ter2|PGPASSWORD/);
});

test('an address without a password is one of Redis', () => {
  for (const url of ['redis://cache:6379', 'rediss://cache:6379/1', 'redis://user@cache'])
    expect(redisSchema.parse({ url }).url).toBe(url);
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
