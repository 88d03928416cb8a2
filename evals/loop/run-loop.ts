import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import {
  type Manifest,
  readArtifact,
  readCurrent,
  resolveArtifact,
  VERDICT_FILE,
  VERDICTS,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { holdLock, replaceFile } from '../../router/files/index.ts';
import { COMMAND } from '../../router/package.ts';
import { shellWord } from '../../router/shell-word.ts';
import { loadCases, type NamedRows, promptRows, writeCases } from '../cases/index.ts';
import { assertRecordWhole, loadSuite, withSealedWeights } from '../gate/index.ts';
import { type LabelOptions, label } from '../labelling/index.ts';
import { promoteChallenger, type Retrained, type RetrainOptions, retrain } from '../lifecycle/index.ts';

export interface LoopOptions {
  /** Where the rounds are kept: requests, cases, outcomes. */
  readonly folder: string;
  /** Requests, old ones among them: each is labelled in one round only. */
  readonly requests: string | NamedRows;
  /** Labelled cases from before the first round. */
  readonly data: readonly string[];
  readonly labelling: Omit<LabelOptions, 'prompts' | 'out' | 'force' | 'dryRun'>;
  /** The store whose current artifact is the champion; the challenger of round 3 is its `loop-3`. */
  readonly store: string;
  readonly suite: string;
  /** New requests that a round takes at least: each one is a look at the sealed cases, and spends a part of the error. */
  readonly minNew: number;
  /** Make the challenger the one that serves, if it may be. */
  readonly promote: boolean;
  readonly retraining?: Pick<RetrainOptions, 'tolerance' | 'learner' | 'onProgress' | 'onNotes'>;
}

const outcomeSchema = z.strictObject({
  schema_version: z.literal(1),
  round: z.int().positive(),
  finished: z.iso.datetime(),
  /** Requests that were labelled in this round. */
  cases: z.int().min(0),
  champion: z.string(),
  challenger: z.string(),
  /** The worst of the gate's verdict and the comparison: PASS if the challenger may replace the champion. */
  decision: z.enum(VERDICTS),
  reasons: z.array(z.string()),
  promoted: z.boolean(),
});

/** The outcome of a round: `outcome.json` in its folder. */
export type LoopOutcome = z.infer<typeof outcomeSchema>;

/** The outcome of one run of the loop. */
export type LoopResult =
  /** Fewer new requests than a round takes: nothing was called, trained or looked at. */
  | { readonly kind: 'waiting'; readonly round: number; readonly fresh: number }
  /** The budget ended, or the run was interrupted: the next run goes on with this round. */
  | { readonly kind: 'unfinished'; readonly round: number; readonly why: 'budget' | 'ended' }
  | { readonly kind: 'done'; readonly outcome: LoopOutcome; readonly retrained: Retrained | undefined };

/**
 * One round: new requests are labelled, a challenger is trained on all cases, gated, compared with what serves, and promoted or kept. Each step is in the
 * round's folder when it is done, so that a run that was killed goes on where it ended: no reply is paid for twice, no look is taken twice, and what
 * serves changes at the last step alone, with a PASS.
 *
 * @throws PlimsollError `io` if another loop is at work on the folder; `not-found` if the store serves nothing; `invalid-artifact` if the store's record of
 *   looks lacks that of an earlier round; as `label` and `retrain` do
 */
export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const { folder, store } = options;
  if (readCurrent(store) === undefined) throw nothingServes(store);
  mkdirSync(folder, { recursive: true });
  const release = holdLock(path.join(folder, 'loop'));
  try {
    return await runRound(options);
  } finally {
    release();
  }
}

async function runRound(options: LoopOptions): Promise<LoopResult> {
  const { folder, minNew, store } = options;
  const earlier = finishedRounds(folder);
  // A challenger that was not promoted may be gone with the checkout that it was trained in. Its look counts all the same.
  assertRecordWhole(
    store,
    earlier.map((place) => path.join(place, VERDICT_FILE)),
  );
  const round = earlier.length + 1;
  const place = path.join(folder, `round-${round}`);
  const requests = path.join(place, REQUESTS);
  if (!existsSync(requests)) {
    const fresh = await freshRequests(options, earlier);
    if (fresh.length < minNew) return { kind: 'waiting', round, fresh: fresh.length };
    mkdirSync(place, { recursive: true });
    await writeCases(requests, fresh); // fixed from here on, whatever traffic comes
  }
  const cases = path.join(place, CASES);
  const labelled = await label({ ...options.labelling, prompts: [requests], out: cases });
  if (labelled.ended === 'budget' || labelled.ended === 'ended') {
    return { kind: 'unfinished', round, why: labelled.ended };
  }
  return decide(options, { round, place, cases: labelled.rows, data: [...earlier.map(casesOf), cases] });
}

