import type { ArtifactFiles } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  type Case,
  type CopyHashes,
  copyHashes,
  DEFAULT_SHARES,
  hashCases,
  partBySeen,
  seenQuestions,
  splitByKey,
} from '../cases/index.ts';
import type { HashedRequest } from './population.ts';

export interface HeldOutCases {
  /** What the gate judges: no question of theirs was seen in training or calibration. In the order of the data. */
  readonly heldOut: readonly Case[];
  /** What each of them shares with its copies. */
  readonly hashes: readonly CopyHashes[];
  /** sha256 over ids and keys of the held-out cases. */
  readonly sha256: string;
  /** What was left out, by reason. */
  readonly excluded: {
    /** Their question was seen in training or calibration. */
    readonly seen: number;
    /** It was not, but its text differs only in case, white space, punctuation and numbers at either end from one that was. */
    readonly seenCopies: number;
    /** Not seen, but tied by a group to a question that was. */
    readonly seenGroup: number;
  };
  /** The held-out cases and the copies that were left out: requests as they come. */
  readonly requests: readonly HashedRequest[];
  /** Held-out cases that differ from a seen one only in numbers within the text. */
  readonly alike: number;
  /** What a person should know about it, a line each. */
  readonly notes: readonly string[];
}

/**
 * The cases that the gate may look at: all that the artifact has not learned from, whatever file they come in. Of the file that it was
 * trained on this is the test part; of a file with both, the test part and whatever is new.
 * @throws PlimsollError `insufficient-data` if no case is left
 */
export function heldOutCases(cases: readonly Case[], artifact: ArtifactFiles): HeldOutCases {
  const { manifest } = artifact;
  const known = seenQuestions(artifact.seenQuestions);
  const hashes = cases.map(({ text }) => copyHashes(text));
  const sightings = cases.map((one, row) => known.sighting(one, hashes[row]));
  // what was chosen to be learned from is no sample of the requests, whether or not this artifact has learned from it
  const parts = partBySeen(cases, (one, row) => sightings[row] !== undefined || one.isForTraining === true);
  const { unseen, unseenRows, seen, tied } = parts;
  if (unseen.length === 0) throw nothingLeft(cases.length, seen.length, manifest.name);
  const chosen = seen.filter(({ isForTraining }) => isForTraining === true).length;
  const seenCopies = sightings.filter((sighting) => sighting === 'copy').length;
  const unseenHashes = Array.from(unseenRows, (row) => hashes[row]!);
  const alike = unseenHashes.filter(known.isAlike).length;
  return {
    heldOut: unseen,
    hashes: unseenHashes,
    sha256: hashCases(unseen),
    excluded: { seen: seen.length - seenCopies, seenCopies, seenGroup: tied.length },
    requests: cases.flatMap(({ text }, row) =>
      sightings[row] === 'question' ? [] : [{ text, copyHash: hashes[row]!.copyHash }],
    ),
    alike,
    notes: [
      ...(chosen === 0
        ? []
        : [
            `${chosen} cases were chosen to be learned from (label --select): they are no sample of the requests, and are left out as if they were seen.`,
          ]),
      ...(known.knowsCopies ? [] : [withoutCopies(manifest.name)]),
      ...(alike === 0 ? [] : [alikeNote(alike, unseen.length, manifest.name)]),
    ],
  };
}

function alikeNote(alike: number, n: number, artifact: string): string {
  return `${alike} of ${n} held-out cases differ from what ${artifact} has learned from only in numbers within the text. As requests of one template they count; if they are copies of the training data they measure memory, and have no place here.`;
}

function withoutCopies(artifact: string): string {
  return `${artifact} was trained by a version that kept no hashes of copies: a question that it has learned from, with another number in it or at its end, counts as new. Train it again with \`plimsoll train\`; until its verdict expires it serves as before.`;
}

/**
 * For a challenger that is trained with the champion's seed: the champion must not have learned from the part that is held out, or the
 * comparison would flatter it.
 * @throws PlimsollError `invalid-input` if it has
 */
export function requireHeldOutFrom(champion: ArtifactFiles, cases: readonly Case[]): void {
  const { seed } = champion.manifest.split;
  requireUnseen(splitByKey(cases, DEFAULT_SHARES, seed).test, champion);
}

/**
 * Copies are no error: two templates may be on both sides of a split, and the gate leaves out those that were seen.
 * @throws PlimsollError `invalid-input` if the question of one of the cases was seen in training or calibration of the artifact
 */
export function requireUnseen(
  heldOut: readonly Case[],
  { manifest, seenQuestions: marks }: ArtifactFiles,
): void {
  const known = seenQuestions(marks);
  const leaked = heldOut.filter((one) => known.sighting(one) === 'question');
  if (leaked.length === 0) return;
  const calibrated =
    manifest.split.calibration === undefined
      ? ''
      : ' If it was trained when a part of its data still calibrated, that part is sealed now: train it anew with `plimsoll train` first.';
  throw new PlimsollError(
    'invalid-input',
    `${leaked.length} of the ${heldOut.length} sealed cases (the first: ${JSON.stringify(leaked[0]!.id)}) ask questions that ${manifest.name} saw in training or calibration: one question is on both sides of the split. Give the data that it was trained on, unchanged, with cases that it has never seen, or leave these rows out.${calibrated}`,
  );
}

function nothingLeft(all: number, seen: number, artifact: string): PlimsollError {
  const tied = all > seen ? `, or share a group with one that it saw (${all - seen})` : '';
  return new PlimsollError(
    'insufficient-data',
    `No case is left to judge: all ${all} ask questions that ${artifact} saw in training or calibration, or copies of them (${seen})${tied}. Give cases that it has never seen, or the whole file that it was trained on: its test part was kept sealed.`,
  );
}
