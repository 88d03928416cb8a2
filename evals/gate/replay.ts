import type { ArtifactFiles, Manifest, Rung } from '../../router/artifact/index.ts';
import { type Cascade, checkedRungs, confidence, judgeReply, keptFrom } from '../../router/cascade/index.ts';
import {
  type Classifier,
  classifierInput,
  createOnnxClassifier,
  featureExtractor,
  goldenHolds,
  type Unscored,
} from '../../router/classifier/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { chooseRung, predictedLoss } from '../../router/policy/index.ts';
import type { Reply } from '../../router/types.ts';
import { type Case, checkedModels, replyOf } from '../cases/index.ts';
import { type CascadeScores, cascadeScores } from '../threshold/index.ts';
import { type HashedCases, hashText, type TextHashes, textHashesAt } from './case-fingerprints.ts';
import { type JudgedLabels, JudgedRows } from './judged-labels.ts';

/** What slices are cut by. No prompt text. */
export interface Traits
  extends Pick<
      Case,
      | 'id'
      | 'key'
      | 'group'
      | 'label'
      | 'task'
      | 'isTaskPredicted'
      | 'source'
      | 'language'
      | 'turns'
      | 'tools'
      | 'weight'
    >,
    TextHashes {
  /** Length of the routed text, in UTF-16 units. */
  readonly characters: number;
  /** The session that it belongs to; left out if it names none. */
  readonly session?: string;
  /** Why the strongest rung gets it unscored. Left out if it is scored. */
  readonly unscored?: Unscored;
}

/** Labelled cases with what a classifier says about them, in columns: one entry a case, and no text. */
export interface Replay {
  readonly n: number;
  readonly traits: readonly Traits[];
  /** Calibrated, [rung][case], cheapest rung first. */
  readonly probabilities: readonly Float64Array[];
  /** [rung][case], 0..1; NaN if the case lacks the outcome. */
  readonly quality: readonly Float64Array[];
  /** [rung][case], US dollars; undefined for a rung unless the cost of every labelled case is known. NaN where a case lacks the outcome. */
  readonly costUsd: readonly (Float64Array | undefined)[];
  /** If replies are judged before they go out. */
  readonly cascade?: ReplayedCascade;
  /** If a judge gave some of the labels: then `quality` is what the judge says wherever it labelled, and this is what people say beside it. */
  readonly labels?: JudgedLabels;
}

/** What is known about the replies that are judged. */
export interface ReplayedCascade extends CascadeScores {
  /** Predicted loss of keeping the reply of each checked rung, [rung][case]; NaN if the reply is not known. */
  readonly replyLosses: readonly Float64Array[];
  /** The logarithm of the probability of the cheapest model's reply (router/cascade); NaN if it is not known. Shape [n] */
  readonly logprobs: Float64Array;
  /** [rung][case], milliseconds; NaN where the case does not say. */
  readonly latencyMs: readonly Float64Array[];
}

export interface ScoredCase extends ScoredText {
  readonly one: Case;
}

/** What an artifact makes of a text, and of the replies to it. */
export interface ScoredText {
  /** One a rung, cheapest first. */
  readonly probabilities: ArrayLike<number>;
  /** Why the text is not scored. Left out if it is. */
  readonly unscored?: Unscored;
  /** Predicted loss of keeping the reply of each checked rung; undefined if it is not known. Left out if no reply is judged. */
  readonly replyLosses?: readonly (number | undefined)[];
}

/**
 * Collects scored cases into a replay, one at a time: a stream of a million keeps a few hundred bytes a case and no text.
 * @param ladder whose models' outcomes count
 * @param cascade if replies are judged: without a known one nobody knows what is kept, and the rung counts as one without a label
 * @param fingerprints of the cases, if they are known already
 */
