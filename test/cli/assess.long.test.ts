import { describe, expect, it } from 'vitest';
import { LONG_RUN } from '../helpers/long-run.ts';
import {
  LARGE,
  MEDIUM,
  madeUpRows,
  rowsWithoutSignal,
  rowsWithReplies,
  SMALL,
  writeRows,
} from './made-up-data.ts';
import { cli, jsonOf, scratchFolder } from './run-cli.ts';

const HOME = scratchFolder();
const BASELINES = ['always_cheap', 'always_strong', 'random', 'prompt_length', 'task_label', 'knn', 'oracle'];

const assess = (data: string, ...more: string[]) =>
  cli(['assess', '--data', data, '--cheap', SMALL, '--strong', LARGE, '--folds', '3', ...more]);

describe('plimsoll assess', () => {
  it('--json: the figures and every baseline, the same each time, progress on stderr alone', async () => {
    const data = writeRows(HOME, 'cases.jsonl.gz', madeUpRows());
    const first = await assess(data, '--json');
    const report = jsonOf(first);
    if (LONG_RUN) expect((await assess(data, '--json')).stdout).toBe(first.stdout);
    expect(first.stderr).toMatch(/^reading cases: 300 cases;.*\nembedding: .*cross-validation, fold: done/s);
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

describe('plimsoll assess --ladder', { timeout: 120_000 }, () => {
  it.runIf(LONG_RUN)(
    'routing, mix and pairs at equal cost, the same each time, as JSON and as text',
    async () => {
      const data = writeRows(HOME, 'ladder.jsonl', madeUpRows());
      const models = [SMALL, MEDIUM, LARGE];
      const ladder = (...more: string[]) =>
        cli(['assess', '--data', data, '--ladder', models.join(','), '--folds', '3', ...more]);
      const [first, second, text] = await Promise.all([ladder('--json'), ladder('--json'), ladder()]);
      const report = jsonOf(first!);
      expect(second!.stdout).toBe(first!.stdout);
      expect(report).toMatchObject({ n: 300, ladder: models, folds: 3 });
      expect(report.single_models.map(({ model }: { model: string }) => model)).toEqual(models);
      expect(report.points).toHaveLength(9);
      for (const point of report.points) {
        expect(point.cost_usd).toBeLessThanOrEqual(point.budget_usd + 1e-12);
        expect(point.excess).toBeCloseTo(point.quality - point.mix_quality, 12);
        const shares = models.map((model) => point.shares[model]);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        const [small, medium, large] = shares;
        expect(small * 0.0001 + medium * 0.001 + large * 0.01).toBeCloseTo(point.cost_usd, 12);
      }
      expect(report.mean_excess_interval.low).toBeLessThan(report.mean_excess);
      expect(models).toEqual(expect.arrayContaining(report.best_pair.models));
      expect(text!.stdout).toMatch(/^300 cases; made-small -> made-medium -> made-large\n/);
      expect(text!.stdout).toContain(report.conclusion);
      expect(report.conclusion).toContain(report.best_pair.models.join(' and '));
    },
  );

  it('of two has no pair beside it; what cannot be compared is refused', async () => {
    const data = writeRows(HOME, 'two.jsonl', madeUpRows());
    const noCosts = writeRows(HOME, 'no-costs.csv', madeUpRows());
    const run = (file: string, ...flags: string[]) =>
      cli(['assess', '--data', file, '--folds', '3', '--json', ...flags]);
    const [two, unpriced, both, none, reversed] = await Promise.all([
      run(data, '--ladder', `${SMALL},${LARGE}`),
      run(noCosts, '--ladder', `${SMALL},${LARGE}`),
      run(data, '--ladder', `${SMALL},${LARGE}`, '--cheap', SMALL),
      run(data),
      run(data, '--ladder', `${LARGE},${MEDIUM},${SMALL}`),
    ]);
    const { best_pair: pair, points } = jsonOf(two!);
    expect(pair).toBeNull();
    expect(points.every(({ best_pair: one }: { best_pair: unknown }) => one === null)).toBe(true);
    expect(unpriced!.code).not.toBe(0);
    expect(unpriced!.stderr).toMatch(/The case "row-0" does not say what made-small cost/);
    expect(both!.stderr).toMatch(/Give --ladder, or --cheap and --strong/);
    expect(none!.stderr).toMatch(/Name the candidates: --cheap MODEL --strong MODEL, or --ladder A,B,C/);
    expect(reversed!.stderr).toMatch(/made-small .* is no better than made-large/);
  });
});

describe('plimsoll assess --cascade', { timeout: 120_000 }, () => {
  const cascade = (data: string, ...more: string[]) => assess(data, '--cascade', ...more);

  it('with certain and uncertain replies: better than the prompt alone, at the price of both calls', async () => {
    const data = writeRows(HOME, 'replies.jsonl', rowsWithReplies());
    const [json, text] = await Promise.all([cascade(data, '--json'), cascade(data)]);
    const report = jsonOf(json!);
    expect(report).toMatchObject({
      n: 300,
      cheap: SMALL,
      strong: LARGE,
      routing_pays: true,
      known: { answer: 300, confidence_logprob: 270, mean_logprob: 0, finish_reason: 300 },
    });
    const { baselines, gains } = report;
    expect(Object.keys(baselines)).toEqual([
      'always_cheap',
      'always_strong',
      'always_both',
      'prompt_alone',
      'logprob_alone',
      'without_logprobs',
      'random',
      'oracle',
    ]);
    expect(report.apgr).toBeGreaterThan(baselines.prompt_alone.apgr);
    expect(report.apgr).toBeGreaterThan(baselines.without_logprobs.apgr);
    expect(gains.prompt_alone.difference).toBeCloseTo(report.apgr - baselines.prompt_alone.apgr, 12);
    expect(gains.prompt_alone.low).toBeGreaterThan(0);
    expect(baselines.random.apgr).toBeCloseTo(0.5, 12);
    expect(baselines.always_both).toEqual({
      escalation_rate: 1,
      quality: report.quality.strong,
      cost_usd: expect.closeTo(0.0101, 12),
    });
    for (const row of [report, baselines.logprob_alone, baselines.prompt_alone]) {
      const cheapCall =
        row === baselines.prompt_alone ? (share: number) => 0.0001 * (1 - share) : () => 0.0001;
      expect(row.at_loss.map(({ max_loss }: { max_loss: number }) => max_loss)).toEqual([0.01, 0.02, 0.03]);
      for (const { share_escalated: share, cost_usd: usd, saved_against_strong: saved } of row.at_loss) {
        expect(usd).toBeCloseTo(cheapCall(share) + 0.01 * share, 12);
        expect(saved).toBeCloseTo(1 - usd / 0.01, 12);
      }
    }
    expect(text!.stdout).toContain(report.conclusion);
    expect(text!.stdout).toMatch(
      /^300 cases; made-small .*\nknown of the cheap replies: answer 300, confidence_logprob 270/,
    );
  });

  it('is refused without a reply, also of a ladder', async () => {
    const none = writeRows(HOME, 'no-replies.jsonl', madeUpRows());
    const [unknown, ladder] = await Promise.all([
      cascade(none),
      cli(['assess', '--data', none, '--ladder', `${SMALL},${LARGE}`, '--cascade']),
    ]);
    for (const { code, stderr } of [unknown!, ladder!]) {
      expect(code).not.toBe(0);
      expect(stderr).toContain('No case says anything of the replies of made-small');
    }
  });
});
