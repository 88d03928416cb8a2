import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli, ended, expectRefusal, jsonOf, scratchFolder, startCli } from './run-cli.ts';

function configured(text: string): string {
  const file = path.join(scratchFolder(), 'plimsoll.config.yaml');
  writeFileSync(file, text);
  return file;
}

const PROVIDERS = "providers:\n  p: { kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1' }\n";

test.each([
  ['a model that is none', `${PROVIDERS}ladder:\n  cheap: p/a\n  strong: q/b\n`, 4],
  ['an unknown field', `${PROVIDERS}laddder: {}\n`, 3],
  ['a wrong value', 'server:\n  port: many\n', 2],
  [
    'keys that are missing',
    "server:\n  host: 0.0.0.0\naccess:\n  required: true\nproviders:\n  p: { kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1' }\n",
    3,
  ],
  [
    'a limit without a price',
    `${PROVIDERS}ladder: { cheap: openai/a, strong: p/b }\nlimits:\n  - windows: [{ 24h: 1 usd }]\n`,
    3,
  ],
])('serve: %s is told with the file and the line', { timeout: 60_000 }, async (_, text, line) => {
  const file = configured(text);
  const refused = await cli(['serve', '--port', '0', '--allow-ungated', '--config', file]);
  expectRefusal(refused, /plimsoll\.config\.yaml, line \d+/);
  expect(refused.stderr).toContain(`${file}, line ${line}`);
});

test('serve --json: where it listens, once, on stdout', { timeout: 60_000 }, async () => {
  const child = startCli(['serve', '--port', '0', '--json']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const end = ended(child);
  const text = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk) => resolve(`${chunk}`)),
  );
  const { url, port, artifact, policy } = JSON.parse(text);
  expect({ artifact: artifact.name, policy }).toEqual({ artifact: 'starter', policy: 'default' });
  expect(url).toBe(`http://127.0.0.1:${port}`);
  const page = await (await fetch(`${url}/dashboard`)).text();
  expect(page).toContain('Made-up requests, for demonstration');
  expect(page).toMatch(/small-models<[\s\S]*large-models</);
  expect(page).toMatch(/npm run -s plimsoll -- demo/);
  expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ status: 'ready' });
  child.kill('SIGTERM');
  expect(jsonOf(await end)).toMatchObject({ port });
});

test('rules decide, sign: --json is one document', { timeout: 60_000 }, async () => {
  const folder = scratchFolder();
  mkdirSync(folder, { recursive: true });
  const cases = path.join(folder, 'cases.jsonl');
  writeFileSync(cases, '{"id":"1","prompt":"Hi there"}\n');
  const config = configured('rules: [{ name: one, use: cheap }]\n');
  const out = path.join(folder, 'chosen.jsonl');
  const decided = await cli(['rules', 'decide', cases, '--config', config, '--out', out, '--json']);
  expect(jsonOf(decided)).toEqual({ out, n: 1, ladder: ['small-models', 'large-models'] });
  const key = path.join(folder, 'gate');
  expect(jsonOf(await cli(['sign', '--new-key', key, '--json']))).toEqual({
    private_key: `${key}.pem`,
    public_key: `${key}.pub.pem`,
  });
});
