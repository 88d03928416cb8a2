import { hash } from 'node:crypto';
import type { ArtifactFiles, Manifest, Rung } from '../../router/artifact/index.ts';
import { type Cascade, confidence, judgeReply, keptFrom } from '../../router/cascade/index.ts';
import {
  type Classifier,
  classifierInput,
  createOnnxClassifier,
  featureExtractor,
  goldenHolds,
} from '../../router/classifier/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { chooseRung, predictedLoss } from '../../router/policy/index.ts';
import type { Reply } from '../../router/types.ts';
import { type Case, replyOf } from '../cases/index.ts';
import { type CascadeScores, cascadeScores, predictedLosses } from '../threshold/index.ts';
import { copyHash, numberlessHash } from './copy-hash.ts';

/** What slices are cut by. No prompt text. */
export interface Traits
  extends Pick<Case, 'id' | 'key' | 'group' | 'label' | 'task' | 'source' | 'language' | 'turns' | 'tools'> {
  /** Length of the routed text, in UTF-16 units. */
  readonly characters: number;
  /** 48 bits of the text's hash: equal texts have equal ones. */
  readonly textHash: number;
  /** See copyHash. */
  readonly copyHash: number;
  /** See numberlessHash. */
  readonly numberlessHash: number;
  /** The text is in a script that the vocabulary cannot read, so the strongest rung gets it unscored. Left out if it can be read. */
  readonly unreadable?: true;
}

/** Labelled cases with what a classifier says of them, in columns: one entry a case, and no text. */
export interface Replay {
  readonly n: number;
  readonly traits: readonly Traits[];
  /** Calibrated, [rung][case], cheapest rung first. */
  readonly probabilities: readonly Float64Array[];
  /** [rung][case], 0..1; NaN if the case lacks the outcome. */
  readonly quality: readonly Float64Array[];
  /** [rung][case], US dollars; undefined for a rung unless the cost of every labelled case is known. NaN where a case lacks the outcome. */
  readonly costUsd: readonly (Float64Array | undefined)[];
  /** If the cheap reply is judged before it goes out. */
  readonly cascade?: ReplayedCascade;
}

/** What is known of the cheap replies. */
export interface ReplayedCascade extends CascadeScores {
  /** Predicted loss of keeping the reply; NaN if the reply is not known. Shape [n] */
  readonly replyLosses: Float64Array;
  /** The logarithm of the reply's probability (router/cascade); NaN if it is not known. Shape [n] */
  readonly logprobs: Float64Array;
  /** [rung][case], milliseconds; NaN where the case does not say. */
  readonly latencyMs: readonly Float64Array[];
}

export interface ScoredCase extends ScoredText {
  readonly one: Case;
}

/** What an artifact makes of a text, and of a reply to it. */
export interface ScoredText {
  /** One a rung, cheapest first. */
  readonly probabilities: ArrayLike<number>;
  /** Predicted loss of keeping the reply; left out if there is none to judge. */
  readonly replyLoss?: number;
  /** The vocabulary cannot read the text. Left out if it can. */
  readonly unreadable?: true;
}

/**
 * Collects scored cases into a replay, one at a time: a stream of a million keeps a few hundred bytes a case and no text.
 * @param ladder whose models' outcomes count
 * @param cascade if the cheap reply is judged: without a known one nobody knows what is kept, and the case counts as one without a label
 */
