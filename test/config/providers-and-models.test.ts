import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../router/config/index.ts';

function load(yaml: string): Config {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'plimsoll-catalog-')), 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig(file, {});
}

function refusal(yaml: string): string {
  try {
    load(yaml);
  } catch (error) {
    expect(error).toMatchObject({ name: 'PlimsollError', code: 'invalid-config' });
    return (error as Error).message;
  }
  throw new Error('the configuration was taken');
}

const provider = (fields: string): string => `providers:\n  own: { ${fields} }\n`;

test('without providers and models there are none', () => {
  expect(load('{}')).toMatchObject({ providers: {}, models: {} });
});

test('what is written down comes through, and a second reading changes nothing', () => {
  const { providers, models } = load(`
providers:
  openai: { kind: openai }
  my.box-1: { kind: openai-compatible, base_url: "http://127.0.0.1:11434/v1", headers: { x-team: blue } }
models:
  my.box-1/meta-llama/llama3.2:1b: { price: { input: 0, output: 0 }, capabilities: [tools], local: true }
`);
  expect(providers).toEqual({
    openai: { kind: 'openai' },
    'my.box-1': {
      kind: 'openai-compatible',
      baseUrl: 'http://127.0.0.1:11434/v1',
      headers: { 'x-team': 'blue' },
    },
  });
  expect(models).toEqual({
    'my.box-1/meta-llama/llama3.2:1b': {
      price: { inputUsd: 0, outputUsd: 0 },
      capabilities: ['tools'],
      local: true,
    },
  });
});

