import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadSuite } from '../../evals/gate/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { jsonLines } from './made-up-data.ts';
import { CLI, cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

/** The commands of docs/DESIGN-A-ROUTER.md, run in one folder. */
const HOME = scratchFolder();
const PAGE = readFileSync(path.join(PACKAGE_FOLDER, 'docs/DESIGN-A-ROUTER.md'), 'utf8');
const blockOf = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(PAGE)?.[1] ?? '';
const MODELS = ['openai/gpt-4o-mini', 'openai/gpt-4o'] as const;

const place = (name: string) => path.join(HOME, name);
const inHome = (...args: string[]) => cli(args, { cwd: HOME });

describe('the page about designs', () => {
  let shown = '';

  beforeAll(() => {
    writeFileSync(place('qualities.csv'), blockOf('csv').replace(/^# qualities\.csv\n/, ''));
    const script = blockOf('sh').replace('plimsoll', `"${process.execPath}" "${CLI}"`);
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
      cwd: HOME,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    shown = stdout;
  });

  it('shows what the command prints', () => expect(shown).toBe(blockOf('text')));

  it('writes a configuration that a server reads, and a suite that the gate takes', async () => {
    const { ladder, providers } = loadConfig(place('designed/plimsoll.config.yaml'), {});
    expect(ladder).toEqual({ cheap: MODELS[0], strong: MODELS[1] });
    expect(providers).toMatchObject({ openai: { kind: 'openai' } });
    expect(loadSuite(place('designed/suite.yaml')).suite).toMatchObject({
      name: 'design',
      max_quality_loss: 0.03,
    });
    const rows = Array.from({ length: 900 }, (_, i) => ({
      id: `r${i}`,
      prompt: `Made-up question ${i} about a river`,
      outcomes: { [MODELS[0]]: { quality: i % 4 === 0 ? 0 : 1 }, [MODELS[1]]: { quality: 1 } },
    }));
    writeFileSync(place('designed/cases.jsonl'), jsonLines(rows));
    writeFileSync(
      place('chosen.csv'),
      `id,model\n${rows.map(({ id }, i) => `${id},${MODELS[i % 4 === 0 ? 1 : 0]}\n`).join('')}`,
    );
    const gated = await inHome(
      'gate',
      '--decisions',
      'chosen.csv',
      '--suite',
      'designed/suite.yaml',
      '--ladder',
      MODELS.join(','),
    );
    expect(gated.code, gated.stderr).toBe(0);
    expect(gated.stdout).toMatch(/^PASS/m);
  });

  it('draws the frontier without a script', () => {
    const page = readFileSync(place('design.html'), 'utf8');
    expect(page).toMatch(/<svg[^>]*aria-label="Expected quality against the cost/);
    expect(page).not.toContain('<script');
  });

  it('does not write over a design', async () => {
    const args = [
      'design',
      '--share',
      'summary=1',
      '--tokens',
      '1/1',
      '--qualities',
      'qualities.csv',
      '--models',
      `small=${MODELS[0]},large=${MODELS[1]}`,
      '--write',
      'designed',
    ];
    expectRefusal(await inHome(...args), /designed\/plimsoll\.config\.yaml is there already.*--force/);
  });
});

describe('plimsoll design', () => {
  it('takes mix, qualities and costs from labelled cases', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({
      prompt: `Question ${i} about a harbour`,
      task: i % 5 === 0 ? 'sql' : 'chat',
      outcomes: {
        small: { quality: i % 5 === 0 ? i % 2 : 1, cost_usd: 0.001 },
        large: { quality: 1, cost_usd: 0.01 },
      },
    }));
    writeFileSync(place('labelled.jsonl'), jsonLines(rows));
    const found = jsonOf(
      await inHome('design', '--data', 'labelled.jsonl', '--models', 'small,large', '--json'),
    );
    expect(found).toMatchObject({
      schema_version: 1,
      advice: 'route',
      mix: {
        from: 'cases',
        requests: 400,
        tasks: [
          { task: 'chat', share: 0.8 },
          { task: 'sql', share: 0.2 },
        ],
      },
      ladder: [
        { candidate: 'cheap', model: 'small' },
        { candidate: 'strong', model: 'large' },
      ],
    });
    expect(found.policy.cost_usd.expected).toBeLessThan(0.01);
  });

  it('takes the mix from a decision log', async () => {
    const record = (task: string) => ({
      schema_version: 1,
      time: '2026-11-01T00:00:00.000Z',
      requested_model: 'auto',
      reason: 'within-threshold',
      status: 200,
      predicted_task: { task, probability: 0.9 },
      usage: { input_tokens: 900, output_tokens: 100 },
    });
    writeFileSync(place('decisions.jsonl'), jsonLines(['maths', 'maths', 'chat'].map(record)));
    const found = jsonOf(
      await inHome('design', '--from', 'decisions.jsonl', '--models', MODELS.join(','), '--json'),
    );
    expect(found.mix.tasks[0]).toMatchObject({ task: 'maths', input_tokens: 900, output_tokens: 100 });
    expect(found.assumptions.join(' ')).toContain('Your traffic is taken to be one more data set');
  });

  it('refuses a model that the public sets do not have, with the remedy', async () => {
    const args = [
      'design',
      '--share',
      'maths=1',
      '--tokens',
      '1/1',
      '--models',
      'openai/gpt-6-luna,openai/gpt-6-sol',
    ];
    expectRefusal(
      await inHome(...args),
      /Nothing can be said of openai\/gpt-6-luna: it is not in the public sets that ship\..* --qualities FILE/,
    );
  });

  it('takes tokens for labelled cases that say none, as its own advice says', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      prompt: `Question ${i} about a lake`,
      task: 'chat',
      outcomes: { small: { quality: i % 2 }, large: { quality: 1 } },
    }));
    writeFileSync(place('no-tokens.jsonl'), jsonLines(rows));
    const args = ['design', '--data', 'no-tokens.jsonl', '--models', `small=${MODELS[0]},large=${MODELS[1]}`];
    expectRefusal(await inHome(...args), /Give --tokens chat=400\/120, or --tokens 400\/120/);
    const found = jsonOf(await inHome(...args, '--tokens', '400/120', '--json'));
    expect(found.mix.tasks).toMatchObject([{ task: 'chat', input_tokens: 400, output_tokens: 120 }]);
  });
});

