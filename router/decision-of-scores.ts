import { type ArtifactFiles, competes, type ServedLadder } from './artifact/index.ts';
import type { ArtifactView } from './artifact-views.ts';
import { isHuman } from './catalog/index.ts';
import {
  ALWAYS_STRONG,
  type Choosing,
  choose,
  chooseByRule,
  type Policy,
  type PolicyReference,
  type policyVerdicts,
} from './policy/index.ts';
import { risingId } from './rising-id.ts';
import type { Decision, Narrowing, RouteOptions } from './router.ts';
import type { Mutable } from './types.ts';

/** A way in which an artifact serves, and what may be claimed of it. */
export interface ServedView extends ArtifactView {
  readonly hasSpecialists: boolean;
  /** The gate judged whole sessions: of a request by itself nothing is promised. */
  readonly isOfSessions: boolean;
  readonly verdicts: ReturnType<typeof policyVerdicts>;
}

/** What decides on one request, apart from its scores. */
export interface Asking {
  readonly policy: Policy;
  readonly reference: PolicyReference;
  readonly view: ServedView;
  readonly artifact: Decision['artifact'];
  readonly choosing: Choosing;
  readonly expectedLoss: ArtifactFiles['manifest']['expected_loss'];
}

/** A decision, and the rungs whose replies are to be judged. */
export interface Decided {
  readonly decision: Mutable<Decision>;
  readonly rung: number;
  /** It was made among all rungs. */
  readonly isFree: boolean;
  readonly checked: readonly number[];
}

/** Whether a rule names the rung or model: no policy decides then, and nothing is scored. */
export function isNamedByRule({ rule }: RouteOptions): boolean {
  return rule?.action.kind === 'rung' || rule?.action.kind === 'model';
}

/**
 * The decision that follows from the scores of a request. Of the same scores and options it is always the same, but for id and time.
 * @param scored one per rung, cheapest first, or why there are none
 */
export function decisionOfScores(
  scored: Parameters<typeof choose>[1],
  asking: Asking,
  options: RouteOptions,
): Decided {
  const { policy, reference, view, artifact, choosing, expectedLoss: line } = asking;
  const { ladder: served, verdicts, profile } = view;
  const { rule } = options;
  const parts = { policy: reference, artifact, profile, stale: served.stale };
  if (rule?.action.kind === 'model') {
    const decision = { ...decisionOfModel(rule.name, rule.action.model), ...parts, latencyMs: 0 };
    return { decision, rung: -1, isFree: false, checked: [] };
  }
  const isNamed = isNamedByRule(options);
  const choice = isNamed ? chooseByRule(choosing.bounded!, choosing.rungs) : choose(policy, scored, choosing);
  const rung = served.rungs[choice.rung]!;
  const { verdict, ungatedReason } = verdicts.of(isNamed ? ALWAYS_STRONG : policy, {
    stale: served.stale,
    otherThreshold: policy.kind !== 'fixed' && !isNamed && choice.threshold !== policy.threshold,
    lowered:
      view.hasSpecialists && isUnseenByGate(choice, served, options)
        ? 'specialist-left-out'
        : (loweredInSession(choice, view, options) ?? aloneReason(choice, view, options)),
  });
  const decision: Mutable<Decision> = {
    id: `dec_${risingId()}`,
    candidate: rung.candidate,
    model: rung.model,
    escalated: choice.rung > 0,
    scores: typeof scored === 'string' ? null : byCandidate(scored, served),
    predictedLoss: choice.predictedLoss,
    threshold: choice.threshold,
    reason: choice.reason,
    policy: reference,
    artifact,
    profile,
    stale: served.stale,
    verdict,
    ungatedReason,
    latencyMs: 0,
  };
  const expected = expectedLoss(choice.predictedLoss, line);
  if (expected !== undefined) decision.expectedLoss = expected;
  if (choice.policyRung !== undefined) decision.policyChoice = served.rungs[choice.policyRung]!.candidate;
  if (rule !== undefined) decision.rule = rule.name;
  const narrowed = narrowing(asking, options);
  if (narrowed !== undefined) decision.narrowed = narrowed;
  const isFree = choosing.allowed === undefined;
  return { decision, rung: choice.rung, isFree, checked: choice.checked ?? [] };
}