describe('what is refused, by field and reason', () => {
  test.each([
    ['kind: openai, base_url: "ftp://x/v1"', 'providers.own.base_url', /http:\/\/ or https:\/\//],
    ['kind: openai, base_url: "file:///etc/passwd"', 'providers.own.base_url', /http:\/\/ or https:\/\//],
    ['kind: openai, base_url: "localhost:11434"', 'providers.own.base_url', /http/],
    ['kind: openai, base_url: "nothing"', 'providers.own.base_url', /no URL/],
    ['kind: openai, base_url: "https://u:hunter2@x/v1"', 'providers.own.base_url', /no user and password/],
    ['kind: openai, base_url: "https://x/v1?key=hunter2"', 'providers.own.base_url', /no query/],
    ['kind: openai-compatible', 'providers.own.base_url', /needs a base_url/],
    ['kind: openai, api_key: hunter2', 'providers.own.api_key', /keys never stand in this file.*api_key_env/],
    ['kind: openai, token: hunter2', 'providers.own.token', /keys never stand in this file/],
    [
      'kind: openai, headers: { Authorization: hunter2 }',
      'providers.own.headers.Authorization',
      /keys never/,
    ],
    ['kind: openai, headers: { X-Api-Key: hunter2 }', 'providers.own.headers.X-Api-Key', /keys never/],
    ['kind: openai, headers: { x: "a\\r\\nb" }', 'providers.own.headers.x', /one line/],
    ['kind: openai, headers: { "x y": a }', 'providers.own.headers.x y', /no name of an HTTP header/],
    ['kind: openai, bsae_url: "http://x"', 'providers.own.bsae_url', /Did you mean "base_url"\?$/],
    ['kind: opneai', 'providers.own.kind', /openai-compatible/],
  ])('%s', (fields, field, reason) => {
    const message = refusal(provider(fields));
    expect(message).toContain(`field "${field}":`);
    expect(message).toMatch(reason);
    expect(message).not.toContain('hunter2');
  });

  test.each([
    'sk-proj-abcdefghijklmnop',
    'sk-ant-api03-abcdef',
    'gsk_abcdefghijklmnopqrstuvwxyz123456',
    'AIzaSyA1234567890abcdefghijklmnopqrstuv',
    'AKIAIOSFODNN7EXAMPLE',
    '0123456789ABCDEF0123456789ABCDEF',
    'Bearer X',
    '$OPENAI_API_KEY',
  ])('a key where its name belongs: %s', (key) => {
    const message = refusal(provider(`kind: openai, api_key_env: "${key}"`));
    expect(message).toMatch(/"providers.own.api_key_env": api_key_env takes the NAME/);
    expect(message).not.toContain(key);
  });

  test.each(['OPENAI_API_KEY', 'KEY', 'TEAM_2_KEY', '_X', 'AZURE_OPENAI_API_KEY_WEST_EUROPE_2'])(
    'but not the name %s',
    (name) => {
      expect(load(provider(`kind: openai, api_key_env: ${name}`)).providers['own']).toEqual({
        kind: 'openai',
        apiKeyEnv: name,
      });
    },
  );

  test.each([
    ['kind: azure', 'base_url', /openai\.azure\.com/],
    [
      'kind: azure, base_url: "https://x", api_key_env: K, token_file: t',
      'token_file',
      /either a key or a token_file/,
    ],
    ['kind: vertex', 'project', /id of its project/],
    ['kind: vertex, project: My Project', 'project', /no id of a project/],
    ['kind: vertex, project: my-project, location: "eu/../x"', 'location', /europe-west1 or global/],
    ['kind: vertex-anthropic, project: my-project, api_key_env: K', 'api_key_env', /takes no keys/],
    ['kind: vertex-anthropic, project: my-project, api_key_envs: [K]', 'api_key_env', /takes no keys/],
    ['kind: openai, project: my-project', 'project', /only a provider of the kind vertex/],
    ['kind: openai, token_file: t', 'token_file', /only a provider of the kind azure/],
    ['kind: openai, api_key_env: K, api_key_envs: [L]', 'api_key_envs', /either api_key_env or api_key_envs/],
    ['kind: openai, api_key_envs: [K, K]', 'api_key_envs', /twice/],
    ['kind: openai, api_key_envs: [sk-proj-1234567890]', 'api_key_envs.0', /NAME of an environment variable/],
    ['kind: bedrock, api_key_envs: [K, L]', 'api_key_envs', /one key/],
  ])('of platforms and several keys: %s', (written, field, reason) => {
    const message = refusal(provider(written));
    expect(message).toContain(`field "providers.own.${field}"`);
    expect(message).toMatch(reason);
    expect(message).not.toContain('sk-proj');
  });

  test.each([
    ['providers: { a/b: { kind: openai } }', 'providers.a/b', /without a slash/],
    ['providers: { "": { kind: openai } }', 'providers.', /name of a provider/],
    ['models: { gpt-4o: {} }', 'models.gpt-4o', /<provider>\/<model>/],
    ['models: { "openai/gpt 4o": {} }', 'models.openai/gpt 4o', /<provider>\/<model>/],
    ['models: { o/m: { price: { input: 1 } } }', 'models.o/m.price.output', /number/],
    ['models: { o/m: { price: { input: -1, output: 1 } } }', 'models.o/m.price.input', />=0/],
    [
      'models: { o/m: { price: { input: 1, output: 1, cache_wirte: 1 } } }',
      'models.o/m.price',
      /cache_wirte/,
    ],
    [
      'models: { o/m: { price: { input: 1, output: 1, tiers: [{ above_input_tokens: 9, input: 2 }] } } }',
      'models.o/m.price.tiers.0.output',
      /number/,
    ],
    [
      'models: { o/m: { price: { input: 1, output: 1, tiers: [{ above_input_tokens: 9, input: 2, output: 2 }, { above_input_tokens: 9, input: 3, output: 3 }] } } }',
      'models.o/m.price.tiers',
      /shortest first/,
    ],
    ['models: { o/m: { context_window: 0 } }', 'models.o/m.context_window', />=1/],
    ['models: { o/m: { capabilities: [vision] } }', 'models.o/m.capabilities.0', /structured-output/],
  ])('%s', (yaml, field, reason) => {
    const message = refusal(yaml);
    expect(message).toContain(`field "${field}`);
    expect(message).toMatch(reason);
  });
});
