import { createHash } from 'node:crypto';
import {
  readArtifact,
  resolveArtifact,
  servedPolicy,
  standingInFolder,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { COMMAND } from '../../router/package.ts';
import {
  type Case,
  type CaseRow,
  DEFAULT_SHARES,
  type NamedRows,
  type PromptRowOptions,
  partBySeen,
  promptRows,
  questionUnits,
  seenQuestions,
  splitByKey,
  writeCases,
} from '../cases/index.ts';
import { escalationScore, stepReaching } from './label-draw.ts';
import { openArtifactClassifier, rungScores, scoreText } from './replay.ts';

export interface SelectLabelsRequest {
  /** Folder of the artifact by whose scores is chosen, or of a store: then its current one. */
  readonly artifact: string;
  /** Requests as they come, or as they were captured, with the probability of their draw. */
  readonly prompts: readonly (string | NamedRows)[];
  /** The chosen requests, .jsonl or .jsonl.gz. */
  readonly out: string;
  /** About how many labels: 60 % to learn from and 40 % of sealed requests. */
  readonly n: number;
  /** The quality loss that is to be certified, above 0 and at most 1. */
  readonly margin: number;
  readonly reading?: PromptRowOptions;
  readonly allowHub?: boolean;
  readonly issued?: Date;
  readonly onProgress?: (scored: number) => void;
}

/** What was chosen of which pool. */
export interface SelectedLabels {
  /** To learn from: half of them stratified, half near the threshold. */
  readonly training: number;
  /** To be sealed, and those of them that need a label, since their score may stay cheap. */
  readonly sealed: { readonly n: number; readonly needed: number };
  /** With which a request of the sealed part is drawn. */
  readonly probability: number;
  /** Seed of the split: training on the labelled cases must use the same. */
  readonly seed: number;
  /** Scores up to this may stay cheap. */
  readonly limit: number;
  /** For the suite: the largest weight that a sealed request could get, whatever was drawn. */
  readonly largestWeight: number;
  /** The requests of the pool came with different probabilities: the suite needs `largest_weight`. */
  readonly isWeighted: boolean;
  /** Requests of the pool, without those whose question the artifact has seen. */
  readonly pool: number;
  readonly seen: number;
}

/** As in plan-labels: where all that lies below is expected to lose this many margins. */
const MARGINS_TO_LIMIT = 1.5;

/** A request of the pool. */
interface Pooled extends Pick<Case, 'id' | 'key' | 'group' | 'task' | 'language'> {
  readonly row: CaseRow;
  readonly score: number;
  readonly characters: number;
  /** With which it came into the pool. */
  readonly probability: number;
  /** Which of the requests with its question it is. */
  readonly repeat: number;
  readonly seen: boolean;
}

/**
 * Chooses which requests of a pool are worth a label, and writes them. The pool is split by question as `train` will split the labelled cases, with the seed of the
 * artifact, so that no question is in both parts:
 *
 * - of the part that is learned from, half the labels are stratified (task, language, length, score) and half are those nearest to the threshold that serves;
 * - of the part that is sealed, each request is drawn by itself with one probability, that goes into its row times the one with which it came into the pool: the
 *   gate weights by it. Only those whose score may stay cheap need a label, since an escalated request loses nothing; the others stay among the cases without one.
 *
 * Draws follow from hashes of the questions: no label has a say, and there is no seed to try. No model is called.
 *
 * @throws PlimsollError `invalid-input`: a cascade, whose scores depend on replies, or as promptRows; `insufficient-data`: nothing to choose from
 */
export async function selectLabels(request: SelectLabelsRequest): Promise<SelectedLabels> {
  const artifact = readArtifact(resolveArtifact(request.artifact));
  const { manifest } = artifact;
  if (manifest.cascade !== undefined) throw isCascade(manifest.name);
  const all = await scorePool(artifact, request);
  const { unseen: pool, seen, tied } = partBySeen(all, (one) => one.seen);
  const parts = splitByKey(pool, DEFAULT_SHARES, manifest.split.seed, { mayBeEmpty: true });
  const limit = stepReaching(pool, MARGINS_TO_LIMIT * request.margin);
  const { threshold } = servedPolicy(manifest, standingInFolder(artifact, request.issued ?? new Date()));
  const training = forTraining(parts.train, Math.round(DEFAULT_SHARES.train * request.n), threshold);
  const sealed = forSealing(parts.test, Math.round(DEFAULT_SHARES.test * request.n), limit);
  if (training.length === 0 || sealed.rows.length === 0) throw tooFew(all.length, pool.length, manifest.name);
  await writeCases(request.out, [
    ...training.map(({ row }) => ({ ...unweighted(row), label_pool: 'training' as const })),
    ...sealed.rows.map(({ row, probability, score }) => ({
      ...unweighted(row),
      label_pool: 'sealed' as const,
      label_needed: score <= limit,
      ...(probability < 1 && { sampling_probability: probability }),
    })),
  ]);
  const least = pool.reduce((smallest, one) => Math.min(smallest, one.probability), 1);
  return {
    training: training.length,
    sealed: {
      n: sealed.rows.length,
      needed: sealed.rows.filter(({ score }) => score <= limit).length,
    },
    probability: sealed.probability,
    seed: manifest.split.seed,
    limit,
    largestWeight: 1 / (least * sealed.probability),
    isWeighted: pool.some(({ probability }) => probability !== pool[0]!.probability),
    pool: pool.length,
    seen: seen.length + tied.length,
  };
}

function unweighted({ sampling_probability: _, weight: __, ...row }: CaseRow): CaseRow {
  return row;
}

async function scorePool(
  artifact: ReturnType<typeof readArtifact>,
  { prompts, reading = {}, allowHub = false, onProgress = () => {} }: SelectLabelsRequest,
): Promise<Pooled[]> {
  const { manifest } = artifact;
  const known = seenQuestions(artifact.seenQuestions);
  const classifier = await openArtifactClassifier(artifact, allowHub);
  const pool: Pooled[] = [];
  const repeats = new Map<string, number>();
  try {
    for await (const { row, one } of promptRows(prompts, reading)) {
      const { id, key, group, task, language, text } = one;
      const repeat = repeats.get(key) ?? 0;
      repeats.set(key, repeat + 1);
      const scored = await scoreText(text, () => undefined, classifier, manifest);
      const { sampling_probability: probability } = row;
      pool.push({
        id,
        key,
        ...(group !== undefined && { group }),
        ...(task !== undefined && { task }),
        ...(language !== undefined && { language }),
        row,
        score: escalationScore(rungScores(scored)),
        characters: text.length,
        probability: typeof probability === 'number' ? probability : 1,
        repeat,
        seen: known.sighting(one) !== undefined,
      });
      onProgress(pool.length);
    }
  } finally {
    await classifier.close();
  }
  return pool;
}

/** Upper ends of bands, the last one open. */
const LENGTHS = [200, 1_000];
const SCORES = [0, 0.1, 0.2, 0.4];

/** Half of them one of each stratum in turn, half those nearest to the threshold. */
function forTraining(pool: readonly Pooled[], n: number, threshold: number): Pooled[] {
  const byHash = pool.toSorted((a, b) => fractionOf('training', a) - fractionOf('training', b));
  const strata = new Map<string, Pooled[]>();
  for (const one of byHash) {
    const band = (ends: readonly number[], value: number) => ends.filter((end) => value > end).length;
    const stratum = JSON.stringify([
      one.task ?? null,
      one.language ?? null,
      band(LENGTHS, one.characters),
      band(SCORES, one.score),
    ]);
    const those = strata.get(stratum);
    if (those === undefined) strata.set(stratum, [one]);
    else those.push(one);
  }
  const chosen = new Set<Pooled>();
  for (let round = 0; chosen.size < Math.min(Math.floor(n / 2), pool.length); round++) {
    for (const those of strata.values()) {
      const one = those[round];
      if (one !== undefined && chosen.size < Math.floor(n / 2)) chosen.add(one);
    }
  }
  const nearest = byHash
    .filter((one) => !chosen.has(one))
    .sort((a, b) => Math.abs(a.score - threshold) - Math.abs(b.score - threshold));
  return [...chosen, ...nearest.slice(0, n - chosen.size)];
}

/**
 * Each by itself; where a group ties several questions together the whole group at once, so that the chosen part of it is split as the pool was. The
 * probability is such that about n of them need a label.
 */
function forSealing(pool: readonly Pooled[], n: number, limit: number) {
  const needed = pool.filter(({ score }) => score <= limit).length;
  const probability = needed === 0 ? 1 : Math.min(1, n / needed);
  const rows = questionUnits(pool).flatMap(({ members }) => {
    const unit = members.map((index) => pool[index]!);
    const isOneQuestion = unit.every(({ key }) => key === unit[0]!.key);
    const draws = isOneQuestion ? unit.map((one) => [one]) : [unit];
    return draws
      .filter((draw) => fractionOf('sealed', draw.reduce(leastOf)) < probability)
      .flatMap((draw) => draw.map((one) => ({ ...one, probability: one.probability * probability })));
  });
  return { rows, probability };
}

/** One request decides for its group, whatever the order. */
function leastOf(a: Pooled, b: Pooled): Pooled {
  return b.key < a.key || (b.key === a.key && b.repeat < a.repeat) ? b : a;
}

/** Even over [0, 1). */
function fractionOf(what: string, { key, repeat }: Pooled): number {
  const hash = createHash('sha256').update(`select ${what}\n${repeat}\n${key}`).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48;
}

function isCascade(name: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${name} is a cascade: which requests stay cheap depends on replies, and requests that nobody has answered cannot be chosen by its scores. Leave --select out, or draw with \`${COMMAND} plan-labels\` where replies are known.`,
  );
}

function tooFew(all: number, unseen: number, name: string): PlimsollError {
  return new PlimsollError(
    'insufficient-data',
    `There is nothing to choose from: of ${all} requests ${all - unseen} ask what ${name} has seen, and the others are too few for both parts. Give more requests.`,
  );
}