export async function collectReplay(
  cases: AsyncIterable<ScoredCase> | Iterable<ScoredCase>,
  ladder: readonly Rung[],
  cascade?: Cascade,
): Promise<Replay> {
  const traits: Traits[] = [];
  const replies = cascade && new ReplyColumns(ladder);
  const probabilities = ladder.map(() => [] as number[]);
  const quality = ladder.map(() => [] as number[]);
  const costUsd = ladder.map((): number[] | undefined => []);
  for await (const { one, probabilities: scores, replyLoss, unreadable } of cases) {
    traits.push({ ...caseTraits(one), ...(unreadable && { unreadable }) });
    replies?.add(one, replyLoss);
    for (const [rung, { model }] of ladder.entries()) {
      const isUnknown = rung === 0 && replies !== undefined && replyLoss === undefined;
      const outcome = isUnknown ? undefined : one.outcomes.get(model);
      probabilities[rung]!.push(scores[rung]!);
      quality[rung]!.push(outcome?.quality ?? Number.NaN);
      if (outcome !== undefined && outcome.costUsd === undefined) costUsd[rung] = undefined;
      else costUsd[rung]?.push(outcome?.costUsd ?? Number.NaN);
    }
  }
  const columns = probabilities.map((column) => Float64Array.from(column));
  return {
    n: traits.length,
    traits,
    probabilities: columns,
    quality: quality.map((column) => Float64Array.from(column)),
    costUsd: costUsd.map((column) => column && Float64Array.from(column)),
    ...(cascade && replies && { cascade: replies.finish(cascade, predictedLosses(columns)) }),
  };
}

/** Collects what is known of the cheap replies. */
class ReplyColumns {
  readonly #losses: number[] = [];
  readonly #logprobs: number[] = [];
  readonly #latencyMs: readonly number[][];
  readonly #models: readonly string[];

  constructor(ladder: readonly Rung[]) {
    this.#models = ladder.map(({ model }) => model);
    this.#latencyMs = ladder.map(() => []);
  }

  add(one: Case, replyLoss = Number.NaN): void {
    this.#losses.push(replyLoss);
    this.#logprobs.push(confidence(replyOf(one, this.#models[0]!) ?? {}) ?? Number.NaN);
    this.#latencyMs.forEach((column, rung) => {
      column.push(one.outcomes.get(this.#models[rung]!)?.latencyMs ?? Number.NaN);
    });
  }

