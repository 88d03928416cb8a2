import { describe, expect, it } from 'vitest';
import { LARGE, madeUpRows, rowsWithoutSignal, SMALL, writeRows } from './made-up-data.ts';
import { cli, jsonOf, scratchFolder } from './run-cli.ts';

const HOME = scratchFolder();
const BASELINES = ['always_cheap', 'always_strong', 'random', 'prompt_length', 'task_label', 'knn', 'oracle'];

const assess = (data: string, ...more: string[]) =>
  cli(['assess', '--data', data, '--cheap', SMALL, '--strong', LARGE, '--folds', '3', ...more]);

describe.concurrent('plimsoll assess', () => {
  it('--json: the figures and every baseline, the same each time, progress on stderr alone', async () => {
    const data = writeRows(HOME, 'cases.jsonl.gz', madeUpRows());
    const [first, second] = await Promise.all([assess(data, '--json'), assess(data, '--json')]);
    const report = jsonOf(first!);
    expect(second!.stdout).toBe(first!.stdout);
    expect(first!.stderr).toMatch(/^reading cases: 300 cases;.*\nembedding: .*cross-validation, fold: done/s);
    expect(report).toMatchObject({ n: 300, cheap: SMALL, strong: LARGE, folds: 3, routing_pays: true });
    expect(report.apgr).toBeGreaterThan(0.55);
    expect(report.apgr_interval.low).toBeLessThan(report.apgr);
    expect(report.cpt50).toBeLessThan(0.5);
    expect(report.cpt80).toBeLessThan(0.8);
    expect(report.quality.gap).toBeCloseTo(report.quality.strong - report.quality.cheap, 12);
    const { baselines } = report;
    expect(Object.keys(baselines)).toEqual(BASELINES);
    expect(baselines.always_cheap).toEqual({
      escalation_rate: 0,
      quality: report.quality.cheap,
      cost_usd: expect.closeTo(0.0001, 12),
    });
    expect(baselines.always_strong).toMatchObject({ escalation_rate: 1, quality: report.quality.strong });
    expect(baselines.random.apgr).toBeCloseTo(0.5, 12);
    expect(baselines.oracle.apgr).toBeGreaterThan(report.apgr);
  });

  it('on labels without any tie to the prompts: routing does not pay', async () => {
    const data = writeRows(HOME, 'without-signal.jsonl', rowsWithoutSignal());
    const { code, stdout, stderr } = await assess(data);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^300 cases; made-small 0\.\d{3} -> made-large 0\.\d{3}\n/);
    expect(stdout).toMatch(
      /\nRouting does not pay here: the classifier cannot be told from random escalation .*\n$/,
    );
  });
});
