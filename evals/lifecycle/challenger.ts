import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  type ArtifactFiles,
  assertWritable,
  MANIFEST_FILE,
  type Manifest,
  readArtifact,
  sha256OfJson,
  writeArtifact,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { uninterrupted } from '../../router/files/index.ts';
import type { ThresholdRule } from '../threshold/index.ts';
import type { LabelledData } from './labelled-data.ts';
import type { OnProgress } from './progress.ts';
import { artifactName, train } from './train.ts';

export interface ChallengerOptions {
  readonly rule: ThresholdRule;
  readonly out: string;
  /** Replace what is there, even if training could be skipped. */
  readonly force: boolean;
  readonly allowHub: boolean;
  readonly onProgress?: OnProgress;
}

export interface Challenger {
  readonly artifact: ArtifactFiles;
  /** It was in `out` already, trained from the very same: training was skipped. */
  readonly resumed: boolean;
}

/**
 * An artifact with the champion's ladder, encoder and split seed, trained on the given cases: both hold out the same questions. Trained
 * and written, or taken from `out` if the very same training has written it.
 * @throws PlimsollError as `train` and `writeArtifact`
 */
export async function trainChallenger(
  champion: ArtifactFiles,
  data: Required<LabelledData>,
  options: ChallengerOptions,
): Promise<Challenger> {
  const { out, force, rule, allowHub, onProgress } = options;
  const finished = force ? undefined : findFinished(champion, data.source, options);
  if (finished !== undefined) return { artifact: finished, resumed: true };
  assertWritable(out, { replace: force });
  const { ladder, encoder, split } = champion.manifest;
  const draft = await train(data, {
    name: artifactName(out),
    ladder,
    encoder: encoder.id,
    allowHub,
    rule,
    seed: split.seed,
    modelCardNotes: modelCardNote(champion),
    ...(onProgress && { onProgress }),
  });
  uninterrupted(() => writeArtifact(out, draft, { replace: force }));
  return { artifact: readArtifact(out), resumed: false };
}

/** Called before long work. @throws PlimsollError `invalid-input` if `out` cannot become the challenger */
export function assertChallengerPlace(out: string, champion: ArtifactFiles, force: boolean): void {
  artifactName(out);
  if (path.resolve(out) === path.resolve(champion.folder)) {
    throw new PlimsollError(
      'invalid-input',
      `--out ${out} is the champion itself. Name another folder: the champion stays as it is, to be compared with and to go back to.`,
      { place: { file: out } },
    );
  }
  if (force || !isArtifact(out)) assertWritable(out, { replace: force });
}

/** The artifact at `out`, if it was trained from these data and this champion, with its seed and by this rule. */
function findFinished(
  champion: ArtifactFiles,
  source: Manifest['data'],
  { out, rule }: ChallengerOptions,
): ArtifactFiles | undefined {
  if (!isArtifact(out)) return undefined;
  const artifact = readArtifact(out);
  const { data, split, policy, ladder, encoder } = artifact.manifest;
  const theirs = champion.manifest;
  const same =
    artifact.modelCard.includes(modelCardNote(champion)) &&
    isSame(data, source) &&
    split.seed === theirs.split.seed &&
    isSame(policy.chosen_by, rule) &&
    isSame(ladder, theirs.ladder) &&
    isSame(encoder.id, theirs.encoder.id);
  return same ? artifact : undefined;
}

function isArtifact(folder: string): boolean {
  return existsSync(path.join(folder, MANIFEST_FILE));
}

function isSame(one: unknown, other: unknown): boolean {
  return sha256OfJson(one) === sha256OfJson(other);
}

/** In the model card, which the manifest binds by its hash: whose place the challenger is meant to take. */
function modelCardNote({ manifest, sha256 }: ArtifactFiles): string {
  return `## Challenger\n\nTrained to take the place of \`${manifest.name}\` (sha256 of its manifest \`${sha256}\`), with its ladder, encoder and split seed. How the two compare on the sealed cases stands in \`comparison.json\`, beside this card.`;
}