describe('plimsoll design --write', () => {
  const stated = ['design', '--share', 'summary=0.8,sql=0.2', '--tokens', '1000/200', '--margin', '0.03'];
  const models = ['--qualities', 'qualities.csv', '--models', `small=${MODELS[0]},large=${MODELS[1]}`];
  const designed = (...more: string[]) => inHome(...stated, ...models, ...more);

  it('takes over all that is configured but for the ladder', async () => {
    const own = `providers:
  openai:
    kind: openai
    base_url: https://proxy.example/v1
    api_key_env: PROXY_KEY
    headers: { x-team: search }
  local: { kind: openai-compatible, base_url: http://127.0.0.1:1/v1 }
models:
  openai/gpt-4o: { price: { input: 1, output: 4, cached: 0.5 }, context_window: 64000 }
  local/tiny: { price: { input: 0, output: 0 } }
ladder: { cheap: local/tiny, strong: openai/gpt-4o }
default_policy: always-cheap
upstream: { deadline_ms: 9000 }
limits: [{ windows: [{ 24h: 10 usd }] }]
`;
    writeFileSync(place('own.yaml'), own);
    const run = await designed('--config', 'own.yaml', '--write', 'kept', '--price', `${MODELS[0]}=0.2/0.8`);
    expect(run.code, run.stderr).toBe(0);
    const text = readFileSync(place('kept/plimsoll.config.yaml'), 'utf8');
    const [before, after] = [parse(own), parse(text)];
    expect(after).toMatchObject({
      providers: before.providers,
      models: { ...before.models, [MODELS[0]]: { price: { input: 0.2, output: 0.8 } } },
      ladder: { cheap: MODELS[0], strong: MODELS[1] },
      default_policy: 'always-strong',
      upstream: before.upstream,
      limits: before.limits,
    });
    expect(text).toMatch(/^# Not taken over, .*: default_policy\.$/m);
    expect(loadConfig(place('kept/plimsoll.config.yaml'), {}).models[MODELS[1]]).toMatchObject({
      price: { inputUsd: 1, outputUsd: 4, cachedInputUsd: 0.5 },
    });
  });

  it.each(['a-file', 'a-file/below'])('refuses %s, which no folder can be', async (folder) => {
    writeFileSync(place('a-file'), 'kept');
    expectRefusal(
      await designed('--write', folder, '--force'),
      /--write: a-file is a file, not a folder\. Name another folder/,
    );
    expect(readFileSync(place('a-file'), 'utf8')).toBe('kept');
  });

  it('refuses an empty name', async () => {
    expectRefusal(await designed('--write', ''), /--write names no folder\. Name one/);
  });

  it('prints commands that a shell takes, whatever the folder is called', async () => {
    const folder = "it's a design";
    const { stdout, code, stderr } = await designed('--write', folder);
    expect(code, stderr).toBe(0);
    const commands = stdout.split('\n').filter((line) => line.startsWith('  npm run -s plimsoll -- '));
    const words = commands.map((line) => {
      const { stdout: split } = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
      return split.split('\0');
    });
    expect(words.map((one) => one[5])).toEqual(['label', 'train', 'gate']);
    expect(words[0]).toContain(`${folder}/plimsoll.config.yaml`);
    expect(words[1]).toContain(`${folder}/cases.jsonl`);
    expect(words[2]).toContain(`${folder}/suite.yaml`);
  });
});