export async function collectReplay(
  cases: AsyncIterable<ScoredCase> | Iterable<ScoredCase>,
  ladder: readonly Rung[],
  cascade?: Cascade,
  fingerprints?: HashedCases,
): Promise<Replay> {
  const traits: Traits[] = [];
  const replies = cascade && new ReplyColumns(ladder);
  const judgedRows = new JudgedRows();
  const probabilities = ladder.map(() => [] as number[]);
  const quality = ladder.map(() => [] as number[]);
  const costUsd = ladder.map((): number[] | undefined => []);
  for await (const { one, probabilities: scores, replyLosses = [], unscored } of cases) {
    const hashes =
      fingerprints === undefined ? hashText(one.text) : textHashesAt(fingerprints, traits.length);
    traits.push({ ...caseTraits(one, hashes), ...(unscored && { unscored }) });
    replies?.add(one, replyLosses);
    const outcomes = ladder.map(({ model }, rung) => {
      const isUnknown = rung < replyLosses.length && replyLosses[rung] === undefined;
      return isUnknown ? undefined : one.outcomes.get(model);
    });
    judgedRows.add(traits.length - 1, outcomes);
    for (const [rung, outcome] of outcomes.entries()) {
      probabilities[rung]!.push(scores[rung]!);
      quality[rung]!.push(outcome?.quality ?? Number.NaN);
      if (outcome !== undefined && outcome.costUsd === undefined) costUsd[rung] = undefined;
      else costUsd[rung]?.push(outcome?.costUsd ?? Number.NaN);
    }
  }
  const columns = probabilities.map((column) => Float64Array.from(column));
  const qualities = quality.map((column) => Float64Array.from(column));
  const labels = judgedRows.finish(qualities);
  return {
    n: traits.length,
    traits,
    probabilities: columns,
    quality: qualities,
    ...(labels && { labels }),
    costUsd: costUsd.map((column) => column && Float64Array.from(column)),
    ...(cascade && replies && { cascade: replies.finish(cascade, columns) }),
  };
}

/** Collects what is known about the replies that are judged. */
class ReplyColumns {
  readonly #losses: readonly number[][];
  readonly #logprobs: number[] = [];
  readonly #latencyMs: readonly number[][];
  readonly #models: readonly string[];

  constructor(ladder: readonly Rung[]) {
    this.#models = ladder.map(({ model }) => model);
    this.#losses = checkedModels(this.#models).map(() => []);
    this.#latencyMs = ladder.map(() => []);
  }

