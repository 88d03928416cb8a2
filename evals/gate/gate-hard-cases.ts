import type { ArtifactFiles } from '../../router/artifact/index.ts';
import type { Classifier } from '../../router/classifier/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type Case, type HardCase, questionKey, replyOf, seenQuestions } from '../cases/index.ts';
import { cascadeScores } from '../threshold/index.ts';
import { countFlips, countParaphraseFlips, type Decide, type FlipCount } from './flips.ts';
import { rungOf, scoreText } from './replay.ts';
import type { HardReplay, Subject } from './subject.ts';
import type { LoadedSuite } from './suite.ts';

/** Texts that harmless edits are tried on, besides the hard cases. */
const MOST_EDITED = 2_000;

/** @throws PlimsollError `invalid-input` if a hard case was learned from: it would measure memory */
export function loadUnseenHardCases(
  { hardCases: cases }: LoadedSuite,
  artifact: ArtifactFiles,
): readonly HardCase[] | undefined {
  if (cases === undefined) return undefined;
  const seen = seenQuestions(artifact.seenQuestions);
  for (const { id, text } of cases) {
    const sighting = seen.sighting({ key: questionKey(text), text });
    if (sighting === undefined) continue;
    const how = sighting === 'copy' ? ', but for case, white space, punctuation or numbers at most,' : '';
    throw new PlimsollError(
      'invalid-input',
      `The hard case ${JSON.stringify(id)}${how} was seen in training or calibration of ${artifact.manifest.name}: hard cases measure and are never learned from. Write it about something else, or leave it out.`,
    );
  }
  return cases;
}

export async function replayHardCases(
  cases: readonly HardCase[],
  classifier: Classifier,
  manifest: ArtifactFiles['manifest'],
): Promise<HardReplay> {
  const { ladder, cascade } = manifest;
  const probabilities = ladder.map(() => new Float64Array(cases.length));
  const replyLosses = ladder.slice(1).map(() => new Float64Array(cases.length).fill(Number.NaN));
  for (const [row, { text, replies }] of cases.entries()) {
    const scored = await scoreText(text, (model) => replies?.get(model), classifier, manifest);
    probabilities.forEach((column, rung) => {
      column[row] = scored.probabilities[rung]!;
    });
    scored.replyLosses?.forEach((loss, rung) => {
      replyLosses[rung]![row] = loss ?? Number.NaN;
    });
  }
  if (cascade === undefined) return { cases, probabilities };
  const { keptFrom } = cascadeScores(cascade, probabilities, replyLosses);
  return { cases, probabilities, cascade: { keptFrom, replyLosses } };
}

/** Edits are tried on held-out and hard cases alike. */
export async function measureFlips(
  { suite, paraphrases }: LoadedSuite,
  { threshold, bets, rungs, hard, hardRungs }: Subject,
  heldOut: readonly Case[],
  classifier: Classifier,
  { manifest }: ArtifactFiles,
): Promise<FlipCount[]> {
  const limit = suite.flip_rate;
  if (limit === undefined) return [];
  const rows = Array.from(bets.rows).slice(0, MOST_EDITED);
  const edited = rows.map((row) => heldOut[row]!);
  // another wording would get another reply: the one that there is stands in for it, and without one the prompt alone decides
  const replies = [
    ...edited.map((one) => (model: string) => replyOf(one, model)),
    ...(hard?.cases ?? []).map((one) => (model: string) => one.replies?.get(model)),
  ];
  const decide: Decide = async (text, row) => {
    const replyBy = (row === undefined ? undefined : replies[row]) ?? (() => undefined);
    return rungOf(await scoreText(text, replyBy, classifier, manifest), threshold, manifest.cascade);
  };
  const texts = [...edited.map(({ text }) => text), ...(hard?.cases ?? []).map(({ text }) => text)];
  const decided = [...rows.map((row) => rungs[row]!), ...(hardRungs ?? [])];
  const counts = await countFlips(texts, decided, limit.edits, decide);
  if (paraphrases === undefined) return counts;
  return [...counts, await countParaphraseFlips(paraphrases, decide)];
}
