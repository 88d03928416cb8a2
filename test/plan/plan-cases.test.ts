import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cli, jsonOf, scratchFolder } from '../cli/run-cli.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';

const [CHEAP, STRONG] = ['tiny-cheap-1', 'tiny-strong-1'];

/** A folder with two configurations and labelled cases; of the last one the strong model has no label. */
async function place() {
  const cwd = scratchFolder();
  const { folder, easy, hard } = await tinyArtifact();
  cpSync(folder, path.join(cwd, 'served'), { recursive: true });
  const config = (policy: string) => `
artifact: served
allow_ungated: true
providers: { first: { kind: openai-compatible, base_url: 'http://127.0.0.1:9/v1' } }
ladder: { cheap: first/${CHEAP}, strong: first/${STRONG} }
models: { first/${CHEAP}: { price: { input: 1, output: 2 } }, first/${STRONG}: { price: { input: 10, output: 20 } } }
default_policy: ${policy}
policies: { all: { threshold: 1, version: 1 } }
`;
  writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), config('always-strong'));
  writeFileSync(path.join(cwd, 'changed.yaml'), config('all'));
  const tokens = { input_tokens: 100, output_tokens: 50 };
  const rows = [...easy.slice(0, 20), ...hard.slice(0, 20)].map((prompt, i) => ({
    prompt,
    outcomes: {
      [CHEAP!]: { quality: i < 20 ? 1 : 0, ...tokens },
      ...(i < 39 && { [STRONG!]: { quality: 1, ...tokens } }),
    },
  }));
  writeFileSync(path.join(cwd, 'cases.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return cwd;
}

test('labelled cases are routed by both configurations, and their labels compared, with an interval', async () => {
  const cwd = await place();
  const asked = ['plan', '--from', 'cases.jsonl', '--config', 'changed.yaml'];
  const found = jsonOf(await cli([...asked, '--json'], { cwd })) as unknown as {
    cases: number;
    quality: { before: { mean: number }; after: { mean: number }; change: Record<string, number> };
    cost_usd: { before: { mean: number }; after: { mean: number } };
  };
  expect(found).toMatchObject({
    ...{ schema_version: 1, cases: 40, planned: 40, refused: 0, flipped: 40, unlabelled: 1 },
    moves: [{ from: `first/${STRONG}`, to: `first/${CHEAP}`, requests: 40 }],
  });
  // 19 of the 39 that have both labels lose a whole point.
  expect(found.quality.before.mean).toBe(1);
  expect(found.quality.change['mean']).toBeCloseTo(-19 / 39, 12);
  const half = 1.959964 * Math.sqrt(((19 / 39) * (20 / 39) * (39 / 38)) / 39);
  expect(found.quality.change['low']).toBeCloseTo(-19 / 39 - half, 9);
  expect(found.quality.change['high']).toBeCloseTo(-19 / 39 + half, 9);
  expect(found.cost_usd.before.mean).toBeCloseTo((100 * 10 + 50 * 20) / 1e6, 12);
  expect(found.cost_usd.after.mean).toBeCloseTo((100 * 1 + 50 * 2) / 1e6, 12);
  const text = await cli(asked, { cwd });
  expect(text.stdout).toMatch(/^40 of 40 requests \(100\.0 %\) would go to another model/);
  expect(text.stdout).toMatch(/^quality, as labelled \(n 39\) +1\.0000 +0\.5128 +−0\.4872 \(/m);
  const markdown = await cli([...asked, '--format', 'markdown'], { cwd });
  expect(markdown.stdout).toContain('| quality, as labelled (n 39) |');
});

test('nothing changes without a change, and the changed configuration has to be named', async () => {
  const cwd = await place();
  const same = [
    'plan',
    '--from',
    'cases.jsonl',
    '--config',
    'changed.yaml',
    '--present',
    'changed.yaml',
    '--json',
  ];
  const found = jsonOf(await cli(same, { cwd }));
  expect(found).toMatchObject({ flipped: 0, moves: [], quality: { change: { mean: 0, low: 0, high: 0 } } });
  const refused = await cli(['plan', '--from', 'cases.jsonl'], { cwd });
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('--config names the changed configuration'),
  ]);
});
