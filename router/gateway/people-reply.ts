import type { Catalog, CatalogModel } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import type { FallbackResult } from '../fallback/index.ts';
import {
  type People,
  type PeopleTask,
  pendingReply,
  plainReply,
  type ReplyMode,
  streamedReply,
} from '../people/index.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import type { ExecutedPlan, ExecutionParts } from './execute-plan.ts';
import { lacksOfPeople } from './people-requirements.ts';
import type { PeoplePlan, PeopleTerms } from './plan.ts';
import type { GatewayRequest } from './request.ts';
import { userOf } from './request-record.ts';

/** Whether persons answer for a model. */
export function isPeople({ provider }: Pick<CatalogModel, 'provider'>): boolean {
  return provider.kind === 'people';
}

/** Who answers. They are there if the catalog has them. */
export function peopleOf({ people }: { readonly people: People | undefined }): People {
  if (people !== undefined) return people;
  throw new PlimsollError('internal', 'A request is for people, and there are none.');
}

/**
 * How a request goes to people. A stream cannot be a place to poll: it waits.
 * @param profileReply what the profile of the request says
 * @throws PlimsollError `invalid-input` if it is no conversation, or wants what a person cannot give
 */
export function peopleTerms(
  model: CatalogModel,
  people: People,
  profileReply: ReplyMode | undefined,
  catalog: Catalog,
  request: GatewayRequest,
): PeopleTerms {
  const desk = people.desk(model.id)!;
  requireConversation(model, request);
  const wanted = profileReply ?? desk.reply;
  const mode = wanted === 'poll' && request.body['stream'] === true ? 'wait' : wanted;
  const fallback = desk.fallback === undefined ? [] : [catalog.get(desk.fallback)];
  const isNeeded = mode === 'fallback' || desk.whenLate === 'fallback';
  return { mode, fallback: isNeeded ? fallback : [], whenLate: desk.whenLate };
}

/** The client may have named people by name: then nothing else has looked at what it wants. */
function requireConversation(model: CatalogModel, request: GatewayRequest): void {
  const { operation, passed } = request;
  const isChat = operation === 'chat' && passed === undefined;
  const [first] = isChat ? lacksOfPeople(request) : ['this operation'];
  if (first === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `${model.name} is people, who read and write text: they cannot do ${first}. Leave it out, or name a model.`,
    { place: { field: 'model' } },
  );
}

/** The outcome of a plan for people, with headers that say so. */
export interface HandedOff extends ExecutedPlan {
  readonly headers: Readonly<Record<string, string>>;
}

/** A request that is handed to people. */
export interface Handing {
  readonly plan: PeoplePlan;
  readonly call: UnroutedCall;
  readonly request: GatewayRequest;
  readonly decisionId: string;
  /** The client did not name people itself. */
  readonly isRouted: boolean;
  readonly profile: string | undefined;
  readonly session: SessionIdentity | undefined;
}

/**
 * Hands a request to people. The client polls, waits, or gets the reply of a model at once, by `plan.mode`.
 * @throws PlimsollError `queue-full` or `too-large` if no model may reply in their place; the reason of the request's signal if the client left
 */
export async function handOff(handing: Handing, people: People, parts: ExecutionParts): Promise<HandedOff> {
  const { plan, call } = handing;
  let task: PeopleTask;
  try {
    task = await people.open(taskOf(handing));
  } catch (error) {
    const isFull = error instanceof PlimsollError && error.code === 'queue-full';
    if (!isFull || plan.whenLate === 'error') throw error;
    return { ...(await byModel(handing, parts)), headers: {} };
  }
  const { id: peopleTask } = task;
  const headers = { 'x-plimsoll-task': peopleTask };
  if (plan.mode === 'fallback') {
    const handedOff = { ...headers, 'x-plimsoll-handed-off': 'true' };
    return { ...(await byModel(handing, parts)), peopleTask, headers: handedOff };
  }
  if (plan.mode === 'poll') return { result: pending(task, plan, people.now()), peopleTask, headers };
  const ended = await people.wait(task, call.signal);
  call.signal.throwIfAborted();
  if (ended.status === 'answered')
    return { result: await replied(ended, plan, call.stream), peopleTask, headers };
  if (plan.whenLate === 'fallback') return { ...(await byModel(handing, parts)), peopleTask, headers };
  return { peopleTask, result: ended.status === 'withdrawn' ? notHeld() : tooLate(task), headers };
}

function taskOf({ plan, request, decisionId, isRouted, profile, session }: Handing) {
  const { keyId, team, tags, dialect, body } = request;
  return {
    people: plan.model.id,
    mode: plan.mode,
    decisionId,
    isRouted,
    keyId,
    team,
    tags,
    profile,
    dialect,
    body,
    user: userOf(request),
    session: session?.name,
  };
}

/** The fallback model, as any other request calls it. */
async function byModel({ plan, call }: Handing, { chain }: ExecutionParts): Promise<ExecutedPlan> {
  const deadline = performance.now() + plan.deadlineMs;
  return { result: await chain.execute(call, plan.fallback, deadline, plan.options) };
}

function pending(task: PeopleTask, { model }: PeoplePlan, nowMs: number): FallbackResult {
  const { body, headers } = pendingReply(task, nowMs);
  const whole = Buffer.from(JSON.stringify(body));
  return reply(
    model,
    202,
    { 'content-type': 'application/json', ...headers },
    { whole, ...chunks([whole]) },
    undefined,
  );
}

async function replied(task: PeopleTask, { model }: PeoplePlan, stream: boolean): Promise<FallbackResult> {
  if (stream) {
    const { events, usage } = await streamedReply(task);
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' };
    return reply(model, 200, headers, encoded(events), usage);
  }
  const { body, usage } = plainReply(task);
  const whole = Buffer.from(JSON.stringify(body));
  return reply(model, 200, { 'content-type': 'application/json' }, { whole, ...chunks([whole]) }, usage);
}

type Outcome = Extract<FallbackResult, { kind: 'reply' }>['outcome'];

function reply(
  model: PeoplePlan['model'],
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Outcome['body'],
  usage: ReturnType<Outcome['usage']>,
): FallbackResult {
  const outcome: Outcome = { kind: 'reply', status, headers, body, usage: () => usage };
  return { kind: 'reply', model, outcome, attempts: [] };
}

/** The server closes, or was away for so long that others took the task off the list. */
function notHeld(): FallbackResult {
  const message = 'This server stopped waiting for a person. Send the request again.';
  return { kind: 'failure', attempts: [], failure: { status: 503, reason: 'unavailable', message } };
}

function tooLate({ deadlineMs }: PeopleTask): FallbackResult {
  const at = new Date(deadlineMs).toISOString();
  return {
    kind: 'failure',
    attempts: [],
    failure: {
      status: 504,
      reason: 'deadline',
      message: `Nobody replied until ${at}, the deadline of this request.`,
    },
  };
}

function chunks(all: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* all;
    },
  };
}

async function* encoded(events: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const event of events) yield Buffer.from(event);
}
