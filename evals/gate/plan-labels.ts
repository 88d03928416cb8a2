import { createHash } from 'node:crypto';
import { createReadStream, existsSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ArtifactFiles, readArtifact, resolveArtifact } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { chooseRung, predictedLoss } from '../../router/policy/index.ts';
import {
  casesNeeded,
  clopperPearsonInterval,
  differenceBound,
  shuffledOrder,
} from '../../router/statistics/index.ts';
import {
  type CaseRow,
  checkedModels,
  fileError,
  type PromptRowOptions,
  partBySeen,
  promptRows,
  replyOf,
  requireJsonLines,
  seenQuestions,
  writeCases,
} from '../cases/index.ts';
import { hashText, type TextHashes } from './case-fingerprints.ts';
import {
  hashKeys,
  type LabelPlan,
  planFileOf,
  repeatsInPool,
  STEPS_PER_UNIT,
  sealedPlan,
} from './label-plan.ts';
import { countRepeats } from './repeats.ts';
import { openArtifactClassifier, rungScores, scoreText } from './replay.ts';

export interface PlanLabelsRequest {
  /** Folder of the artifact, or of a store: then its current one. */
  readonly artifact: string;
  /** Files of prompts, as they come: a random sample of the traffic. Their outcomes are not read. */
  readonly prompts: readonly string[];
  /** The file to write, .jsonl or .jsonl.gz; the plan goes beside it, as .plan.json. */
  readonly out: string;
  /** Replace them if they are there. Default false. */
  readonly force?: boolean;
  /** How many prompts to draw; all below the limit if there are fewer. */
  readonly n: number;
  /** The quality loss that is to be certified, above 0 and at most 1, and the confidence. */
  readonly margin: number;
  readonly confidence: number;
  /** Draw from the scores up to this, in [-1, 1). Default: where all below is expected to lose 1.5 times the margin. */
  readonly limit?: number;
  readonly reading?: Omit<PromptRowOptions, 'onNotes'>;
  readonly created?: Date;
  readonly allowHub?: boolean;
  /** Called with how many prompts are scored. */
  readonly onProgress?: (scored: number) => void;
}

export interface PlannedLabels {
  readonly plan: LabelPlan;
  readonly planFile: string;
  readonly forecast: LabelForecast;
  /** What a person should know about the prompts: rejected rows by kind, names that were not read. A line each. */
  readonly notes: readonly string[];
}

/** What the labels will probably certify, if the policy loses half the margin and the classifier is right about how. */
export interface LabelForecast {
  readonly qualityLoss: number;
  /** The smallest margin that the drawn labels will probably certify. */
  readonly certifiedMargin: number;
  /** About how many labels the margin itself will take, at least those that are drawn; undefined above 100,000. */
  readonly labelsNeeded: number | undefined;
}

/** The limit is where all that lies below is expected to lose this many times the margin: no walk towards the margin gets there. */
const MARGINS_TO_LIMIT = 1.5;
/** The highest limit, in steps: at 1 also texts that the classifier cannot read would stay cheap. */
const LAST_STEP = STEPS_PER_UNIT - 1;
const INTERVAL_CONFIDENCE = 0.95;
/** Orders in which a forecast takes the labels; the median counts. */
const FORECAST_ORDERS = 5;
const MOST_NEEDED = 100_000;
/** With fewer lost labels, rounding to whole ones would decide a forecast. */
const LEAST_LOSSES = 10;

/**
 * Draws the prompts that are worth a label from a pool of unlabelled ones, and writes them with a plan of how they were drawn. A prompt that the
 * policy surely escalates loses nothing and needs no label, so only prompts with a score up to a limit are drawn. The limit follows from
 * scores alone, and the order from a hash of each key and of which repeat of it the prompt is: no label has a say, and there is no seed to try.
 * Questions that the artifact has seen are left out first, as in the gate. No model is called.
 *
 * @throws PlimsollError 'invalid-input': an option out of range, a file of prompts that cannot be read, or one to write that exists;
 *   'insufficient-data': no prompt that the artifact has not seen, or none up to the limit; otherwise as readArtifact and openArtifactClassifier
 */
