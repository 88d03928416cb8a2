import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openArrivalReports } from '../../router/experiments/index.ts';
import { openState } from '../../router/state/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { layVerdict } from '../helpers/verdicts.ts';
import { cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const CONFIG = `
artifact: served
providers: { openai: { kind: openai }, first: { kind: openai-compatible, base_url: 'http://127.0.0.1:9/v1' } }
models: { first/tiny-cheap-1: {}, first/tiny-strong-1: {} }
ladder: { cheap: first/tiny-cheap-1, strong: first/tiny-strong-1 }
profiles: { next: {} }
decision_log: { to: state }
state: { kind: sqlite, url: state.db }
experiments:
  try:
    kind: split
    arms: { now: { profile: default, weight: 0.5 }, new: { profile: next, weight: 0.5 } }
  dark:
    kind: shadow
    to: { models: [openai/gpt-6-sol] }
    spend: { 24h: 5 usd }
`;

/** A folder with the configuration, and the artifact that it serves with a PASS. */
async function place(config = CONFIG): Promise<string> {
  const cwd = scratchFolder();
  cpSync((await tinyArtifact()).folder, path.join(cwd, 'served'), { recursive: true });
  layVerdict(path.join(cwd, 'served'));
  writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), config);
  return cwd;
}

function record(i: number, arm: string, startedMs: number, cost: number) {
  return {
    schema_version: 1,
    id: `dec_${i}`,
    time: new Date(startedMs + i).toISOString(),
    operation: 'chat',
    reason: 'within-threshold',
    status: 200,
    ended: 'whole',
    attempts: [],
    cost_usd: cost,
    duration_ms: 100,
    experiment: { name: 'try', arm, propensity: 0.5, unit: `${i}` },
  };
}

/** 300 requests an arm, of which the new one costs half as much. */
const records = (startedMs: number) =>
  Array.from({ length: 600 }, (_, i) => {
    const isNew = (i * 7919) % 600 < 300;
    return record(
      i,
      isNew ? 'new' : 'now',
      startedMs,
      (isNew ? 0.01 : 0.02) * (0.5 + ((i * 31) % 100) / 100),
    );
  });

