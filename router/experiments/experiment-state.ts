import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import type { Documents, Log } from '../state/index.ts';
import { definitionHash, type Experiment } from './experiment.ts';

/** The stream of the state that starts, stops and moves are in. */
export const EXPERIMENT_MOVES = 'experiments';
const KIND = 'experiment';
/** More than a configuration may have. */
const MOST = 1_000;
const KEPT_MOVES = 50;

const STATUSES = ['running', 'stopped', 'promoted', 'rolled-back'] as const;
export type ExperimentStatus = (typeof STATUSES)[number];

const moveSchema = z.object({
  at: z.iso.datetime(),
  status: z.enum(STATUSES),
  stage: z.int().min(0).optional(),
  reason: z.string(),
});

const stateSchema = z.object({
  schema_version: z.literal(1),
  status: z.enum(STATUSES),
  /** Hash of the definition that was started. */
  definition: z.string(),
  started_at: z.iso.datetime(),
  /** For a canary: the number of its stage, from 0, and since when. */
  stage: z.int().min(0),
  stage_since: z.iso.datetime(),
  moves: z.array(moveSchema),
});

/** How an experiment stands, as all instances see it. */
export type ExperimentState = z.infer<typeof stateSchema>;
export type ExperimentMove = z.infer<typeof moveSchema>;

/** With the version by which it is changed. */
export interface HeldState {
  readonly state: ExperimentState;
  readonly version: string;
}

/** `changed`: its definition is another one than was started, so it is paused until it is started anew. */
export function experimentStanding(
  experiment: Experiment,
  state: ExperimentState | undefined,
): ExperimentStatus | 'not-started' | 'changed' {
  if (state === undefined) return 'not-started';
  const isChanged = state.status === 'running' && state.definition !== definitionHash(experiment);
  return isChanged ? 'changed' : state.status;
}

const LOOK_KIND = 'experiment-look';
/** Longer than the time between two looks: what is there was said by somebody who looks now. */
const LOOK_TTL_MS = 60_000;

const lookSchema = z.object({ reason: z.string(), at_ms: z.number().optional() });

/** Why a canary stays where it is, as the instance that moves it said last. */
export async function noteLook(
  documents: Documents,
  name: string,
  reason: string,
  nowMs: number,
): Promise<void> {
  const value = { reason, at_ms: nowMs };
  await documents.put({ scope: '', kind: LOOK_KIND, id: name }, { value, ttlMs: LOOK_TTL_MS });
}

/** By name, with the age of what was said; left out if nobody has looked within a minute. */
export async function readLooks(
  documents: Documents,
  nowMs = Date.now(),
): Promise<ReadonlyMap<string, string>> {
  const stored = await documents.list('', LOOK_KIND, MOST);
  return new Map(
    stored.flatMap(({ id, value }) => {
      const { data } = lookSchema.safeParse(value);
      if (data === undefined) return [];
      const { reason, at_ms: atMs } = data;
      const age = atMs === undefined ? '' : `, ${Math.max(0, Math.round((nowMs - atMs) / 1_000))} s ago`;
      return [[id, `${reason}${age}`] as const];
    }),
  );
}

type Stores = { readonly documents: Documents; readonly log: Log };

const keyOf = (name: string) => ({ scope: '', kind: KIND, id: name });

/** The states of all experiments that were ever started, by name. What this version cannot read is left out. */
export async function readStates(documents: Documents): Promise<ReadonlyMap<string, HeldState>> {
  const stored = await documents.list('', KIND, MOST);
  return new Map(
    stored.flatMap(({ id, value, version }) => {
      const { data } = stateSchema.safeParse(value);
      return data === undefined ? [] : [[id, { state: data, version }] as const];
    }),
  );
}

/**
 * Starts an experiment of the configuration, or starts it anew if it has ended or was changed.
 * @throws PlimsollError `invalid-input` if it is running as it is defined, `state-unavailable` if another one changes it at this moment
 */
export async function startExperiment(
  experiment: Experiment,
  { documents, log }: Stores,
  nowMs: number,
): Promise<ExperimentState> {
  const held = (await readStates(documents)).get(experiment.name);
  const definition = definitionHash(experiment);
  if (held?.state.status === 'running' && held.state.definition === definition) {
    throw new PlimsollError(
      'invalid-input',
      `The experiment ${experiment.name} has been running since ${held.state.started_at}. Stop it before you start it anew.`,
    );
  }
  const at = new Date(nowMs).toISOString();
  const state: ExperimentState = {
    schema_version: 1,
    status: 'running',
    definition,
    started_at: at,
    stage: 0,
    stage_since: at,
    moves: [{ at, status: 'running', stage: 0, reason: 'started' }],
  };
  await write(experiment.name, state, held?.version ?? null, { documents, log });
  return state;
}

/** @throws PlimsollError `not-found` if it was never started, `invalid-input` if it has been stopped */
export async function stopExperiment(
  name: string,
  { documents, log }: Stores,
  nowMs: number,
  reason = 'stopped by the operator',
): Promise<ExperimentState> {
  const held = (await readStates(documents)).get(name);
  if (held === undefined) throw new PlimsollError('not-found', `The experiment ${name} was never started.`);
  if (held.state.status === 'stopped')
    throw new PlimsollError('invalid-input', `The experiment ${name} is stopped already.`);
  return moveExperiment(
    name,
    held,
    { status: 'stopped', stage: held.state.stage, reason },
    { documents, log },
    nowMs,
  );
}

/**
 * Moves it, unless somebody else did so since it was read.
 * @throws PlimsollError `state-unavailable` if somebody did
 */
export async function moveExperiment(
  name: string,
  { state, version }: HeldState,
  { status, stage, reason }: Pick<ExperimentMove, 'status' | 'reason'> & { readonly stage: number },
  stores: Stores,
  nowMs: number,
): Promise<ExperimentState> {
  const at = new Date(nowMs).toISOString();
  const moves = [...state.moves, { at, status, stage, reason }].slice(-KEPT_MOVES);
  const next: ExperimentState = { ...state, status, stage, stage_since: at, moves };
  await write(name, next, version, stores);
  return next;
}

async function write(
  name: string,
  state: ExperimentState,
  expected: string | null,
  { documents, log }: Stores,
): Promise<void> {
  const version = await documents.put(keyOf(name), { value: state, expected });
  if (version === undefined) {
    throw new PlimsollError(
      'state-unavailable',
      `The experiment ${name} was changed by somebody else at this moment. Look at its status and try again.`,
    );
  }
  const { moves, status, stage } = state;
  const { at, reason } = moves.at(-1)!;
  await log.append(EXPERIMENT_MOVES, [
    {
      id: `${name}:${version}`,
      timeMs: Date.parse(at),
      body: JSON.stringify({ schema_version: 1, experiment: name, status, stage, reason }),
    },
  ]);
}