export async function planLabels(request: PlanLabelsRequest): Promise<PlannedLabels> {
  const { prompts, out, n, margin, confidence, reading = {} } = request;
  requireOptions(request);
  requirePrompts(request);
  const artifact = readArtifact(resolveArtifact(request.artifact));
  const planFile = freePlanFile(request);
  const notes: string[] = [];
  const onNotes = (lines: readonly string[]) => notes.push(...lines);
  const all = await scorePool(artifact, prompts, { ...request, reading: { ...reading, onNotes } });
  const { unseen: pool, seen, tied } = partBySeen(all, (one) => one.seen);
  if (pool.length === 0) throw nothingUnseen(all.length, artifact.manifest.name);
  const limit = request.limit ?? stepReaching(pool, MARGINS_TO_LIMIT * margin);
  const below = pool.filter(({ score }) => score <= limit);
  if (below.length === 0) throw nothingBelow(pool, limit);
  const drawn = drawPrompts(pool, limit, n);
  const interval = clopperPearsonInterval(below.length, pool.length, 1 - INTERVAL_CONFIDENCE);
  const { name } = artifact.manifest;
  const { repeats, copies } = countRepeats((hash) => Float64Array.from(pool, (one) => one[hash]));
  const plan = sealedPlan({
    schema_version: 1,
    artifact: { name, sha256: artifact.sha256 },
    margin,
    limit_by: request.limit === undefined ? 'predicted-loss' : 'given',
    limit,
    pool: {
      rows: pool.length,
      excluded: { seen: seen.length, seen_group: tied.length },
      repeats: { texts: repeats, copies },
      files: await Promise.all(
        prompts.map(async (file) => ({ file: path.basename(file), sha256: await fileSha256(file) })),
      ),
    },
    below_limit: {
      rows: below.length,
      share: below.length / pool.length,
      interval: { ...interval, confidence: INTERVAL_CONFIDENCE },
      ...countScores(below),
    },
    drawn: { n: drawn.length, keys_sha256: hashKeys(drawn.map(({ key }) => key)) },
    created: (request.created ?? new Date()).toISOString(),
  });
  const rows = await readDrawn(drawn, prompts, repliesFor(artifact, reading));
  await writeCases(
    out,
    rows.map((row) => ({ ...row, label_plan: plan.sha256 })),
  );
  replaceFile(planFile, `${JSON.stringify(plan, null, 2)}\n`, { what: 'the plan of labels' });
  const repeated = repeatsInPool(plan);
  if (repeated !== undefined) notes.push(`${repeated}.`);
  return { plan, planFile, forecast: forecastOf(pool, plan, confidence), notes };
}

/** A prompt of the pool, without its text. */
interface ScoredPrompt extends TextHashes {
  /** Its place among the prompts of the files. */
  readonly index: number;
  readonly key: string;
  readonly group?: string;
  readonly seen: boolean;
  /** One a rung, cheapest first. */
  readonly probabilities: readonly number[];
  /** What the threshold is compared with, one a rung (rungScores). */
  readonly scores: ArrayLike<number>;
  /** The threshold from which on it may stay below the strongest rung. */
  readonly score: number;
}

/** A cascade decides by the replies of all models but the strongest too. */
function repliesFor(
  { manifest: { cascade, ladder } }: ArtifactFiles,
  reading: PromptRowOptions,
): PromptRowOptions {
  return cascade === undefined
    ? reading
    : { ...reading, repliesOf: checkedModels(ladder.map(({ model }) => model)) };
}

async function scorePool(
  artifact: ArtifactFiles,
  files: readonly string[],
  {
    reading,
    allowHub = false,
    onProgress = () => {},
  }: Pick<PlanLabelsRequest, 'allowHub' | 'onProgress'> & { readonly reading: PromptRowOptions },
): Promise<ScoredPrompt[]> {
  const { manifest } = artifact;
  const checked = checkedModels(manifest.ladder.map(({ model }) => model));
  const known = seenQuestions(artifact.seenQuestions);
  const classifier = await openArtifactClassifier(artifact, allowHub);
  const pool: ScoredPrompt[] = [];
  const withReply = new Set<string>();
  let probability: number | undefined;
  try {
    for await (const { one, row } of promptRows(files, repliesFor(artifact, reading))) {
      const { key, group, text } = one;
      const own = probabilityOf(row);
      probability ??= own;
      if (own !== probability) throw drawnUnequally(one.id, own, probability);
      const scored = await scoreText(text, (model) => replyOf(one, model), classifier, manifest);
      scored.replyLosses?.forEach((loss, rung) => {
        if (loss !== undefined) withReply.add(checked[rung]!);
      });
      const probabilities = Array.from(scored.probabilities); // a typed array a prompt takes three times the memory
      const scores = rungScores({ ...scored, probabilities }, manifest.cascade);
      pool.push({
        index: pool.length,
        key,
        ...hashText(text),
        ...(group !== undefined && { group }),
        seen: known.sighting(one) !== undefined,
        probabilities,
        scores,
        score: escalationScore(scores),
      });
      onProgress(pool.length);
    }
  } finally {
    await classifier.close();
  }
  const without = checked.find((model) => !withReply.has(model));
  if (manifest.cascade !== undefined && without !== undefined && pool.length > 0)
    throw withoutReplies(manifest.name, without);
  return pool;
}

function probabilityOf({ sampling_probability: probability }: CaseRow): number {
  return typeof probability === 'number' ? probability : 1;
}

