import { hash } from 'node:crypto';
import type { ArtifactFiles, Rung } from '../../router/artifact/index.ts';
import {
  type Classifier,
  classifierInput,
  createOnnxClassifier,
  featureExtractor,
  goldenHolds,
} from '../../router/classifier/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { Case } from '../cases/index.ts';
import { copyHash } from './copy-hash.ts';

/** What slices are cut by. No prompt text. */
export interface Traits
  extends Pick<Case, 'id' | 'key' | 'group' | 'label' | 'task' | 'source' | 'language' | 'turns' | 'tools'> {
  /** Length of the routed text, in UTF-16 units. */
  readonly characters: number;
  /** 48 bits of the text's hash: equal texts have equal ones. */
  readonly textHash: number;
  /** See copyHash. */
  readonly copyHash: number;
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
}

export interface ScoredCase {
  readonly one: Case;
  /** One a rung, cheapest first. */
  readonly probabilities: ArrayLike<number>;
}

/**
 * Collects scored cases into a replay, one at a time: a stream of a million keeps a few hundred bytes a case and no text.
 * @param ladder whose models' outcomes count
 */
export async function collectReplay(
  cases: AsyncIterable<ScoredCase> | Iterable<ScoredCase>,
  ladder: readonly Rung[],
): Promise<Replay> {
  const traits: Traits[] = [];
  const probabilities = ladder.map(() => [] as number[]);
  const quality = ladder.map(() => [] as number[]);
  const costUsd = ladder.map((): number[] | undefined => []);
  for await (const { one, probabilities: scores } of cases) {
    traits.push(caseTraits(one));
    for (const [rung, { model }] of ladder.entries()) {
      const outcome = one.outcomes.get(model);
      probabilities[rung]!.push(scores[rung]!);
      quality[rung]!.push(outcome?.quality ?? Number.NaN);
      if (outcome !== undefined && outcome.costUsd === undefined) costUsd[rung] = undefined;
      else costUsd[rung]?.push(outcome?.costUsd ?? Number.NaN);
    }
  }
  return {
    n: traits.length,
    traits,
    probabilities: probabilities.map((column) => Float64Array.from(column)),
    quality: quality.map((column) => Float64Array.from(column)),
    costUsd: costUsd.map((column) => column && Float64Array.from(column)),
  };
}

/**
 * The cases that have the outcome of every candidate: what figures that need all of them are measured on.
 * @param order rows of the replay, in the order wanted
 */
export function labelledCases(
  replay: Replay,
  order: ArrayLike<number>,
): { replay: Replay; rows: Uint32Array } {
  const rows = Uint32Array.from(order).filter((row) => replay.quality.every((q) => !Number.isNaN(q[row]!)));
  const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row]!);
  return {
    rows,
    replay: {
      n: rows.length,
      traits: Array.from(rows, (row) => replay.traits[row]!),
      probabilities: replay.probabilities.map(pick),
      quality: replay.quality.map(pick),
      costUsd: replay.costUsd.map((column) => column && pick(column)),
    },
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

/** The cases as the artifact's own graph scores them. */
export function replayCases(
  cases: readonly Case[],
  { manifest }: ArtifactFiles,
  classifier: Classifier,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Replay> {
  async function* scored(): AsyncGenerator<ScoredCase> {
    for (const [row, one] of cases.entries()) {
      yield { one, probabilities: await scoresOf(one.text, classifier, manifest.ladder.length) };
      onProgress(row + 1, cases.length);
    }
  }
  return collectReplay(scored(), manifest.ladder);
}

/** Calibrated probabilities of some texts, [rung][text]. */
export async function scoreTexts(
  texts: readonly string[],
  classifier: Classifier,
  rungs: number,
): Promise<Float64Array[]> {
  const columns = Array.from({ length: rungs }, () => new Float64Array(texts.length));
  for (const [row, text] of texts.entries()) {
    const scores = await scoresOf(text, classifier, rungs);
    columns.forEach((column, rung) => {
      column[row] = scores[rung]!;
    });
  }
  return columns;
}

async function scoresOf(text: string, classifier: Classifier, rungs: number): Promise<ArrayLike<number>> {
  return classifier.reads(text) ? await classifier.score(text) : strongestAlone(rungs);
}
