import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { priceAges } from '../../router/catalog/index.ts';
import { cli, scratchFolder } from './run-cli.ts';

const NONE = { providers: {}, models: {} };

test('days are counted from the day on which prices were read', () => {
  const [first] = priceAges(NONE, new Date('2030-01-01T12:00:00Z'));
  const read = Date.parse(first!.asOf);
  const at = (ms: number) => priceAges(NONE, new Date(read + ms))[0]!.days;
  expect([at(0), at(86_399_999), at(86_400_000)]).toEqual([0, 0, 1]);
});

test('only of configured providers, without the prices that the configuration gives', () => {
  const providers = { mine: { kind: 'openai' as const } };
  const [all, ...others] = priceAges({ providers, models: {} }, new Date());
  expect([all!.kind, others]).toEqual(['openai', []]);
  const price = { inputUsd: 1, outputUsd: 1 };
  const own = Object.fromEntries(all!.models.map((id) => [`mine/${id}`, { price }]));
  expect(priceAges({ providers, models: own }, new Date())).toEqual([]);
  const { [`mine/${all!.models[0]}`]: _, ...most } = own;
  expect(priceAges({ providers, models: most }, new Date())[0]!.models).toEqual([all!.models[0]]);
});

test('the command: exit 1 and the names if prices are old, else 0', async () => {
  const cwd = scratchFolder();
  writeFileSync(
    path.join(cwd, 'plimsoll.config.yaml'),
    'providers: { a: { kind: mistral }, b: { kind: openai } }',
  );
  const old = await cli(['prices', 'check', '--max-age-days', '0'], { cwd });
  expect(old).toMatchObject({ code: 1, stderr: '' });
  expect(old.stdout).toContain('Prices of openai, mistral are older than 0 days');
  const young = await cli(['prices', 'check', '--max-age-days', '99999', '--json'], { cwd });
  expect(young.code).toBe(0);
  const { ok, prices } = JSON.parse(young.stdout);
  expect([ok, prices.map(({ kind }: { kind: string }) => kind)]).toEqual([true, ['openai', 'mistral']]);
  const wrong = await cli(['prices', 'check', '--max-age-days', 'soon'], { cwd });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('whole number of days');
});