/** The share below the limit is of requests that count once each. */
function drawnUnequally(id: string, own: number, before: number): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `The prompt ${JSON.stringify(id)} was drawn with the probability ${own}, and those before it with ${before}: these prompts are no even sample of the traffic, and a plan counts each of them once. Take prompts that were all drawn with one probability; or label cases from all of them and gate these without a plan, with largest_weight in the suite.`,
    { place: { field: 'sampling_probability' } },
  );
}

function withoutReplies(name: string, model: string): PlimsollError {
  return new PlimsollError(
    'insufficient-data',
    `No prompt says anything of the reply of ${model}, and ${name} is a cascade: without it nearly every prompt may stay cheap. Give outcomes.${model} at least one of answer (the text), confidence_logprob and signals; no label is read.`,
  );
}

/** The threshold from which on a request may stay below the strongest rung. @param scores one a rung (rungScores) */
export function escalationScore(scores: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let rung = 0; rung < scores.length - 1; rung++) {
    least = Math.min(least, predictedLoss(scores, rung));
  }
  return least;
}

/**
 * The smallest step at which the predicted loss of the prompts up to it, summed and divided by the whole pool, reaches a mean loss; the last
 * step below 1 if none does. With middle rungs a prompt counts with its smallest predicted loss, which errs towards a higher limit.
 */
export function stepReaching(pool: readonly Pick<ScoredPrompt, 'score'>[], meanLoss: number): number {
  const rising = pool.map(({ score }) => score).sort((a, b) => a - b);
  let lost = 0;
  let next = 0;
  for (let step = -STEPS_PER_UNIT; step < LAST_STEP; step++) {
    while (next < rising.length && rising[next]! <= step / STEPS_PER_UNIT) lost += rising[next++]!;
    if (lost / pool.length >= meanLoss) return step / STEPS_PER_UNIT;
  }
  return LAST_STEP / STEPS_PER_UNIT;
}

/** The first n up to the limit, in the order of their hashes: also a part of them, from the top, is a random sample. */
function drawPrompts(pool: readonly ScoredPrompt[], limit: number, n: number): ScoredPrompt[] {
  const repeats = new Map<string, number>();
  const hashed = pool.flatMap((prompt) => {
    const repeat = repeats.get(prompt.key) ?? 0;
    repeats.set(prompt.key, repeat + 1);
    return prompt.score <= limit ? [{ prompt, hash: drawHash(prompt.key, repeat) }] : [];
  });
  hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return hashed.slice(0, n).map(({ prompt }) => prompt);
}

/** Each repeat of a question has its own: were they drawn together, the sample would be one of questions and not of requests. */
function drawHash(key: string, repeat: number): string {
  return createHash('sha256').update(`plan-labels\n${repeat}\n${key}`).digest('hex');
}

function countScores(below: readonly ScoredPrompt[]): { first_step: number; counts: number[] } {
  const steps = below.map(({ score }) => stepAbove(score));
  const first = steps.reduce((a, b) => Math.min(a, b));
  const last = steps.reduce((a, b) => Math.max(a, b));
  const counts = new Array<number>(last - first + 1).fill(0);
  for (const step of steps) counts[step - first]! += 1;
  return { first_step: first, counts };
}

/** The smallest step that is at least the score, by the comparison that the policy makes. */
function stepAbove(score: number): number {
  const step = Math.floor(score * STEPS_PER_UNIT);
  return [step - 1, step, step + 1].find((one) => score <= one / STEPS_PER_UNIT) ?? step + 2;
}

/** Reads the files again for the rows of the drawn prompts; the pool is too large to keep. */
async function readDrawn(
  drawn: readonly ScoredPrompt[],
  files: readonly string[],
  { columns, maxRejectShare, repliesOf }: PromptRowOptions,
): Promise<CaseRow[]> {
  const places = new Map(drawn.map(({ index }, place) => [index, place]));
  const rows: CaseRow[] = [];
  const options = {
    ...(columns && { columns }),
    ...(maxRejectShare !== undefined && { maxRejectShare }),
    ...(repliesOf !== undefined && { repliesOf }),
  };
  let [index, found] = [0, 0];
  for await (const { row, one } of promptRows(files, options)) {
    const place = places.get(index++);
    if (place === undefined) continue;
    if (one.key !== drawn[place]!.key) throw changed(files);
    rows[place] = row;
    found += 1;
  }
  if (found < drawn.length) throw changed(files);
  return rows;
}

/**
 * The losses of labels with qualities of 0 and 1: half the margin is lost, and what the cheaper models gain is as the classifier expects it
 * at the threshold where it expects that loss, if models fail independently of each other. The share of the pool counts at its upper bound.
 */
