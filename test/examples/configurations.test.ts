import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { parse as parseToml } from 'smol-toml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { configSchema } from '../../router/config/index.ts';
import type { LadderGateway } from '../clients/ladder-gateway.ts';
import { EXAMPLES, startForExamples } from './running-example.ts';

const read = (file: string) => readFileSync(path.join(EXAMPLES, file), 'utf8');
const LOCAL = 'http://127.0.0.1:8787';

let gateway: LadderGateway;
beforeAll(async () => {
  gateway = await startForExamples();
});
afterAll(() => gateway.close());

/** The output of a tool, or undefined if this machine does not have it. */
function outputOf(tool: string, args: readonly string[]): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error && 'code' in error && error.code === 'ENOENT') return undefined;
  expect(status, stderr).toBe(0);
  return stdout;
}

// `npm run clients` gives this file to Claude Code itself. The schema that it names is on the web and is not checked here.
test('the settings of Claude Code lead an Anthropic client to the gateway', async () => {
  const { model, env } = JSON.parse(read('claude-code/settings.json')) as {
    readonly model: string;
    readonly env: Readonly<Record<string, string>>;
  };
  expect(Object.keys(env)).toEqual([
    'ANTHROPIC_BASE_URL',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_SMALL_FAST_MODEL',
  ]);
  const client = new Anthropic({
    baseURL: env['ANTHROPIC_BASE_URL']!.replace(LOCAL, gateway.url),
    authToken: env['ANTHROPIC_AUTH_TOKEN']!,
    apiKey: null,
  });
  for (const name of [model, env['ANTHROPIC_SMALL_FAST_MODEL']!]) {
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    expect((await client.messages.create({ model: name, max_tokens: 100, messages })).content).toHaveLength(
      1,
    );
  }
});

// `npm run clients` gives this file to Codex itself, which refuses fields that it does not know.
test('the configuration of Codex leads an OpenAI client to the gateway', async () => {
  const { model, model_provider, model_providers } = parseToml(read('codex/config.toml')) as {
    readonly model: string;
    readonly model_provider: string;
    readonly model_providers: Readonly<
      Record<string, { readonly base_url: string; readonly wire_api: string }>
    >;
  };
  const { base_url, wire_api } = model_providers[model_provider]!;
  const client = new OpenAI({ baseURL: base_url.replace(LOCAL, gateway.url), apiKey: 'unused-on-loopback' });
  expect(wire_api).toBe('responses');
  expect((await client.responses.create({ model, input: 'Hi', store: false })).output_text).toMatch(/\w/);
});

test('Prometheus scrapes what is served, with a key, and promtool accepts the file where it is installed', async () => {
  const file = 'prometheus-grafana/prometheus.yml';
  const { scrape_configs } = parseYaml(read(file)) as {
    readonly scrape_configs: readonly { readonly metrics_path?: string }[];
  };
  for (const { metrics_path = '/metrics' } of scrape_configs)
    expect(await (await fetch(`${gateway.url}${metrics_path}`)).text()).toContain('# TYPE plimsoll_');
  outputOf('promtool', ['check', 'config', '--syntax-only', path.join(EXAMPLES, file)]);
});

// No validator of compose files or of Grafana's provisioning runs here.
test('the compose file mounts files that there are, and Grafana gets the dashboard of the docs', () => {
  const { services } = parseYaml(read('prometheus-grafana/compose.yaml')) as {
    readonly services: Readonly<
      Record<string, { readonly volumes: readonly string[]; readonly environment?: Record<string, string> }>
    >;
  };
  const mounts = new Map(
    Object.values(services)
      .flatMap(({ volumes }) => volumes)
      .map((volume) => volume.split(':'))
      .map(([from, to]) => [to!, path.join(EXAMPLES, 'prometheus-grafana', from!)]),
  );
  for (const from of mounts.values()) expect(existsSync(from), from).toBe(true);
  const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  expect(existsSync(path.join(mounts.get(path.posix.dirname(home))!, path.basename(home)))).toBe(true);
  const { providers } = parseYaml(read('prometheus-grafana/grafana/dashboards.yaml'));
  expect(providers[0].options.path).toBe(path.posix.dirname(home));
  const { datasources } = parseYaml(read('prometheus-grafana/grafana/datasource.yaml'));
  expect(Object.keys(services)).toContain(new URL(datasources[0].url).hostname);
});

test('Kubernetes gets a configuration that is one, and kubectl builds the manifests where it is installed', () => {
  const config = parseYaml(read('kubernetes/plimsoll.config.yaml'));
  expect(configSchema.safeParse(config).error).toBeUndefined();
  const built = outputOf('kubectl', ['kustomize', path.join(EXAMPLES, 'kubernetes')]);
  if (built === undefined) return;
  const name = /^ {2}name: (plimsoll-\w+)$/m.exec(built)?.[1];
  expect(built.split('---').map((one) => /^kind: (\w+)/m.exec(one)?.[1])).toContain('Deployment');
  expect(built).toMatch(new RegExp(`configMap:\\n +name: ${name}\\n`));
  expect(built).toContain('image: registry.example.com/plimsoll:0.1.0');
});