  add(one: Case, replyLosses: NonNullable<ScoredText['replyLosses']>): void {
    this.#losses.forEach((column, rung) => {
      column.push(replyLosses[rung] ?? Number.NaN);
    });
    this.#logprobs.push(confidence(replyOf(one, this.#models[0]!) ?? {}) ?? Number.NaN);
    this.#latencyMs.forEach((column, rung) => {
      column.push(one.outcomes.get(this.#models[rung]!)?.latencyMs ?? Number.NaN);
    });
  }

  finish(cascade: Cascade, probabilities: readonly Float64Array[]): ReplayedCascade {
    const replyLosses = this.#losses.map((column) => Float64Array.from(column));
    return {
      ...cascadeScores(cascade, probabilities, replyLosses),
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
  return { rows, replay: pickCases(replay, rows) };
}

/** Some cases of a replay, in this order. */
export function pickCases(replay: Replay, rows: Uint32Array): Replay {
  // loops: of a million cases the iterators of `from` would leave a gigabyte behind
  const pick = (column: Float64Array) => {
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
    return picked;
  };
  return {
    n: rows.length,
    traits: Array.from(rows, (row) => replay.traits[row]!),
    probabilities: replay.probabilities.map(pick),
    quality: replay.quality.map(pick),
    costUsd: replay.costUsd.map((column) => column && pick(column)),
    ...(replay.cascade && { cascade: pickReplies(replay.cascade, pick) }),
    ...(replay.labels && { labels: pickLabels(replay.labels, rows, pick) }),
  };
}

function pickLabels(
  { judged, audited, people }: JudgedLabels,
  rows: Uint32Array,
  pick: (column: Float64Array) => Float64Array,
): JudgedLabels {
  const flags = (column: Uint8Array) => Uint8Array.from(rows, (row) => column[row]!);
  return { judged: flags(judged), audited: flags(audited), people: people.map(pick) };
}

function pickReplies(
  { checkedFrom, keptFrom, replyLosses, logprobs, latencyMs }: ReplayedCascade,
  pick: (column: Float64Array) => Float64Array,
): ReplayedCascade {
  return {
    checkedFrom: checkedFrom.map(pick),
    keptFrom: keptFrom.map(pick),
    replyLosses: replyLosses.map(pick),
    logprobs: pick(logprobs),
    latencyMs: latencyMs.map(pick),
  };
}

function caseTraits(
  {
    id,
    key,
    group,
    label,
    task,
    isTaskPredicted,
    source,
    language,
    turns,
    tools,
    weight,
    sessionTurn,
    text,
  }: Case,
  hashes: TextHashes,
): Traits {
  return {
    id,
    key,
    characters: text.length,
    ...hashes,
    ...(group !== undefined && { group }),
    ...(label !== undefined && { label }),
    ...(task !== undefined && { task }),
    ...(source !== undefined && { source }),
    ...(isTaskPredicted && { isTaskPredicted }),
    ...(language !== undefined && { language }),
    ...(turns !== undefined && { turns }),
    ...(tools !== undefined && { tools }),
    ...(weight !== undefined && { weight }),
    ...(sessionTurn && { session: sessionTurn.session }),
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

/** For a text that is not scored: it escalates at every threshold below 1, as it does when served. */
export function strongestAlone(rungs: number): Float32Array {
  return Float32Array.from({ length: rungs }, (_, rung) => Number(rung === rungs - 1));
}

interface ReplayOptions {
  /** Hashes of the cases, if they are known already. */
  readonly fingerprints?: HashedCases;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The cases as the artifact's own graph scores them, and its judges their replies. */
export function replayCases(
  cases: readonly Case[],
  { manifest }: ArtifactFiles,
  classifier: Classifier,
  { fingerprints, onProgress = () => {} }: ReplayOptions = {},
): Promise<Replay> {
  const { ladder, cascade } = manifest;
  async function* scored(): AsyncGenerator<ScoredCase> {
    for (const [row, one] of cases.entries()) {
      yield {
        one,
        ...(await scoreText(one.text, (model) => replyOf(one, model), classifier, manifest)),
      };
      onProgress(row + 1, cases.length);
    }
  }
  return collectReplay(scored(), ladder, cascade, fingerprints);
}

/** @param replyBy what is known about a model's reply to the text */
export async function scoreText(
  text: string,
  replyBy: (model: string) => Reply | undefined,
  classifier: Classifier,
  { ladder, cascade }: Pick<Manifest, 'ladder' | 'cascade'>,
): Promise<ScoredText> {
  const scores = await classifier.scoreForDecision(text);
  const scored: ScoredText =
    typeof scores === 'string'
      ? { probabilities: strongestAlone(ladder.length), unscored: scores }
      : { probabilities: scores };
  if (cascade === undefined) return scored;
  const replies = checkedModels(ladder.map(({ model }) => model)).map(replyBy);
  if (replies.every((reply) => reply === undefined))
    return { ...scored, replyLosses: replies.map(() => undefined) };
  const logits = await classifier.logits(text);
  const rungs = checkedRungs(cascade);
  return {
    ...scored,
    replyLosses: replies.map(
      (reply, rung) => reply && judgeReply(rungs[rung]!.judge, logits, text, reply).predictedLoss,
    ),
  };
}

/**
 * What `chooseRung` compares with the threshold, one a rung: the probabilities, or of a cascade minus the level from which on the rung keeps the request.
 * A reply that is not known counts as good enough.
 */
export function rungScores(
  { probabilities, replyLosses = [] }: ScoredText,
  cascade?: Cascade,
): ArrayLike<number> {
  if (cascade === undefined) return probabilities;
  const levels = checkedRungs(cascade).map((limits, rung) =>
    keptFrom(limits, predictedLoss(probabilities, rung), replyLosses[rung]),
  );
  return [...levels.map((level) => -level), 0];
}

/** The rung that a policy chooses. */
export function rungOf(scored: ScoredText, threshold: number, cascade?: Cascade): number {
  return chooseRung(rungScores(scored, cascade), threshold);
}
