import type { ArtifactFiles } from '../../router/artifact/index.ts';
import {
  type Classifier,
  classifierInput,
  createOnnxClassifier,
  featureExtractor,
  goldenHolds,
} from '../../router/classifier/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { Case } from '../cases/index.ts';
import { collectReplay, type Replay, type ScoredCase } from './replay.ts';

/**
 * An artifact's classifier, its golden cases checked: hashes were when it was read; golden cases show another tokenizer, another runtime,
 * or a graph that was rewritten with its hash.
 * @throws PlimsollError `invalid-artifact`, `weights-missing`
 */
export async function artifactClassifier(artifact: ArtifactFiles, allowHub: boolean): Promise<Classifier> {
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

/** For a text that the classifier cannot read: it escalates at every threshold below 1, as it does when served. */
function strongestAlone(rungs: number): Float32Array {
  return Float32Array.from({ length: rungs }, (_, rung) => Number(rung === rungs - 1));
}

/** The cases as the artifact's own graph scores them. */
export function replayed(
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
