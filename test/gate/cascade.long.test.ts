import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Case, DEFAULT_SHARES, splitByKey } from '../../evals/cases/index.ts';
import { openArtifactClassifier } from '../../evals/gate/replay.ts';
import { type GateRequest, runGate } from '../../evals/gate/run-gate.ts';
import { htmlReport } from '../../evals/report/html/page.ts';
import { markdownReport } from '../../evals/report/markdown.ts';
import { terminalReport } from '../../evals/report/terminal.ts';
import { type ArtifactFiles, readArtifact, type Verdict } from '../../router/artifact/index.ts';
import { judgeReply, skipAt } from '../../router/cascade/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import { mean } from '../../router/statistics/index.ts';
import { type Evidence, evidenceSchema } from '../../router/verdict-report/index.ts';
import { type CascadeWorld, cascadeWorld } from './cascade-world.ts';
import { CHEAP, copyOf, STRONG, writeCaseFile, writeSuite } from './gate-world.ts';

let world: CascadeWorld;
let verdict: Verdict;
let evidence: Evidence;
let artifact: ArtifactFiles;
/** By hand, from the artifact alone: what becomes of each sealed case at the threshold of the verdict. */
let fates: { readonly one: Case; readonly fate: 'skipped' | 'accepted' | 'escalated' }[];

const judged = async (request: Partial<GateRequest> = {}) =>
  (await runGate({ artifact: world.artifact, suite: world.suite, data: [world.data], ...request })).verdict;
const evidenceOf = (of: Verdict) => evidenceSchema.parse(of.evidence);
const dataOf = (name: string, cases: readonly Case[]) => [writeCaseFile(path.join(world.home, name), cases)];

beforeAll(async () => {
  world = await cascadeWorld();
  verdict = await judged();
  evidence = evidenceOf(verdict);
  artifact = readArtifact(world.artifact);
  const classifier = await openArtifactClassifier(artifact, false);
  const cascade = artifact.manifest.cascade!;
  const { threshold } = verdict.policy;
  const sealed = splitByKey([...world.cases], DEFAULT_SHARES, artifact.manifest.split.seed).test;
  fates = [];
  for (const one of sealed) {
    const { reply } = one.outcomes.get(CHEAP)!;
    const prompt = predictedLoss(await classifier.score(one.text), 0);
    const judgement = judgeReply(cascade.judge, await classifier.logits(one.text), one.text, reply!);
    const accepted = judgement.predictedLoss <= threshold ? 'accepted' : 'escalated';
    fates.push({ one, fate: prompt > skipAt(cascade, threshold) ? 'skipped' : accepted });
  }
  await classifier.close();
}, 120_000);

const shareOf = (fate: string) => fates.filter((one) => one.fate === fate).length / fates.length;
const meanOf = (of: (one: Case, fate: string) => number) => mean(fates.map(({ one, fate }) => of(one, fate)));