function forecastOf(
  pool: readonly ScoredPrompt[],
  { margin, limit, below_limit: below, drawn }: LabelPlan,
  confidence: number,
): LabelForecast {
  const delta = 1 - confidence;
  const qualityLoss = margin / 2;
  const gained = expectedGain(pool, Math.min(limit, stepReaching(pool, qualityLoss))) / below.rows;
  const lost = Math.min(1 - gained, gained + qualityLoss / below.share);
  /** The losses of so many labels, in one of the orders. */
  const losses = (n: number, seed: number) => {
    const [ones, minusOnes] = [Math.round(n * lost), Math.round(n * gained)];
    return Float64Array.from(shuffledOrder(n, seed), (i) => (i < ones ? 1 : i < ones + minusOnes ? -1 : 0));
  };
  const bounds = Array.from({ length: FORECAST_ORDERS }, (_, i) =>
    differenceBound.upper(losses(drawn.n, i + 1), delta),
  ).sort((x, y) => x - y);
  const { high } = below.interval;
  const certifiedMargin = Math.min(1, high * bounds[Math.floor(FORECAST_ORDERS / 2)]!);
  if (certifiedMargin <= margin) return { qualityLoss, certifiedMargin, labelsNeeded: drawn.n };
  const enoughToRound = Math.max(drawn.n, Math.ceil(LEAST_LOSSES / lost));
  const labelsNeeded = casesNeeded(losses(enoughToRound, 1), Math.min(1, margin / high), delta, {
    bound: differenceBound,
    most: MOST_NEEDED,
  });
  return { qualityLoss, certifiedMargin, labelsNeeded };
}

/** How many prompts that are kept from the strongest model do better than with it. */
function expectedGain(pool: readonly ScoredPrompt[], threshold: number): number {
  let gained = 0;
  for (const { score, scores, probabilities } of pool) {
    if (score > threshold) continue;
    const routed = probabilities[chooseRung(scores, threshold)]!;
    gained += routed * (1 - probabilities[probabilities.length - 1]!);
  }
  return gained;
}

async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function requireOptions({ n, margin, limit, prompts }: PlanLabelsRequest): void {
  const fail = (what: string) => new PlimsollError('invalid-input', what);
  if (prompts.length === 0) throw fail('Name at least one file of prompts.');
  if (!(Number.isInteger(n) && n >= 1)) {
    throw fail(`The number of prompts to draw must be a whole number of at least 1, not ${n}.`);
  }
  if (!(margin > 0 && margin <= 1)) throw fail(`The margin must be above 0 and at most 1, not ${margin}.`);
  if (limit !== undefined && !(limit >= -1 && limit < 1)) {
    throw fail(`The limit of the predicted loss must be at least -1 and below 1, not ${limit}.`);
  }
}

/** What is missing is said before what is there already: of the two it is the one that no flag helps. */
function requirePrompts({ prompts, out }: PlanLabelsRequest): void {
  requireJsonLines(out);
  for (const file of prompts) {
    if (path.resolve(file) === path.resolve(out)) {
      throw new PlimsollError('invalid-input', `${out}: the output is one of the files of prompts.`, {
        place: { file: out },
      });
    }
    const known = statOf(file);
    if (!known.isFile() && !known.isDirectory()) {
      throw new PlimsollError(
        'invalid-input',
        `${file}: the prompts are read twice, and a pipe can be read only once. Save them to a file.`,
        { place: { file } },
      );
    }
  }
}

function statOf(file: string): Stats {
  try {
    return statSync(file);
  } catch (cause) {
    throw fileError(file, cause);
  }
}

/** The name of the plan's file, if neither it nor that of the prompts is there. */
function freePlanFile({ out, force = false }: PlanLabelsRequest): string {
  const planFile = planFileOf(out);
  const there = [out, planFile].find((file) => !force && existsSync(file));
  if (there === undefined) return planFile;
  throw new PlimsollError(
    'invalid-input',
    `${there}: there already. Labels may have been entered by it; --force replaces it.`,
    { place: { file: there } },
  );
}

function nothingUnseen(all: number, artifact: string): PlimsollError {
  return new PlimsollError(
    'insufficient-data',
    `No prompt is left to label: all ${all} are of questions that ${artifact} saw in training or calibration, or share a group with one. Give prompts that it has never seen.`,
  );
}

function nothingBelow(pool: readonly ScoredPrompt[], limit: number): PlimsollError {
  const least = pool.reduce((smallest, { score }) => Math.min(smallest, score), Number.POSITIVE_INFINITY);
  return new PlimsollError(
    'insufficient-data',
    `No prompt of ${pool.length} has a predicted loss of at most ${limit}: the smallest is ${least.toFixed(4)}. At this limit everything is escalated, and nothing needs a label; give a higher --limit, or leave it out.`,
  );
}

function changed(files: readonly string[]): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `The prompts of ${files.join(', ')} changed while they were read. Run it again once the files are complete.`,
  );
}
