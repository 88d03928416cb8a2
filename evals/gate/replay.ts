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

/** What slices are cut by. No prompt text. */
export interface Traits
  extends Pick<Case, 'id' | 'key' | 'task' | 'source' | 'language' | 'turns' | 'tools'> {
  /** Length of the routed text, in UTF-16 units. */
  readonly characters: number;
}

/** Labelled cases with what a classifier says of them, in columns: one entry a case, and no text. */
export interface Replay {
  readonly n: number;
  readonly traits: readonly Traits[];
  /** Calibrated, [rung][case], cheapest rung first. */
  readonly probabilities: readonly Float64Array[];
  /** [rung][case], 0..1. */
  readonly quality: readonly Float64Array[];
  /** [rung][case], US dollars; undefined for a rung unless the cost of every case is known. */
  readonly costUsd: readonly (Float64Array | undefined)[];
}

export interface ScoredCase {
  readonly one: Case;
  /** One a rung, cheapest first. */
  readonly probabilities: ArrayLike<number>;
}

/**
 * Collects scored cases into a replay, one at a time: a stream of a million keeps a few hundred bytes a case and no text.
 * @param ladder whose models' outcomes count; each case has one of every rung
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
      const outcome = one.outcomes.get(model)!;
      probabilities[rung]!.push(scores[rung]!);
      quality[rung]!.push(outcome.quality);
      if (outcome.costUsd === undefined) costUsd[rung] = undefined;
      else costUsd[rung]?.push(outcome.costUsd);
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

function caseTraits({ id, key, task, source, language, turns, tools, text }: Case): Traits {
  return {
    id,
    key,
    characters: text.length,
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
      const rungs = manifest.ladder.length;
      const probabilities = classifier.reads(one.text)
        ? await classifier.score(one.text)
        : strongestAlone(rungs);
      yield { one, probabilities };
      onProgress(row + 1, cases.length);
    }
  }
  return collectReplay(scored(), manifest.ladder);
}