/** What the options left of the ladder, by the names of candidates; undefined if they left all of it. */
function narrowing(
  { policy, choosing: { checks }, view }: Asking,
  { task, allowedRungs, pinnedRung, session, slowRungs }: RouteOptions,
): Narrowing | undefined {
  const narrowed: Mutable<Narrowing> = {};
  const nameOf = (rung: number) => view.ladder.rungs[rung]!.candidate;
  if (view.hasSpecialists && task !== undefined) narrowed.task = task;
  if (allowedRungs) narrowed.allowed = allowedRungs.map(nameOf);
  if (pinnedRung !== undefined) narrowed.pinned = nameOf(pinnedRung);
  if (session)
    narrowed.session = { candidate: nameOf(session.rung), worth: session.worth, rescue: session.rescue };
  if (slowRungs) {
    narrowed.slow = slowRungs.rungs.map(nameOf);
    narrowed.slowMayLower = slowRungs.mayLower;
  }
  if (policy.kind === 'cascade' && checks?.some(Boolean)) {
    narrowed.judgeable = checks.flatMap((can, rung) => (can ? [nameOf(rung)] : []));
  }
  for (const _ in narrowed) return narrowed;
  return undefined;
}

/** Candidate -> its value. @param values one per rung, cheapest first */
export function byCandidate<T>(
  values: ArrayLike<T>,
  { rungs }: Pick<ServedLadder, 'rungs'>,
): Record<string, T> {
  const named: Record<string, T> = {};
  for (let i = 0; i < rungs.length; i++) named[rungs[i]!.candidate] = values[i]!;
  return named;
}

function expectedLoss(
  predictedLoss: number | null,
  line: ArtifactFiles['manifest']['expected_loss'],
): number | undefined {
  if (predictedLoss === null || line === undefined) return undefined;
  return Math.max(-1, Math.min(1, line.intercept + line.slope * predictedLoss));
}

function loweredBy({ rung, unrestricted, reason }: ReturnType<typeof choose>) {
  if (rung >= unrestricted) return undefined;
  if (reason === 'rule') return 'rule';
  if (reason === 'latency') return 'too-slow';
  return reason === 'same-turn' ? 'lower-turn' : 'downgraded';
}

/** The gate has judged results of tools on the rung of their turn if it judged whole sessions. */
function loweredInSession(
  choice: ReturnType<typeof choose>,
  { isOfSessions }: Pick<ServedView, 'isOfSessions'>,
  { inSession }: RouteOptions,
) {
  const lowered = loweredBy(choice);
  return lowered === 'lower-turn' && isOfSessions && inSession === true ? undefined : lowered;
}

/** A cheaper choice outside of any session, by a policy whose sessions were gated. */
function aloneReason(
  { rung, threshold }: ReturnType<typeof choose>,
  { isOfSessions, ladder }: Pick<ServedView, 'isOfSessions' | 'ladder'>,
  { inSession }: RouteOptions,
) {
  const isCovered = !isOfSessions || inSession === true || threshold === null;
  return isCovered || rung === ladder.rungs.length - 1 ? undefined : 'other-sessions';
}

/** Without the specialists for other tasks, unless nobody else can take the request. */
export function amongCompeting(
  choosing: Choosing,
  { ladder }: Pick<ArtifactView, 'ladder'>,
  { task }: RouteOptions,
): Choosing {
  const allowed = choosing.allowed ?? ladder.rungs.map((_, rung) => rung);
  const competing = allowed.filter((rung) => competes(ladder.rungs[rung]!, task));
  if (competing.length === 0 || competing.length === allowed.length) return choosing;
  const left = choosing.bounded?.filter((rung) => competing.includes(rung));
  // A rule may leave nobody but a specialist: then it is meant.
  return { ...choosing, allowed: competing, bounded: left?.length === 0 ? choosing.bounded : left };
}

/**
 * Whether a request went to a rung between because the choice of the policy was a specialist for something else. The gate has not seen such
 * choices. The strongest candidate loses nothing against itself.
 */
function isUnseenByGate(
  { rung, unrestricted }: Pick<ReturnType<typeof choose>, 'rung' | 'unrestricted'>,
  { rungs }: Pick<ServedLadder, 'rungs'>,
  { task }: RouteOptions,
): boolean {
  return rung > unrestricted && rung < rungs.length - 1 && !competes(rungs[unrestricted]!, task);
}

/** A model that a rule names: nothing was scored, and the gate says nothing of it. */
function decisionOfModel(rule: string, model: string) {
  return {
    id: `dec_${risingId()}`,
    candidate: model,
    model,
    escalated: isHuman(model), // above every rung
    scores: null,
    predictedLoss: null,
    threshold: null,
    reason: 'rule',
    rule,
    verdict: 'none',
    ungatedReason: 'rule',
  } as const;
}
