import { createHash } from 'node:crypto';
import { createReadStream, existsSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ArtifactFiles, readArtifact, resolveArtifact } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { clopperPearsonInterval } from '../../router/statistics/index.ts';
import { fileError } from '../case-files/index.ts';
import {
  type CaseRow,
  checkedModels,
  type PromptRowOptions,
  partBySeen,
  promptRows,
  replyOf,
  requireJsonLines,
  seenQuestions,
  writeCases,
} from '../cases/index.ts';
import { hashText } from './case-fingerprints.ts';
import { countScores, drawPrompts, escalationScore, type ScoredPrompt, stepReaching } from './label-draw.ts';
import { forecastOf, type LabelForecast } from './label-forecast.ts';
import { hashKeys, type LabelPlan, planFileOf, repeatsInPool, sealedPlan } from './label-plan.ts';
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

/** The limit is where all that lies below is expected to lose this many times the margin: no walk towards the margin gets there. */
const MARGINS_TO_LIMIT = 1.5;
const INTERVAL_CONFIDENCE = 0.95;

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
