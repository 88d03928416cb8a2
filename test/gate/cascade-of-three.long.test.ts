import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Case, DEFAULT_SHARES, seenQuestions, splitByKey } from '../../evals/cases/index.ts';
import { planLabels, runGate } from '../../evals/gate/index.ts';
import { openArtifactClassifier } from '../../evals/gate/replay.ts';
import { retrain, train } from '../../evals/lifecycle/index.ts';
import { markdownReport, terminalReport } from '../../evals/report/index.ts';
import {
  type ArtifactFiles,
  readArtifact,
  type Verdict,
  writeArtifact,
} from '../../router/artifact/index.ts';
import { checkedRungs, judgeReply, skipAt } from '../../router/cascade/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import { mean, seededRandom } from '../../router/statistics/index.ts';
import { type Evidence, evidenceSchema } from '../../router/verdict-report/index.ts';
import { copyOf, type MadeUpModel, madeUpCases, scratch, writeCaseFile, writeSuite } from './gate-world.ts';

const MODELS: readonly MadeUpModel[] = [
  { name: 'tiny', costUsd: 0.001, right: (degree) => 0.95 - 0.09 * degree },
  { name: 'middle', costUsd: 0.003, right: (degree) => 0.95 - 0.04 * degree },
  { name: 'large', costUsd: 0.01, right: () => 0.95 },
];
const NAMES = MODELS.map(({ name }) => name);

/** Good replies are often, and bad ones seldom, sure of themselves. */
function withReplies(cases: readonly Case[]): Case[] {
  const random = seededRandom(17);
  return cases.map((one) => {
    const outcomes = [...one.outcomes].map(([model, outcome]) => {
      const probability = outcome.quality === 1 ? 1 - 0.5 * random() ** 2 : 0.1 + 0.85 * random();
      const reply = { text: 'B', confidenceLogprob: Math.log(probability) };
      const latencyMs = 100 + Math.floor(400 * random());
      return [model, { ...outcome, latencyMs, ...(model !== 'large' && { reply }) }] as const;
    });
    return { ...one, outcomes: new Map(outcomes) };
  });
}

const cases = withReplies(madeUpCases(MODELS));
/** Of its own: the gate's world has files of the same names. */
const home = mkdtempSync(path.join(scratch(), 'three-'));
const artifactFolder = path.join(home, 'cascades', 'made');
const data = writeCaseFile(path.join(home, 'cases.jsonl'), cases);
const UNASKED = { flip_rate: undefined, slices: [], max_ece: undefined };
const suite = writeSuite(home, { ...UNASKED, escalation_rate: { min: 0.01, max: 0.99 } });

let artifact: ArtifactFiles;
let verdict: Verdict;
let evidence: Evidence;
/** By hand, from the artifact alone: which models each sealed case calls at the threshold of the verdict, and who replies. */
let ways: { readonly one: Case; readonly called: readonly string[]; readonly served: string }[];

const judged = async (files = [data], change = {}) =>
  (await runGate({ artifact: artifactFolder, suite, data: files, ...change })).verdict;

beforeAll(async () => {
  const draft = await train(
    { cases },
    {
      name: 'made',
      ladder: NAMES,
      cascade: true,
      rule: { rule: 'max-quality-loss', target: 0.05, confidence: 0.95 },
      folds: 2,
      learner: 'lr',
    },
  );
  writeArtifact(artifactFolder, draft);
  artifact = readArtifact(artifactFolder);
  verdict = await judged();
  evidence = evidenceSchema.parse(verdict.evidence);
  const classifier = await openArtifactClassifier(artifact, false);
  const { cascade, split } = artifact.manifest;
  const { threshold } = verdict.policy;
  ways = [];
  for (const one of splitByKey([...cases], DEFAULT_SHARES, split.seed).test) {
    const [probabilities, logits] = [await classifier.score(one.text), await classifier.logits(one.text)];
    const called: string[] = [];
    let served: string | undefined;
    for (const [rung, limits] of checkedRungs(cascade!).entries()) {
      const model = NAMES[rung]!;
      if (predictedLoss(probabilities, rung) > skipAt(limits, threshold)) continue;
      called.push(model);
      const { reply } = one.outcomes.get(model)!;
      if (judgeReply(limits.judge, logits, one.text, reply!).predictedLoss > threshold) continue;
      served = model;
      break;
    }
    ways.push(
      served === undefined ? { one, called: [...called, 'large'], served: 'large' } : { one, called, served },
    );
  }
  await classifier.close();
}, 120_000);

const meanOf = (of: (way: (typeof ways)[number]) => number) => mean(ways.map(of));

