import { type Catalog, isHuman } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { CHOICE_REASONS } from '../../router/policy/index.ts';
import { recordedArtifact } from '../../router/records/index.ts';
import type { DecidedAgain, Decision, RouteOptions, Router } from '../../router/router.ts';
import { modelOfRule } from '../../router/rules/index.ts';
import { judgedReply, plannedCost } from './planned-reply.ts';
import { askedOptions, isForPeople, narrowedOptions, traitsOf } from './recorded-options.ts';
import { Undecidable, type UnknownReason } from './undecidable.ts';
import type { EndedRecord } from './work-of-people.ts';

/** What would become of one recorded request. */
export type Replayed =
  | { readonly kind: 'planned'; readonly request: PlannedRequest }
  | { readonly kind: 'unknown'; readonly why: UnknownReason }
  /** It was refused, or its reply came from the cache: there is nothing to plan. */
  | { readonly kind: 'left-out'; readonly why: 'refused' | 'from-cache' };

export interface PlannedRequest {
  /** The models that were, and would be, selected; of a cascade the one whose reply goes out. */
  readonly from: string;
  readonly to: string;
  /** Undefined if the client named the model. */
  readonly routed:
    | {
        /** The decision, as live routing would make it. */
        readonly decision: Decision;
        readonly verdictBefore: string | undefined;
        /** Predicted loss of the models, -1 to 1; undefined without scores. */
        readonly lossBefore: number | undefined;
        readonly lossAfter: number | undefined;
      }
    | undefined;
  /** US dollars; undefined if a price or the tokens are not known. */
  readonly costUsd: number | undefined;
  /** An earlier turn of its conversation would go elsewhere, so that what the record says about the conversation does not hold. */
  readonly followsMove: boolean;
}

export interface ReplayParts {
  /** The router of the changed configuration. */
  readonly router: Router;
  readonly catalog: Pick<Catalog, 'has' | 'get'>;
  /** The clock of the router's rules: set to the time of each request. */
  readonly clock: { nowMs: number };
  /** Scores of records that name no artifact are taken to be of the one that is configured. */
  readonly assumeArtifact: boolean;
}

/**
 * Decides recorded requests again, one after the other in the order of their time: the next only once the one before is known. A promise is for a
 * request whose prompt is scored again; a million promises more would take as long as reading their records.
 */
export function createReplay(parts: ReplayParts): (record: EndedRecord) => Replayed | Promise<Replayed> {
  const moved = new Map<string, string>();
  return (record) => {
    const { selected, status, cache, policy } = record;
    if (selected === undefined || status === 400) return { kind: 'left-out', why: 'refused' };
    if (cache?.outcome === 'hit') return { kind: 'left-out', why: 'from-cache' };
    const session = record.session?.id;
    const movedTo = session === undefined ? undefined : moved.get(session);
    try {
      if (policy === undefined) return { kind: 'planned', request: replayNamed(record, selected, parts) };
      const request = replayRouted(record, selected, movedTo, parts);
      return request instanceof Promise ? request.then(planned, notPlanned) : planned(request);
    } catch (error) {
      return notPlanned(error);
    }

    function planned(request: PlannedRequest): Replayed {
      const { from, to, routed } = request;
      if (session !== undefined && from !== to) moved.set(session, routed!.decision.candidate);
      else if (session !== undefined) moved.delete(session);
      return { kind: 'planned', request };
    }
  };
}

function notPlanned(error: unknown): Replayed {
  if (error instanceof Undecidable) return { kind: 'unknown', why: error.why };
  if (error instanceof PlimsollError && error.code === 'refused-by-rule')
    return { kind: 'left-out', why: 'refused' };
  throw error;
}

/** The client named the model: only its price can change. */
function replayNamed(
  record: EndedRecord,
  selected: string,
  { catalog }: Pick<ReplayParts, 'catalog'>,
): PlannedRequest {
  if (!catalog.has(selected)) throw new Undecidable('no-such-model');
  const cost = plannedCost(record, selected, undefined, catalog);
  return { from: selected, to: selected, routed: undefined, costUsd: cost, followsMove: false };
}