describe('plimsoll experiment', () => {
  it('status counts what arrived before the oldest request at work, and says how many wait', async () => {
    const cwd = await place();
    const started = jsonOf(await cli(['experiment', 'start', 'try', '--json'], { cwd }));
    const startedMs = Date.parse(started['started_at'] as string);
    const { documents, log, close } = await openState({
      kind: 'sqlite',
      url: path.join(cwd, 'state.db'),
      migrate: 'auto',
    });
    const stored = records(startedMs).map((one) => ({
      id: one.id,
      timeMs: Date.parse(one.time),
      body: JSON.stringify(one),
    }));
    await log.append('decisions', stored.toReversed());
    const reports = openArrivalReports({ documents, flush: async () => {}, nowMs: () => startedMs + 200 });
    await reports.begin();
    const shown = await cli(['experiment', 'status', 'try'], { cwd });
    expect(shown.stdout).toContain(
      '400 more have ended, and are counted once all that came before them have.',
    );
    const json = jsonOf(await cli(['experiment', 'status', 'try', '--json'], { cwd }));
    expect(json['experiments']).toMatchObject([{ waiting: 400 }]);
    await reports.close();
    const later = await cli(['experiment', 'status', 'try'], { cwd });
    expect(later.stdout).not.toContain('more have ended');
    await close();
  });

  it('start, status and stop: one after the other, by the state', async () => {
    const cwd = await place();
    const started = jsonOf(await cli(['experiment', 'start', 'try', '--json'], { cwd }));
    expect(started).toMatchObject({ experiment: 'try', status: 'running' });
    const startedMs = Date.parse(started['started_at'] as string);

    const state = await openState({ kind: 'sqlite', url: path.join(cwd, 'state.db'), migrate: 'auto' });
    const log = records(startedMs).map((one) => ({
      id: one.id,
      timeMs: Date.parse(one.time),
      body: JSON.stringify(one),
    }));
    await state.log.append('decisions', log);
    await state.close();

    const shown = await cli(['experiment', 'status', 'try'], { cwd });
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/^try: split on default, running, since /);
    expect(shown.stdout).toMatch(/^now +300 +300 +1 +0\.0\d+ +100 +– +– +\d/m);
    expect(shown.stdout).toMatch(/^new - now, cost_usd: -0\.0\d+ \(-0\.0\d+ to -0\.0\d+\), found$/m);
    expect(shown.stdout).toContain('Shares of the arms: as intended.');

    const json = jsonOf(await cli(['experiment', 'status', '--json'], { cwd }));
    expect(json['experiments']).toMatchObject([
      {
        experiment: 'try',
        status: 'running',
        sample_ratio: { alarm: false },
        arms: [
          { arm: 'now', requests: 300, differences: { cost_usd: null } },
          { arm: 'new', requests: 300, differences: { cost_usd: { high: expect.any(Number) } } },
        ],
      },
      { experiment: 'dark', status: 'not-started', kind: 'shadow' },
    ]);

    await expectRefusalOf(['experiment', 'start', 'try'], cwd, /has been running since/);
    expect((await cli(['experiment', 'stop', 'try'], { cwd })).stdout).toMatch(/^try is stopped/);
    await expectRefusalOf(['experiment', 'stop', 'try'], cwd, /is stopped already/);
    expect((await cli(['experiment', 'status', 'try'], { cwd })).stdout).toMatch(
      /^try: split on default, stopped/,
    );
    expect((await cli(['budget'], { cwd })).stdout).toMatch(/^experiment=dark +24h usd +5\.000000/m);
  });

  it('start is refused if the artifact of an arm has expired', async () => {
    const { folder } = await tinyArtifact();
    const cwd = await place(CONFIG.replace('next: {}', 'next: { artifact: expired }'));
    cpSync(folder, path.join(cwd, 'expired'), { recursive: true });
    layVerdict(path.join(cwd, 'expired'), { issued: new Date(Date.now() - 91 * 86_400_000).toISOString() });
    const refused = await cli(['experiment', 'start', 'try'], { cwd });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/expired on .*Gate it again/)]);
    const allowed = await place(
      `${CONFIG.replace('next: {}', 'next: { artifact: expired }')}allow_ungated: true\n`,
    );
    cpSync(path.join(cwd, 'expired'), path.join(allowed, 'expired'), { recursive: true });
    expect((await cli(['experiment', 'start', 'try'], { cwd: allowed })).stdout).toMatch(/^try is started/);
  });

  it.each([
    ['nope/x', 'there is no model "nope/x"'],
    ['human/support', 'experiments.dark.to.models names people (human/support)'],
  ])('start is refused for what a server would refuse: a shadow of %s', async (model, why) => {
    const people = 'people: { support: { cost_per_minute_usd: 0.6, minutes: 4 } }\n';
    const cwd = await place(CONFIG.replace('openai/gpt-6-sol', model) + people);
    const refused = await cli(['experiment', 'start', 'dark'], { cwd });
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain(why);
  });

  it('status of a shadow says what is left of its cap', async () => {
    const cwd = await place();
    expect((await cli(['experiment', 'start', 'dark'], { cwd })).code).toBe(0);
    const state = await openState({ kind: 'sqlite', url: path.join(cwd, 'state.db'), migrate: 'auto' });
    const timeMs = Date.now();
    const window = {
      scope: 'experiment=dark',
      window: '24h usd',
      startMs: timeMs - 1_000,
      endMs: timeMs + 1e6,
    };
    const entry = {
      id: 'call',
      keyId: 'none',
      timeMs,
      model: 'openai/gpt-6-sol',
      inputTokens: 1,
      outputTokens: 1,
    };
    await state.ledger.settle([
      { ...entry, nanoUsd: 1_250_000_000, charges: [{ ...window, amount: 1_250_000_000 }] },
    ]);
    await state.close();
    const shown = await cli(['experiment', 'status', 'dark'], { cwd });
    expect(shown.stdout).toMatch(/^Spent or reserved: 1\.25\d* of 5\S* USD \(24h usd\), until \d{4}-/m);
    const json = jsonOf(await cli(['experiment', 'status', 'dark', '--json'], { cwd }));
    expect(json['experiments']).toMatchObject([
      { spend: { window: '24h usd', settled_usd: 1.25, reserved_usd: 0, cap_usd: 5 } },
    ]);
  });

  it('a decision log that is a file, by its name', async () => {
    const cwd = await place(CONFIG.replace('{ to: state }', '{ to: file, file: decisions.jsonl }'));
    const started = jsonOf(await cli(['experiment', 'start', 'try', '--json'], { cwd }));
    const lines = records(Date.parse(started['started_at'] as string)).map((one) => JSON.stringify(one));
    writeFileSync(path.join(cwd, 'decisions.jsonl'), `${lines.join('\n')}\n`);
    writeFileSync(path.join(cwd, 'half.jsonl'), `${lines.slice(0, 100).join('\n')}\n`);
    const whole = jsonOf(await cli(['experiment', 'status', 'try', '--json'], { cwd }));
    expect(whole['experiments']).toMatchObject([{ arms: [{ requests: 300 }, { requests: 300 }] }]);
    const half = jsonOf(await cli(['experiment', 'status', 'try', '--json', '--log', 'half.jsonl'], { cwd }));
    const arms = (half['experiments'] as { arms: { requests: number }[] }[])[0]!.arms;
    expect(arms[0]!.requests + arms[1]!.requests).toBe(100);
    await expectRefusalOf(['experiment', 'status', '--log', 'none.jsonl'], cwd, /no decision log at none/);
  });

  it('what it is not given is said', async () => {
    const cwd = await place();
    await expectRefusalOf(
      ['experiment', 'start', 'tyr'],
      cwd,
      /no experiment "tyr"\. Did you mean "try"\? There are: try, dark/,
    );
    await expectRefusalOf(['experiment', 'status'], cwd, /There is no state at state\.db yet/);
    await expectRefusalOf(['experiment', 'status'], await place(''), /has no experiments/);
  });
});

async function expectRefusalOf(args: readonly string[], cwd: string, message: RegExp): Promise<void> {
  expectRefusal(await cli([...args], { cwd }), message);
}