describe('the verdict on a cascade of three rungs', () => {
  it('is a PASS, and each rung serves some', () => {
    expect(verdict.verdict).toBe('PASS');
    for (const { share } of evidence.rungs) expect(share).toBeGreaterThan(0.02);
  });

  it('has the loss, the shares, the costs and the latencies of a naive replay', () => {
    expect(verdict.sealed.n).toBe(ways.length);
    const loss = meanOf(
      ({ one, served }) => one.outcomes.get('large')!.quality - one.outcomes.get(served)!.quality,
    );
    expect(verdict.conditions[0]).toMatchObject({ name: 'quality-loss', value: expect.closeTo(loss, 12) });
    for (const [rung, model] of NAMES.entries())
      expect(evidence.rungs[rung]!.share).toBeCloseTo(
        meanOf(({ served }) => Number(served === model)),
        12,
      );
    const total = (amount: 'costUsd' | 'latencyMs') => (way: (typeof ways)[number]) =>
      way.called.reduce((sum, model) => sum + way.one.outcomes.get(model)![amount]!, 0);
    expect(evidence.cost!.routed_usd).toBeCloseTo(meanOf(total('costUsd')), 12);
    expect(evidence.cascade!.latency!.routed_ms.mean).toBeCloseTo(meanOf(total('latencyMs')), 9);
    expect(evidence.cascade!.rungs).toEqual(
      ['tiny', 'middle'].map((model, rung) => ({
        candidate: artifact.manifest.ladder[rung]!.candidate,
        skip: skipAt(checkedRungs(artifact.manifest.cascade!)[rung]!, verdict.policy.threshold),
        share_called: expect.closeTo(
          meanOf(({ called }) => Number(called.includes(model))),
          12,
        ),
        share_accepted: expect.closeTo(
          meanOf(({ served }) => Number(served === model)),
          12,
        ),
      })),
    );
    const looked = meanOf(({ called, served }) => Number(called.length > 1 && served === 'large'));
    expect(evidence.cascade!.share_escalated).toBeCloseTo(looked, 12);
  });

  it('sets against the best mix of the models what it really costs', () => {
    const condition = verdict.conditions.find(({ name }) => name === 'beats-random')!;
    expect(condition.note).toContain(`at $${(1000 * evidence.cost!.routed_usd).toPrecision(3)} for 1,000`);
  });

  it('says what each rung does', () => {
    const [tiny] = evidence.cascade!.rungs!;
    for (const text of [terminalReport(verdict, { colour: false }), markdownReport(verdict)])
      expect(text).toContain(`its reply goes out to ${(100 * tiny!.share_accepted).toFixed(1)} %`);
  });

  it('counts a reply that is not known as lost where its rung is called', async () => {
    const dropped = new Set(ways.slice(0, 40).map(({ one }) => one.id));
    const some = cases.map((one) => {
      const { reply: _, ...rest } = one.outcomes.get('middle')!;
      return dropped.has(one.id) ? { ...one, outcomes: new Map(one.outcomes).set('middle', rest) } : one;
    });
    const unknown = await judged([writeCaseFile(path.join(home, 'unknown.jsonl'), some)]);
    expect(evidenceSchema.parse(unknown.evidence).cascade).toMatchObject({ unknown_replies: 40 });
    expect(unknown.policy.threshold).toBeLessThan(verdict.policy.threshold);
  });

  it('is refused without replies of the middle model', async () => {
    const without = cases.map((one) => {
      const { reply: _, ...rest } = one.outcomes.get('middle')!;
      return { ...one, outcomes: new Map(one.outcomes).set('middle', rest) };
    });
    await expect(judged([writeCaseFile(path.join(home, 'without.jsonl'), without)])).rejects.toMatchObject({
      code: 'insufficient-data',
      message: expect.stringMatching(/of the replies of middle.*They do of tiny/),
    });
  });
});

describe('what goes with it', () => {
  it('labels are drawn where some rung may keep the request, with the replies of both', async () => {
    const out = path.join(home, 'to-label.jsonl');
    const request = { artifact: artifactFolder, n: 300, margin: 0.08, confidence: 0.95, out };
    const { plan } = await planLabels({ ...request, prompts: [data] });
    const known = seenQuestions(artifact.seenQuestions);
    const isSeen = (one: Case) => known.sighting(one) !== undefined;
    expect(plan.pool.rows).toBe(cases.filter((one) => !isSeen(one)).length);
    const [row] = readFileSync(out, 'utf8').split('\n');
    const fields = { answer: 'B', confidence_logprob: expect.any(Number) };
    expect(JSON.parse(row!).outcomes).toEqual({ tiny: fields, middle: fields });
  });

  it('a challenger of three rungs is trained and compared', async () => {
    const champion = copyOf(artifactFolder);
    await runGate({ artifact: champion, suite, data: [data], write: true });
    const out = path.join(path.dirname(champion), 'challenger');
    const { artifact: challenger, comparison } = await retrain({
      data: [data],
      champion,
      out,
      suite,
      learner: 'lr',
    });
    expect(challenger.manifest.cascade!.middle).toHaveLength(1);
    expect(comparison.measured.champion.cost_usd).toBeCloseTo(evidence.cost!.routed_usd, 9);
  }, 120_000);
});