function replayRouted(
  record: EndedRecord,
  selected: string,
  movedTo: string | undefined,
  parts: ReplayParts,
): PlannedRequest | Promise<PlannedRequest> {
  const { router, catalog } = parts;
  const found = ruledOptions(record, parts);
  const rungs = rungsOf(found.profile, router);
  const names = rungs.map(({ candidate }) => candidate);
  const ruled = withoutPeople(record, found, rungs);
  const options = narrowedOptions(record, ruled, rungs, movedTo);
  const scores = usableScores(record, ruled.profile, names, parts);
  const again = decidedAgain(record, scores, options, names, router);
  return again instanceof Promise ? again.then(planned) : planned(again);

  function planned(decided: DecidedAgain): PlannedRequest {
    const { decision } = decided;
    const judged = decided.checked.length === 0 ? undefined : judgedReply(record, decided, rungs);
    const to = judged?.model ?? decision.model;
    const lossOf = (candidate: string | undefined) =>
      scores === undefined || candidate === undefined || !Object.hasOwn(scores, candidate)
        ? undefined
        : scores[names.at(-1)!]! - scores[candidate]!;
    const { pinned, session } = record.narrowed ?? {};
    return {
      from: selected,
      to,
      routed: {
        decision,
        verdictBefore: record.verdict,
        lossBefore: lossOf(candidateOf(record, selected, rungs)),
        lossAfter: lossOf(judged?.candidate ?? decision.candidate),
      },
      costUsd: plannedCost(record, to, judged, catalog),
      followsMove: movedTo !== undefined && (pinned !== undefined || session !== undefined),
    };
  }
}

/** What the client asked for, and the rule that fires for it at the time of the request. */
function ruledOptions(record: EndedRecord, { router, clock }: ReplayParts): RouteOptions {
  const asked = askedOptions(record, router);
  clock.nowMs = Date.parse(record.time);
  try {
    return router.ruled(traitsOf(record), asked);
  } finally {
    clock.nowMs = Date.now(); // verdicts are as they are now
  }
}

/**
 * As live routing does: a rule that asks for people does not fire for what they cannot answer.
 * @throws Undecidable if the record does not say whether they can
 */
function withoutPeople(record: EndedRecord, options: RouteOptions, rungs: Router['ladder']): RouteOptions {
  const { rule, ...others } = options;
  const name = rule && modelOfRule(rule, rungs);
  if (name === undefined || !isHuman(name)) return options;
  const isAble = isForPeople(record);
  if (isAble === undefined) throw new Undecidable('rule-reads-more');
  return isAble ? options : others;
}

/**
 * The recorded scores, if they are of the artifact that decides now; undefined if there are none.
 * @throws Undecidable if they do not fit, unless the prompt is on record
 */
function usableScores(
  { scores, artifact, prompt }: EndedRecord,
  profile: string | undefined,
  names: readonly string[],
  { router, assumeArtifact }: ReplayParts,
): EndedRecord['scores'] {
  if (scores === undefined) return undefined;
  const isOfAnother = artifact === undefined ? !assumeArtifact : artifact !== artifactOf(profile, router);
  const isShort = names.some((name) => !Object.hasOwn(scores, name));
  if (!isOfAnother && !isShort) return scores;
  if (prompt !== undefined) return undefined;
  if (!isOfAnother) throw new Undecidable('other-candidates');
  throw new Undecidable(artifact === undefined ? 'no-artifact' : 'other-artifact');
}

/** By the scores, or why there are none; else by the prompt, which is scored again. */
function decidedAgain(
  { reason, prompt, narrowed }: EndedRecord,
  scores: EndedRecord['scores'],
  options: RouteOptions,
  names: readonly string[],
  router: Router,
): DecidedAgain | Promise<DecidedAgain> {
  const judgeable = names.map((name) => narrowed?.judgeable?.includes(name) ?? false);
  const known = scores ?? NO_SCORES.find((one) => one === reason);
  if (known !== undefined) return router.decideAgain(known, options, judgeable);
  if (prompt !== undefined) {
    return router.route({ prompt }, options).then((decision) => ({ decision, checked: [] }));
  }
  const again = router.decideAgain('no-text', options, judgeable);
  // A fixed policy, and a rule that names a rung, have no threshold: they need no scores now either.
  if (again.decision.threshold === null) return again;
  throw new Undecidable('no-scores');
}

type NoScores = Exclude<Parameters<Router['decideAgain']>[0], object>;
const NO_SCORES: readonly NoScores[] = ['no-text', 'unreadable', 'nothing-similar', 'classifier-failed'];

function rungsOf(profile: string | undefined, { ladder, profiles }: Router): Router['ladder'] {
  return (profile === undefined ? undefined : profiles.get(profile)?.rungs) ?? ladder;
}

/** As records name it. */
function artifactOf(profile: string | undefined, router: Router): string {
  const { artifact } = (profile === undefined ? undefined : router.profiles.get(profile)) ?? router;
  return recordedArtifact(artifact);
}

/** The candidate that the request went to then. */
function candidateOf(
  { reason, candidate }: EndedRecord,
  selected: string,
  rungs: Router['ladder'],
): string | undefined {
  const isDecisions = (CHOICE_REASONS as readonly string[]).includes(reason); // not what a cascade came to afterwards
  if (isDecisions && candidate !== undefined) return candidate;
  return rungs.find(({ model }) => model === selected)?.candidate;
}
