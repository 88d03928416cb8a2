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
import { openEncoder, parseEncoderSpec } from '../../router/encoders/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type ReadingFlags, readingSection } from '../../scripts/labelled-data.ts';
import { uninterrupted } from '../../scripts/uninterrupted.ts';
import type { LoadedCases } from '../cases/index.ts';
import type { ThresholdRule } from '../threshold/index.ts';
import { artifactName } from './artifact-name.ts';
import { trainArtifact } from './train-artifact.ts';

/** As `train` has it unless told otherwise. */
const FOLDS = 5;

export interface ChallengerRequest {
  readonly champion: ArtifactFiles;
  readonly loaded: LoadedCases;
  readonly qualityField: string;
  /** How the data are written. */
  readonly reading: ReadingFlags;
  readonly rule: ThresholdRule;
  readonly out: string;
  /** Replace what is there, even where training could be skipped. */
  readonly force: boolean;
  readonly allowHub: boolean;
}

export interface Challenger {
  readonly artifact: ArtifactFiles;
  /** It lay there already, trained from the very same: training was skipped. */
  readonly resumed: boolean;
}

/**
 * An artifact with the champion's ladder, encoder and split seed, trained on the given cases: what is sealed for the one is sealed
 * for the other. Trained and written, or taken from `out` where the very same training has written it.
 * @throws PlimsollError as `trainArtifact` and `writeArtifact`
 */
export async function trainedChallenger(request: ChallengerRequest): Promise<Challenger> {
  const { out, force, champion, allowHub } = request;
  const there = force ? undefined : resumable(request);
  if (there !== undefined) return { artifact: there, resumed: true };
  assertWritable(out, { replace: force });
  const encoder = await openEncoder(parseEncoderSpec(champion.manifest.encoder.id, { allowHub }));
  try {
    const draft = await trainArtifact({
      name: artifactName(out),
      created: new Date().toISOString(),
      cases: request.loaded.cases,
      ladder: champion.manifest.ladder,
      encoder,
      rule: request.rule,
      seed: champion.manifest.split.seed,
      folds: FOLDS,
      data: dataOf(request),
      modelCardNotes: noteOf(champion),
    });
    uninterrupted(() => writeArtifact(out, draft, { replace: force }));
  } finally {
    await encoder.close();
  }
  return { artifact: readArtifact(out), resumed: false };
}

/** Asked before long work. @throws PlimsollError `invalid-input` where `out` cannot become the challenger */
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

/** The artifact at `out`, where it was trained from these data and this champion, with its seed and by this rule. */
function resumable(request: ChallengerRequest): ArtifactFiles | undefined {
  const { champion, out, rule } = request;
  if (!isArtifact(out)) return undefined;
  const artifact = readArtifact(out);
  const { data, split, policy, ladder, encoder } = artifact.manifest;
  const theirs = champion.manifest;
  const same =
    artifact.modelCard.includes(noteOf(champion)) &&
    isSame(data, dataOf(request)) &&
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

function dataOf({ loaded, qualityField, reading }: ChallengerRequest): Manifest['data'] {
  return {
    quality_field: qualityField,
    ...readingSection(loaded, reading),
    files: loaded.files.map(({ file, sha256, rows }) => ({ file: path.basename(file), sha256, rows })),
    rejected: loaded.rejectedCount,
    excluded: loaded.excluded.missingOutcome + loaded.excluded.duplicates,
  };
}

/** In the model card, which the manifest binds: whose place it shall take. */
function noteOf({ manifest, sha256 }: ArtifactFiles): string {
  return `## Challenger\n\nTrained to take the place of \`${manifest.name}\` (sha256 of its manifest \`${sha256}\`), with its ladder, encoder and split seed. How the two compare on the sealed cases stands in \`comparison.json\`, beside this card.`;
}
