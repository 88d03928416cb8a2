/** Replays and gates many cases in a process of its own: prints the seconds and the most memory that it held. */

import { type Case, hashCases, loadCases, loadTierCases } from '../../../evals/cases/index.ts';
import {
  collectEvidence,
  collectReplay,
  judgeWalk,
  measureBaselines,
  orderBets,
  pairedOutcomes,
  type ScoredCase,
  type Sealed,
  subjectAt,
  suiteSchema,
  walkSealed,
} from '../../../evals/gate/index.ts';
import { walkSteps } from '../../../evals/threshold/index.ts';
import { readArtifact, worstOf } from '../../../router/artifact/index.ts';
import { classifierInput, createOnnxClassifier, featureExtractor } from '../../../router/classifier/index.ts';
import { escalationRate } from '../../../router/statistics/index.ts';

const [, , folder, file, count, only] = process.argv as [string, string, string, string, string, string?];
const n = Number(count);
const artifact = readArtifact(folder);
const { ladder, policy } = artifact.manifest;

/** Real texts with real outcomes, scored by the artifact. */
async function realPairs(): Promise<ScoredCase[]> {
  const cases = file.endsWith('.jsonl') ? everyday() : await mmlu();
  const classifier = await createOnnxClassifier(
    artifact.classifier,
    await classifierInput(artifact.manifest),
    featureExtractor(artifact.manifest.features),
  );
  const scored: ScoredCase[] = [];
  for (const one of cases) scored.push({ one, probabilities: await classifier.score(one.text) });
  await classifier.close();
  return scored;
}

function everyday(): Case[] {
  return loadTierCases(file, { cheap: ladder[0]!.model, strong: ladder[1]!.model });
}

async function mmlu(): Promise<Case[]> {
  const [cheap, strong] = ['mixtral-8x7b-instruct-v0.1', 'gpt-4-1106-preview'];
  const { cases } = await loadCases([file], { models: [cheap, strong] });
  return cases.map((one) => ({
    ...one,
    outcomes: new Map([
      [ladder[0]!.model, one.outcomes.get(cheap)!],
      [ladder[1]!.model, one.outcomes.get(strong)!],
    ]),
  }));
}

/** As many cases as are wanted, each with an id and a key of its own. */
function* stream(pairs: readonly ScoredCase[]): Generator<ScoredCase> {
  for (let i = 0; i < n; i++) {
    const { one, probabilities } = pairs[i % pairs.length]!;
    const id = `synthetic-${i}`;
    yield { one: { ...one, id, key: id }, probabilities };
  }
}

const pairs = await realPairs();
const startedMs = performance.now();
let word = 'none: read alone';
if (only === 'read') {
  let total = 0;
  for (const { probabilities } of stream(pairs)) total += probabilities[0]!;
  if (Number.isNaN(total)) throw new Error('a score is not a number');
} else {
  word = await judged();
}
const seconds = (performance.now() - startedMs) / 1000;
process.stdout.write(
  `${JSON.stringify({ seconds, maxRssMb: process.resourceUsage().maxRSS / 1024, verdict: word, pairs: pairs.length })}\n`,
);

async function judged(): Promise<string> {
  const heldOut = await collectReplay(stream(pairs), ladder);
  hashCases(heldOut.traits); // before the walk, as the gate does
  const suite = suiteSchema.parse({
    name: 'million',
    max_quality_loss: 0.05,
    silent_downgrades: { max_rate: 0.1 },
    max_ece: 0.5,
    slices: [{ name: 'long', where: { min_characters: 200 }, max_quality_loss: 0.1 }],
  });
  const sealed: Sealed = {
    suite,
    candidates: ladder.map(({ candidate }) => candidate),
    heldOut,
    bets: orderBets(heldOut.traits, suite, {
      batchOf: new Uint8Array(heldOut.n),
      contents: new Float64Array(heldOut.n),
    }),
    delta: 0.05,
  };
  const walked = walkSealed(sealed, walkSteps(policy.walk_from ?? -1, 0.999));
  const subject = subjectAt(sealed, walked.threshold);
  const conditions = judgeWalk(walked, subject, []);
  const { replay, rungs } = subject.labelled;
  const baselines = await measureBaselines(replay, pairedOutcomes(replay), escalationRate(rungs));
  collectEvidence(subject, [], { ladder }, baselines, conditions);
  return worstOf(conditions.map(({ verdict }) => verdict));
}