describe('the verdict on a cascade', () => {
  it('is a PASS that escalates fewer than the prompt alone', async () => {
    expect(verdict.verdict).toBe('PASS');
    const prompt = await judged({ artifact: world.promptAlone });
    expect(evidence.escalation_rate).toBeLessThan(evidenceOf(prompt).escalation_rate - 0.1);
    expect(prompt.evidence).not.toHaveProperty('cascade');
  });

  it('counts what skip and accept level make of each case', () => {
    expect(verdict.sealed.n).toBe(fates.length);
    for (const fate of ['accepted', 'escalated', 'skipped']) expect(shareOf(fate)).toBeGreaterThan(0);
    expect(evidence.cascade).toMatchObject({
      accept: verdict.policy.threshold,
      skip: skipAt(artifact.manifest.cascade!, verdict.policy.threshold),
      share_accepted: shareOf('accepted'),
      share_escalated: shareOf('escalated'),
      share_skipped: shareOf('skipped'),
      unknown_replies: 0,
    });
    const loss = meanOf(({ outcomes }, fate) =>
      fate === 'accepted' ? outcomes.get(STRONG)!.quality - outcomes.get(CHEAP)!.quality : 0,
    );
    expect(verdict.conditions[0]).toMatchObject({ name: 'quality-loss', value: expect.closeTo(loss, 12) });
    expect(evidence.escalation_rate).toBeCloseTo(1 - shareOf('accepted'), 12);
  });

  it('counts the cheap call wherever it is made, in cost and latency', () => {
    const total = (one: Case, fate: string, amount: 'costUsd' | 'latencyMs') => {
      const [cheap, strong] = [CHEAP, STRONG].map((model) => one.outcomes.get(model)![amount]!);
      return (fate === 'skipped' ? 0 : cheap!) + (fate === 'accepted' ? 0 : strong!);
    };
    const costUsd = meanOf((one, fate) => total(one, fate, 'costUsd'));
    const strongUsd = meanOf((one) => one.outcomes.get(STRONG)!.costUsd!);
    expect(evidence.cost).toMatchObject({
      routed_usd: expect.closeTo(costUsd, 12),
      saved_against_strong: expect.closeTo(1 - costUsd / strongUsd, 12),
    });
    const { latency } = evidence.cascade!;
    const added = fates
      .map(({ one, fate }) => total(one, fate, 'latencyMs') - one.outcomes.get(STRONG)!.latencyMs!)
      .sort((a, b) => a - b);
    expect(latency).toMatchObject({ n: fates.length, added_ms: { mean: expect.closeTo(mean(added), 9) } });
    for (const [share, value] of [
      [0.5, latency!.added_ms.p50],
      [0.95, latency!.added_ms.p95],
    ] as const) {
      const place = share * (added.length - 1);
      expect(value).toBeGreaterThanOrEqual(added[Math.floor(place)]!);
      expect(value).toBeLessThanOrEqual(added[Math.ceil(place)]!);
    }
    expect(latency!.routed_ms.mean - latency!.strong_ms.mean).toBeCloseTo(latency!.added_ms.mean, 9);
  });

  it('compares with the prompt alone, every reply judged, and the log-probability alone, at the same share', () => {
    const rows = new Map(evidence.baselines.map((row) => [row.name, row]));
    for (const name of ['prompt alone', 'always verify', 'log-probability alone'])
      expect(rows.get(name)!.escalation_rate).toBeCloseTo(evidence.escalation_rate, 3);
    expect(rows.get('prompt alone')!.apgr).toBeLessThan(evidence.apgr!);
    expect(rows.get('prompt alone')!.cost_usd).toBeLessThan(rows.get('always verify')!.cost_usd!);
  });

  it('says what it does with requests in each report', () => {
    const share = `${(100 * shareOf('accepted')).toFixed(1)} % get the cheap reply`;
    for (const text of [
      terminalReport(verdict, { colour: false }),
      markdownReport(verdict),
      htmlReport(verdict),
    ]) {
      expect(text).toContain(share);
      expect(text).toContain('Latency against always-strong');
    }
  });
});

describe('labels of a cascade', () => {
  it('are not needed where a known reply escalates', async () => {
    const escalated = new Set(fates.flatMap(({ one, fate }) => (fate === 'accepted' ? [] : [one.id])));
    const rows = readFileSync(world.data, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const { id, outcomes } of rows) {
      if (!escalated.has(id)) continue;
      delete outcomes[STRONG];
      outcomes[CHEAP].quality = null;
    }
    const file = path.join(world.home, 'unlabelled.jsonl');
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const suite = writeSuite(world.home, {
      slices: [],
      max_ece: undefined,
      beats_random: false,
      flip_rate: undefined,
    });
    const [before, after] = [await judged({ suite }), await judged({ suite, data: [file] })];
    expect(after.sealed).toMatchObject({ unknown_losses: 0, labelled: fates.length - escalated.size });
    expect(after.walk).toMatchObject({ ...before.walk, stopped_by: 'quality-loss' });
    expect(after.conditions[0]).toMatchObject({ verdict: 'PASS', value: before.conditions[0]!.value });
    expect(evidenceOf(after).cascade).toMatchObject({
      share_skipped: shareOf('skipped'),
      unknown_replies: 0,
    });
  });

  it('count as lost where nothing is known of the reply', async () => {
    const dropped = new Set(fates.slice(0, 30).map(({ one }) => one.id));
    const data = dataOf(
      'some-unknown.jsonl',
      world.cases.map((one) => (dropped.has(one.id) ? withoutReply(one) : one)),
    );
    const some = await judged({ data });
    expect(evidenceOf(some).cascade).toMatchObject({ unknown_replies: 30 });
    expect(some.sealed.labelled).toBe(fates.length - 30);
    expect(some.policy.threshold).toBeLessThan(verdict.policy.threshold);
    expect(terminalReport(some, { colour: false })).toContain('Of 30 cases the cheap reply is not known');
  });

  it.each([
    ['of no model', withoutReply, `No case says anything of the replies of ${CHEAP}`],
    ['of another model', repliesOfTheStrongOne, `They do of ${STRONG}, which says nothing of ${CHEAP}`],
  ])('are refused with replies %s', async (_, change, message) => {
    const data = dataOf('bad.jsonl', world.cases.map(change));
    await expect(judged({ data })).rejects.toMatchObject({
      code: 'insufficient-data',
      message: expect.stringContaining(message),
    });
  });

  it('that people gave by tier are refused', async () => {
    const tiers = path.join(world.home, 'tiers.jsonl');
    const row = {
      id: 'a',
      task: 'chat',
      language: 'en',
      prompt: 'Hello there',
      tier: 'cheap',
      why: 'a greeting',
    };
    writeFileSync(tiers, `${JSON.stringify(row)}\n`);
    const suite = writeSuite(world.home, { tier_cases: [tiers] });
    await expect(judged({ suite })).rejects.toMatchObject({
      code: 'invalid-input',
      place: { file: suite, field: 'tier_cases' },
    });
  });
});

