import { isHuman } from '../../router/catalog/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import type { RouteOptions, Router } from '../../router/router.ts';
import type { RequestTraits } from '../../router/rules/index.ts';
import { TASK_LABELS, type TaskPrediction } from '../../router/tasks/index.ts';
import type { Mutable } from '../../router/types.ts';
import { Undecidable } from './undecidable.ts';

/**
 * What the client asked for: a profile, a policy or a threshold of its own.
 * @throws Undecidable if profile or policy are not there any more
 */
export function askedOptions(record: DecisionRecord, router: Router): RouteOptions {
  const { requested_model: model, profile, reason, threshold } = record;
  const options: Mutable<RouteOptions> = { inSession: true }; // what is on record came through the gateway
  if (profile !== undefined) {
    if (!router.profiles.has(profile)) throw new Undecidable('no-such-profile');
    options.profile = profile;
  }
  if (reason === 'requested-threshold' && threshold !== undefined) options.threshold = threshold;
  if (!model.startsWith('router-')) return options;
  const asked = router.policies.find(
    (name) => model === `router-${name}` || model.startsWith(`router-${name}-`),
  );
  if (asked === undefined) throw new Undecidable('no-such-policy');
  return { ...options, policy: asked };
}

function notOnRecord(): never {
  throw new Undecidable('rule-reads-more');
}

const UNRECORDED_HEADERS: Readonly<Record<string, string>> = new Proxy(
  {},
  { getOwnPropertyDescriptor: notOnRecord, get: notOnRecord, has: notOnRecord },
);

/** What a record says to rules. What it does not say ends the replay as soon as a rule asks for it. */
export function traitsOf(record: DecisionRecord): RequestTraits {
  const { prompt, usage } = record;
  return {
    model: record.requested_model,
    isExplicit: false,
    task: record.task,
    predictedTask: () => predictedTask(record) ?? notOnRecord(),
    tags: record.tags ?? [],
    keyId: record.key_id,
    headers: UNRECORDED_HEADERS,
    text: () => prompt ?? notOnRecord(),
    budgetUsed: notOnRecord,
    sessionAge: notOnRecord,
    needs: () => ({
      get tools() {
        return notOnRecord();
      },
      get images() {
        return notOnRecord();
      },
      inputTokens: usage?.input_tokens ?? notOnRecord(),
    }),
  };
}

function predictedTask({ predicted_task: predicted }: DecisionRecord): TaskPrediction | undefined {
  const task = TASK_LABELS.find((one) => one === predicted?.task);
  return predicted && task && { task, probability: predicted.probability };
}

/** Whether people could answer a request; undefined if its record does not say so. */
export function isForPeople({ for_people: isFor, selected, served }: DecisionRecord): boolean | undefined {
  if (isFor !== undefined) return isFor;
  return [selected, served].some((model) => model !== undefined && isHuman(model)) ? true : undefined;
}

/** The options with what narrowed the choice then, in terms of today's ladder. */
export function narrowedOptions(
  record: DecisionRecord,
  options: RouteOptions,
  rungs: Router['ladder'],
  movedTo: string | undefined,
): RouteOptions {
  const { narrowed } = record;
  const names = rungs.map(({ candidate }) => candidate);
  const people = rungs.flatMap(({ candidate, model }) => (isHuman(model) ? [candidate] : []));
  if (narrowed === undefined && people.length === 0) return options;
  const { task, allowed, pinned, session, slow, slow_may_lower: mayLower = false } = narrowed ?? {};
  const rungsIn = (of: readonly string[]) => names.flatMap((name, rung) => (of.includes(name) ? [rung] : []));
  const allowedNow = withPeople(allowed, people, names, isForPeople(record));
  const able = allowedNow && rungsIn(allowedNow);
  const pinnedRung = pinned === undefined ? -1 : names.indexOf(movedTo ?? pinned);
  const slowRungs = slow && rungsIn(slow);
  const stayRung = session === undefined || movedTo !== undefined ? -1 : names.indexOf(session.candidate);
  return {
    ...options,
    ...(task !== undefined && { task }),
    ...(able && able.length > 0 && { allowedRungs: able }),
    ...(pinnedRung >= 0 && { pinnedRung }),
    ...(session &&
      stayRung >= 0 && { session: { rung: stayRung, worth: session.worth, rescue: session.rescue } }),
    ...(slowRungs && slowRungs.length > 0 && { slowRungs: { rungs: slowRungs, mayLower } }),
  };
}

/** The candidates that can take a request, where people may have come to the ladder since. @param isFor undefined: the record alone says who could */
function withPeople(
  allowed: readonly string[] | undefined,
  people: readonly string[],
  names: readonly string[],
  isFor: boolean | undefined,
): readonly string[] | undefined {
  if (people.length === 0 || isFor === undefined) return allowed;
  if (!isFor) return (allowed ?? names).filter((name) => !people.includes(name));
  return allowed && [...allowed, ...people];
}