const REQUESTS = 'requests.jsonl';
const CASES = 'cases.jsonl';
const OUTCOME = 'outcome.json';

const casesOf = (place: string) => path.join(place, CASES);

/** Folders of the rounds that have an outcome, from the first on. */
function finishedRounds(folder: string): string[] {
  const known = new Set(readdirSync(folder));
  const places: string[] = [];
  for (let round = 1; known.has(`round-${round}`); round++) {
    const place = path.join(folder, `round-${round}`);
    if (!existsSync(path.join(place, OUTCOME))) break;
    places.push(place);
  }
  return places;
}

/**
 * Requests that no earlier round has labelled, nor the data from before.
 * @throws PlimsollError `invalid-input`, before anything is paid, if the labels would be of other models than the champion's, or the suite does not say how
 *   many requests one of them can stand for
 */
async function freshRequests(
  { requests, labelling, data, store, suite }: LoopOptions,
  earlier: readonly string[],
) {
  const models = requireItsModels(readArtifact(resolveArtifact(store)).manifest, labelling);
  const before = data.length === 0 ? [] : (await loadCases(data, { models, keepWeights: true })).cases;
  const labelled: { readonly id: string; readonly weight?: number }[] = [...before];
  for (const place of earlier) {
    for await (const { one, weight } of promptRows([path.join(place, REQUESTS)]))
      labelled.push({ id: one.id, weight });
  }
  const used = new Set(labelled.map(({ id }) => id));
  const fresh = [];
  for await (const { row, one, weight } of promptRows([requests], labelling.reading)) {
    if (used.has(one.id)) continue;
    fresh.push({ ...row, id: one.id, outcomes: {} });
    labelled.push({ id: one.id, weight });
  }
  withSealedWeights(labelled, loadSuite(suite).suite);
  return fresh;
}

/** @returns the champion's models. A challenger has its ladder, and learns from their outcomes alone. */
function requireItsModels(
  { name, ladder }: Manifest,
  { candidates }: Pick<LoopOptions['labelling'], 'candidates'>,
): string[] {
  const models = ladder.map(({ model }) => model);
  const named = candidates.map((candidate) => candidate.name);
  if (models.length === named.length && models.every((model, i) => model === named[i])) return models;
  const remedy = models
    .map((model, i) =>
      named.includes(model) ? model : `${model}=${candidates[i]?.model ?? '<provider>/<model>'}`,
    )
    .join(',');
  throw new PlimsollError(
    'invalid-input',
    `The champion ${name} chooses between ${models.join(', ')}, and the labels would be of ${named.join(', ')}: a challenger could not learn from them. Name its models, in its order: --models ${remedy}.`,
  );
}

interface Round {
  readonly round: number;
  readonly place: string;
  readonly cases: number;
  readonly data: readonly string[];
}

async function decide(options: LoopOptions, { round, place, cases, data }: Round): Promise<LoopResult> {
  const { store, suite, promote } = options;
  const out = path.join(store, `loop-${round}`);
  // A run that was killed behind its promotion finds its own challenger in the champion's place.
  const isPromoted = readCurrent(store)!.artifact === path.basename(out);
  const champion = readArtifact(resolveArtifact(store));
  const retrained = isPromoted
    ? undefined
    : await retrain({ ...options.retraining, data: [...options.data, ...data], champion: store, out, suite });
  const word = retrained?.decision.word ?? 'PASS';
  if (promote && word === 'PASS' && !isPromoted) promoteChallenger(out, champion);
  const outcome: LoopOutcome = {
    schema_version: 1,
    round,
    finished: new Date().toISOString(),
    cases,
    champion: isPromoted ? previousOf(store) : champion.manifest.name,
    challenger: path.basename(out),
    decision: word,
    reasons: [...(retrained?.decision.reasons ?? [])],
    promoted: isPromoted || (promote && word === 'PASS'),
  };
  replaceFile(path.join(place, VERDICT_FILE), readFileSync(path.join(out, VERDICT_FILE)));
  replaceFile(path.join(place, OUTCOME), `${JSON.stringify(outcomeSchema.parse(outcome), null, 2)}\n`);
  return { kind: 'done', outcome, retrained };
}

function previousOf(store: string): string {
  return readCurrent(store)!.history.at(-2)?.artifact ?? '';
}

function nothingServes(store: string): PlimsollError {
  return new PlimsollError(
    'not-found',
    `${store} serves no artifact that a challenger could be compared with. Train, gate and promote a first one: ${COMMAND} promote --artifact ${shellWord(store)}/<name>.`,
    { place: { file: store } },
  );
}