  finish(cascade: Cascade, promptLosses: Float64Array): ReplayedCascade {
    const replyLosses = Float64Array.from(this.#losses);
    return {
      ...cascadeScores(cascade, promptLosses, replyLosses),
      replyLosses,
      logprobs: Float64Array.from(this.#logprobs),
      latencyMs: this.#latencyMs.map((column) => Float64Array.from(column)),
    };
  }
}

/**
 * The cases that have the outcome of every candidate: what figures that need all of them are measured on.
 * @param order rows of the replay, in the order wanted
 */
export function labelledCases(
  replay: Replay,
  order: ArrayLike<number>,
): { replay: Replay; rows: Uint32Array } {
  const isKnown = (row: number) => {
    for (const column of replay.quality) if (Number.isNaN(column[row]!)) return false;
    return true;
  };
  const rows = Uint32Array.from(order).filter(isKnown);
  // loops: of a million cases the iterators of `from` would leave a gigabyte behind
  const pick = (column: Float64Array) => {
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
    return picked;
  };
  return {
    rows,
    replay: {
      n: rows.length,
      traits: Array.from(rows, (row) => replay.traits[row]!),
      probabilities: replay.probabilities.map(pick),
      quality: replay.quality.map(pick),
      costUsd: replay.costUsd.map((column) => column && pick(column)),
      ...(replay.cascade && { cascade: pickReplies(replay.cascade, pick) }),
    },
  };
}

function pickReplies(
  { checkedFrom, keptFrom, replyLosses, logprobs, latencyMs }: ReplayedCascade,
  pick: (column: Float64Array) => Float64Array,
): ReplayedCascade {
  return {
    checkedFrom: pick(checkedFrom),
    keptFrom: pick(keptFrom),
    replyLosses: pick(replyLosses),
    logprobs: pick(logprobs),
    latencyMs: latencyMs.map(pick),
  };
}

const TEXT_HASH_DIGITS = 12;

function caseTraits({ id, key, group, label, task, source, language, turns, tools, text }: Case): Traits {
  return {
    id,
    key,
    characters: text.length,
    textHash: Number.parseInt(hash('sha256', text).slice(0, TEXT_HASH_DIGITS), 16),
    copyHash: copyHash(text),
    numberlessHash: numberlessHash(text),
    ...(group !== undefined && { group }),
    ...(label !== undefined && { label }),
    ...(task !== undefined && { task }),
    ...(source !== undefined && { source }),
    ...(language !== undefined && { language }),
    ...(turns !== undefined && { turns }),
    ...(tools !== undefined && { tools }),
  };
}

/**
 * An artifact's classifier, with its golden cases checked. Hashes are checked when an artifact is read; golden cases show another
 * tokenizer, another runtime, or a graph that was rewritten with its hash.
 * @throws PlimsollError `invalid-artifact`, `weights-missing`
 */
export async function openArtifactClassifier(
  artifact: ArtifactFiles,
  allowHub: boolean,
): Promise<Classifier> {
  const { manifest, golden, folder } = artifact;
  const input = await classifierInput(manifest, { allowHub });
  const classifier = await createOnnxClassifier(
    artifact.classifier,
    input,
    featureExtractor(manifest.features),
  );
  for (const [index, one] of golden.entries()) {
    if (await goldenHolds(classifier, one)) continue;
    await classifier.close();
    throw new PlimsollError(
      'invalid-artifact',
      `Golden case ${index + 1} of ${folder} gives other probabilities here than when the artifact was made: there is nothing to judge. Train it again with this version.`,
      { place: { file: folder } },
    );
  }
  return classifier;
}

/**
 * The cases as the artifact's classifier scores them, opened and closed here.
 * @throws PlimsollError as openArtifactClassifier
 */
export async function replayArtifact(
  artifact: ArtifactFiles,
  cases: readonly Case[],
  allowHub: boolean,
): Promise<Replay> {
  const classifier = await openArtifactClassifier(artifact, allowHub);
  try {
    return await replayCases(cases, artifact, classifier);
  } finally {
    await classifier.close();
  }
}

/** For a text that the classifier cannot read: it escalates at every threshold below 1, as it does when served. */
export function strongestAlone(rungs: number): Float32Array {
  return Float32Array.from({ length: rungs }, (_, rung) => Number(rung === rungs - 1));
}

/** The cases as the artifact's own graph scores them, and its judge their replies. */
export function replayCases(
  cases: readonly Case[],
  { manifest }: ArtifactFiles,
  classifier: Classifier,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Replay> {
  const { ladder, cascade } = manifest;
  async function* scored(): AsyncGenerator<ScoredCase> {
    for (const [row, one] of cases.entries()) {
      const reply = replyOf(one, ladder[0]!.model);
      yield { one, ...(await scoreText(one.text, reply, classifier, manifest)) };
      onProgress(row + 1, cases.length);
    }
  }
  return collectReplay(scored(), ladder, cascade);
}

/** @param reply of the cheapest model; undefined if it is not known */
export async function scoreText(
  text: string,
  reply: Reply | undefined,
  classifier: Classifier,
  { ladder, cascade }: Pick<Manifest, 'ladder' | 'cascade'>,
): Promise<ScoredText> {
  const scored: ScoredText = classifier.reads(text)
    ? { probabilities: await classifier.score(text) }
    : { probabilities: strongestAlone(ladder.length), unreadable: true };
  if (cascade === undefined || reply === undefined) return scored;
  const judged = judgeReply(cascade.judge, await classifier.logits(text), text, reply);
  return { ...scored, replyLoss: judged.predictedLoss };
}

/** The rung that a policy chooses. A reply that is not known counts as good enough. */
export function rungOf(
  { probabilities, replyLoss }: ScoredText,
  threshold: number,
  cascade?: Cascade,
): number {
  if (cascade === undefined) return chooseRung(probabilities, threshold);
  return keptFrom(cascade, predictedLoss(probabilities, 0), replyLoss) <= threshold ? 0 : 1;
}