describe('hard cases of a cascade', () => {
  const row = (tier: string, i: number, reply?: object) => ({
    ...{ id: `${tier}-${i}`, slice: 'proof', language: 'en', tier, why: 'made up' },
    prompt: `Please explain city river bread music window holiday letter, case ${tier} ${'abcd'[i]}`,
    ...(reply && { replies: { [CHEAP]: reply } }),
  });
  const sure = { answer: 'B', confidence_logprob: -0.01 };
  const unsure = { answer: 'B', confidence_logprob: -2 };
  let files = 0;

  async function hardConditions(rows: readonly object[]) {
    const file = path.join(world.home, `hard-${files++}.jsonl`);
    writeFileSync(file, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const suite = writeSuite(world.home, { hard_cases: { file, min_recall: 0.05, min_kept_cheap: 0.05 } });
    const { conditions } = await judged({ suite });
    return ['recall', 'kept-cheap'].map(
      (name) => conditions.find((condition) => condition.name === `hard-cases/${name}`)!,
    );
  }

  it('are decided by their prompt and reply', async () => {
    const rows = [0, 1, 2, 3].map((i) => row('strong', i, i === 0 ? sure : unsure));
    const [recall, kept] = await hardConditions([...rows, row('cheap', 0, sure), row('cheap', 1, unsure)]);
    expect(recall).toMatchObject({ value: 0.75, n: 4 });
    expect(recall!.note ?? '').not.toContain('not known');
    expect(kept).toMatchObject({ value: 0.5, n: 2 });
  });

  it('without a known reply count as escalated if they go straight up, and nobody knows whether they stay cheap', async () => {
    const strong = [0, 1, 2].map((i) => row('strong', i, unsure));
    const rows = [...strong, row('strong', 3), row('cheap', 0, sure), row('cheap', 1)];
    const [recall, kept] = await hardConditions(rows);
    expect(recall).toMatchObject({
      value: 0.75,
      note: expect.stringContaining('of 1 of them the cheap reply is not known'),
    });
    expect(kept).toMatchObject({ verdict: 'INCONCLUSIVE', value: null, n: 0 });
  });

  it('are refused with a reply that says nothing, or wrong things', async () => {
    await expect(hardConditions([row('strong', 0, { anwser: 'B' })])).rejects.toMatchObject({
      message: expect.stringMatching(/says nothing; give answer, confidence_logprob, signals/),
    });
    await expect(hardConditions([row('strong', 0, { confidence_logprob: 1 })])).rejects.toMatchObject({
      message: expect.stringContaining('must be a number from -1000000000 to 0'),
    });
  });
});

describe('looks at the cases of a cascade', () => {
  it('are other looks once a reply has changed, and the same once more', async () => {
    const folder = copyOf(world.artifact);
    const look = async (data: string[]) =>
      (await judged({ artifact: folder, data, write: true })).looks.number;
    expect(await look([world.data])).toBe(1);
    expect(await look([world.data])).toBe(1);
    const reworded = world.cases.map((one, i) => (i % 2 ? one : withReply(one, 'a')));
    expect(await look(dataOf('reworded.jsonl', reworded))).toBe(2);
  });
});

function withoutReply(one: Case): Case {
  const { reply: _, ...rest } = one.outcomes.get(CHEAP)!;
  return { ...one, outcomes: new Map(one.outcomes).set(CHEAP, rest) };
}

function withReply(one: Case, text: string): Case {
  const cheap = one.outcomes.get(CHEAP)!;
  return {
    ...one,
    outcomes: new Map(one.outcomes).set(CHEAP, { ...cheap, reply: { ...cheap.reply, text } }),
  };
}

function repliesOfTheStrongOne(one: Case): Case {
  const { reply } = one.outcomes.get(CHEAP)!;
  const bare = withoutReply(one);
  return {
    ...bare,
    outcomes: new Map(bare.outcomes).set(STRONG, { ...bare.outcomes.get(STRONG)!, reply: reply! }),
  };
}
