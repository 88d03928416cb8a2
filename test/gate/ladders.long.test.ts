import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type GateRun, runGate } from '../../evals/gate/run-gate.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { junitReport, markdownReport, terminalReport } from '../../evals/report/index.ts';
import { writeArtifact } from '../../router/artifact/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { type MadeUpModel, madeUpCases, scratch, writeCaseFile, writeSuite } from './gate-world.ts';

/** Neither quality nor price is monotone: the fourth is worse than the third and costs more than the last. */
const MODELS: readonly MadeUpModel[] = [
  { name: 'tiny', costUsd: 0.001, right: (degree) => 0.95 - 0.09 * degree },
  { name: 'small', costUsd: 0.002, right: (degree) => 0.95 - 0.06 * degree },
  { name: 'middle', costUsd: 0.004, right: (degree) => 0.95 - 0.03 * degree },
  { name: 'poor', costUsd: 0.012, right: (degree) => 0.85 - 0.05 * degree },
  { name: 'large', costUsd: 0.01, right: () => 0.95 },
];
const CASES = madeUpCases(MODELS);

const worlds = new Map<string, Promise<{ home: string; artifact: string; data: string }>>();

/** An artifact of these models and its cases, made once. */
function ladderWorld(models: readonly string[], costs: boolean) {
  const name = `ladder-${models.length}-${costs}`;
  const world = worlds.get(name) ?? makeWorld(path.join(scratch(), name), models, costs);
  worlds.set(name, world);
  return world;
}

async function makeWorld(home: string, models: readonly string[], costs: boolean) {
  mkdirSync(home);
  const cases = CASES.map((one) => ({
    ...one,
    outcomes: new Map(
      models.map((model) => {
        const outcome = one.outcomes.get(model)!;
        return [model, costs ? outcome : { quality: outcome.quality }] as const;
      }),
    ),
  }));
  const artifact = path.join(home, 'made');
  const rule = { rule: 'max-quality-loss', target: 0.08, confidence: 0.95 } as const;
  writeArtifact(
    artifact,
    await train({ cases }, { name: 'made', ladder: models, rule, folds: 2, learner: 'lr' }),
  );
  return { home, artifact, data: writeCaseFile(path.join(home, 'cases.jsonl'), cases) };
}

async function gated(models: readonly string[], { costs = true, suite = {} } = {}): Promise<GateRun> {
  const { home, artifact, data } = await ladderWorld(models, costs);
  const demanded = { flip_rate: undefined, slices: [], max_ece: undefined, escalation_rate: undefined };
  return runGate({ artifact, suite: writeSuite(home, { ...demanded, ...suite }), data: [data] });
}

describe('a real artifact of more than two rungs at the gate', () => {
  it.each([
    [['tiny', 'middle', 'large']],
    ...(LONG_RUN ? [[['tiny', 'small', 'middle', 'poor', 'large']]] : []),
  ])('%j: a PASS with the default band and baseline', { timeout: 120_000 }, async (models) => {
    const { verdict } = await gated(models);
    expect(verdict.conditions.map(({ name, verdict: word }) => [name, word])).toEqual([
      ['quality-loss', 'PASS'],
      ['silent-downgrades', 'PASS'],
      ['escalation-rate/above-cheapest', 'PASS'],
      ['escalation-rate/strongest', 'PASS'],
      ['beats-random', 'PASS'],
    ]);
    const [, , above, strongest, beats] = verdict.conditions;
    const evidence = evidenceSchema.parse(verdict.evidence);
    const { rungs, cost, quality } = evidence;
    expect(rungs.map(({ candidate }) => candidate)).toEqual(models);
    const total = (of: (rung: (typeof rungs)[number]) => number) =>
      rungs.reduce((sum, rung) => sum + of(rung), 0);
    expect(total(({ share }) => share)).toBeCloseTo(1, 12);
    expect(total(({ share, quality: q }) => share * (q ?? 0))).toBeCloseTo(quality.routed!, 12);
    expect(total(({ share, cost_usd: usd }) => share * (usd ?? 0))).toBeCloseTo(cost!.routed_usd, 12);
    expect(above!.value).toBeCloseTo(1 - rungs[0]!.share, 12);
    expect(above!.note).toContain('above tiny');
    expect(strongest!.value).toBeCloseTo(rungs.at(-1)!.share, 12);
    expect(strongest!.note).toContain('on large');
    expect(beats).toMatchObject({ method: 'bootstrap', proof: 'none', limits: { min: 0 } });
    expect(evidence.conclusion).toMatch(/^Routing pays here: its quality is above that of the best mix/);

    const share = `${(100 * rungs[1]!.share).toFixed(1)} %`;
    expect(terminalReport(verdict, { colour: false })).toMatch(new RegExp(`^${models[1]} .*${share}`, 'm'));
    expect(markdownReport(verdict)).toContain(`| ${models[1]} | ${models[1]} | ${share} |`);
    expect(junitReport(verdict)).toContain(`<property name="rung.${models[1]}" value="share ${share}, `);
  });

  it('without costs the rival is the same decisions dealt out at random', { timeout: 120_000 }, async () => {
    const { verdict } = await gated(['tiny', 'middle', 'large'], { costs: false });
    const beats = verdict.conditions.find(({ name }) => name === 'beats-random')!;
    expect(beats).toMatchObject({ verdict: 'PASS', method: 'betting' });
    expect(beats.note).toMatch(
      /pairs of cases; value: quality above a random choice of the same share of each rung$/,
    );
    expect(evidenceSchema.parse(verdict.evidence).rungs.every(({ cost_usd }) => cost_usd === null)).toBe(
      true,
    );
  });

  it('that routing pays is said under a FAIL with the limit that was broken', {
    timeout: 120_000,
  }, async () => {
    const suite = { escalation_rate: { min: 0.01, max: 0.02 } };
    const { verdict } = await gated(['tiny', 'middle', 'large'], { suite });
    expect(verdict.verdict).toBe('FAIL');
    expect(evidenceSchema.parse(verdict.evidence).conclusion).toMatch(
      /^Routing pays here: .* The verdict is FAIL all the same, .*: escalation-rate\/strongest\.$/,
    );
  });
});
