import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchFolder } from '../cli/run-cli.ts';
import { EXCHANGES, type Exchange } from './exchanges.ts';
import { expectPinned, PINS, UPDATING } from './pinned.ts';
import { plimsoll, serve, stopServers } from './plimsoll.ts';
import { type ScriptedProvider, startScriptedProvider } from './scripted-provider.ts';
import { sent, transcriptOf } from './transcript.ts';

const PROVIDER_KEY = 'key-of-the-provider';
const KEY_VARIABLE = 'PLIMSOLL_PINS_KEY';

let provider: ScriptedProvider;
let main: string;
let guarded: string;
let key: string;

/** The shipped artifact in front of one provider, which stands for all of them. */
function configOf(url: string) {
  const of = (kind: string, base: string) => ({ kind, base_url: `${url}${base}`, api_key_env: KEY_VARIABLE });
  return {
    allow_ungated: true,
    policies: { thrifty: { threshold: 0.4, version: 3 } },
    ladder: { cheap: 'openai/gpt-4o-mini', strong: 'openai/gpt-4o' },
    providers: {
      openai: of('openai', '/v1'),
      anthropic: of('anthropic', '/v1'),
      google: of('google', '/v1beta'),
      local: { ...of('openai-compatible', '/local/v1'), headers: { 'x-team': 'pins' } },
      keyless: { kind: 'openai', base_url: `${url}/v1`, api_key_env: 'PLIMSOLL_PINS_KEY_THAT_IS_NOT_SET' },
    },
    models: {
      'openai/text-embedding-3-small': { price: { input: 0.02, output: 0 } },
      'google/gemini-embedding-001': {},
      'local/qwen3': { price: { input: 0, output: 0 } },
      'local/plain': { capabilities: [], context_window: 4_096 },
      'local/tools': { capabilities: ['tools'], context_window: 4_096 },
      'keyless/model': {},
    },
    profiles: {
      claude: { ladder: { cheap: 'anthropic/claude-haiku-4-5', strong: 'anthropic/claude-sonnet-5' } },
      gemini: { ladder: { cheap: 'google/gemini-2.5-flash', strong: 'google/gemini-2.5-pro' } },
      mixed: { ladder: { cheap: 'local/qwen3', strong: 'anthropic/claude-sonnet-5' } },
      plain: { ladder: { cheap: 'local/plain', strong: 'local/tools' } },
    },
    aliases: { 'claude-*': 'auto:claude' },
    upstream: {
      retry: { max_retries: 1, initial_wait_ms: 1, max_wait_ms: 2, budget_ms: 5_000 },
      breaker: { failure_share: 0.99, window: 1_000, min_attempts: 1_000 }, // never opens: exchanges do not depend on the failures before them
      fallbacks: { 'anthropic/claude-sonnet-5': ['openai/gpt-4o'] },
    },
    reload_interval_ms: 0,
  };
}

const LIMITS = {
  access: { keys_file: 'keys.json' },
  gateway: { max_body_bytes: 4_096, max_concurrency: 1, max_queue: 0 },
  server: { max_body_bytes: 2_048, max_messages: 4, max_json_depth: 20 },
};

beforeAll(async () => {
  provider = await startScriptedProvider();
  const folder = scratchFolder();
  const made = await plimsoll(['keys', 'create', '--name', 'pins', '--file', 'keys.json'], folder);
  expect(made.code, made.stderr).toBe(0);
  key = made.stdout.trim();
  const config = configOf(provider.url);
  writeFileSync(path.join(folder, 'main.yaml'), JSON.stringify(config)); // JSON is YAML
  writeFileSync(path.join(folder, 'guarded.yaml'), JSON.stringify({ ...config, ...LIMITS }));
  const env = { [KEY_VARIABLE]: PROVIDER_KEY };
  [main, guarded] = await Promise.all([
    serve(['--config', 'main.yaml'], folder, env),
    serve(['--config', 'guarded.yaml'], folder, env),
  ]);
});

afterAll(async () => {
  await stopServers();
  await provider.close();
});

/** Metrics are counted within 100 ms. */
const COUNTED_MS = 500;

test.each(EXCHANGES.map((exchange) => [exchange.name, exchange] as const))('%s', async (name, exchange) => {
  if (name === 'metrics') await pause(COUNTED_MS);
  provider.script(exchange.replies ?? []);
  const responded = exchange.whileBusy ? await whileBusy(exchange) : await outcomeOf(exchange);
  const secrets = { [key]: '<key>', [provider.url]: '<provider>' };
  const transcript = transcriptOf(exchange, provider.received(), responded, secrets);
  expectPinned(`transcripts/${name}.txt`, transcript);
});

function outcomeOf(exchange: Exchange) {
  const headers = Object.entries(exchange.headers ?? {});
  const withKey = headers.map(([name, value]) => [name, value.replace('<key>', key)]);
  const url = exchange.server === 'guarded' ? guarded : main;
  return sent({ ...exchange, headers: Object.fromEntries(withKey) }, url);
}

/** Sends it while the provider is still at work on another call. */
async function whileBusy(exchange: Exchange) {
  let release = () => {};
  const after = new Promise<void>((resolve) => {
    release = resolve;
  });
  provider.script([{ after }]);
  const first = outcomeOf({ ...exchange, path: '/v1/chat/completions' });
  while (provider.received().length === 0) await pause(5);
  const responded = await outcomeOf(exchange);
  release();
  await first;
  return responded;
}

test('there is a fixture for each exchange, and no other', () => {
  const folder = path.join(PINS, 'transcripts');
  const expected = EXCHANGES.map(({ name }) => `${name}.txt`).sort();
  if (UPDATING) {
    for (const file of readdirSync(folder)) if (!expected.includes(file)) rmSync(path.join(folder, file));
  }
  expect(readdirSync(folder).sort()).toEqual(expected);
});
