import { sha256OfJson } from '../artifact/index.ts';
import { type CascadePaths, type CheckedRung, checkedRungs, skipAt } from '../cascade/index.ts';
import type { Unscored } from '../classifier/index.ts';
import { PlimsollError, quoted } from '../errors.ts';
import { rescueRung, type SessionStay, staysInSession } from './session-stay.ts';

type Limits = Omit<CheckedRung, 'judge'>;

/** What turns probabilities into a choice. A fixed policy asks no classifier. */
export type Policy =
  | {
      readonly kind: 'threshold';
      readonly name: string;
      readonly version: number;
      readonly threshold: number;
    }
  /** Its threshold is the accept level (router/cascade): the largest predicted loss of a judged reply that still goes out. */
  | ({
      readonly kind: 'cascade';
      readonly name: string;
      readonly version: number;
      readonly threshold: number;
    } & Limits & { readonly middle?: readonly Limits[] | undefined })
  | {
      readonly kind: 'fixed';
      readonly name: string;
      readonly version: number;
      readonly rung: 'cheapest' | 'strongest';
    };

/** How a decision names the policy that made it. */
export interface PolicyReference {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
}

export const ALWAYS_CHEAP: Policy = { kind: 'fixed', name: 'always-cheap', version: 1, rung: 'cheapest' };
export const ALWAYS_STRONG: Policy = { kind: 'fixed', name: 'always-strong', version: 1, rung: 'strongest' };

export interface PolicyBook {
  readonly names: readonly string[];
  /** @throws PlimsollError `not-found`, listing the policies that there are. */
  get(name: string): { readonly policy: Policy; readonly reference: PolicyReference };
}

/**
 * @param withheld names of policies that exist but may not serve: asking for one says why.
 * @throws PlimsollError `invalid-config` if two policies have one name.
 */
export function policyBook(policies: readonly Policy[], withheld: readonly string[] = []): PolicyBook {
  const entries = new Map<string, { policy: Policy; reference: PolicyReference }>();
  for (const policy of policies) {
    if (entries.has(policy.name)) {
      throw new PlimsollError(
        'invalid-config',
        `There are two policies named "${policy.name}". Rename one of them.`,
      );
    }
    const reference = { name: policy.name, version: policy.version, sha256: sha256OfJson(policy) };
    entries.set(policy.name, { policy, reference });
  }
  const names = [...entries.keys()];
  return {
    names,
    get(name) {
      const entry = entries.get(name);
      if (entry) return entry;
      const why = withheld.includes(name)
        ? `The policy "${name}" has not passed the gate; allow_ungated: true lets it serve.`
        : `There is no policy named "${quoted(name)}".`;
      throw new PlimsollError('not-found', `${why} There are: ${names.join(', ')}.`, {
        place: { field: 'policy' },
      });
    },
  };
}

/** The choice of a rule that names a rung: nothing is scored. @param bounded the rungs from that one on that can take the request */
export function chooseByRule(bounded: readonly number[], rungs: number): Choice {
  return {
    rung: bounded[0]!,
    unrestricted: rungs - 1,
    reason: 'rule',
    predictedLoss: null,
    threshold: null,
  };
}

/** A choice of rung, and why. */
interface Choice {
  readonly rung: number;
  /** What the policy would have chosen if every rung had been allowed. */
  readonly unrestricted: number;
  readonly reason: ChoiceReason;
  /** Predicted loss of the cheapest rung; above the threshold the request is escalated. Null if no classifier ran. */
  readonly predictedLoss: number | null;
  /** The threshold that was in force; null for a fixed policy. */
  readonly threshold: number | null;
  /** The rungs whose replies are judged, one after the other until one passes; only with the reason `cascade-check`. The first is `rung`. */
  readonly checked?: readonly number[];
  /** The rung that the policy chose, if the turn or the session kept another. */
  readonly policyRung?: number;
}

/** Why a rung was chosen. */
export const CHOICE_REASONS = [
  'within-threshold',
  'over-threshold',
  'requested-threshold', // by a threshold that the request named in place of the policy's own
  'fixed-policy',
  'cascade-check', // a cheaper model replies, and its reply is judged before it goes out
  'cascade-skipped', // the prompt alone shows that no cheaper model's reply would do
  'cascade-unchecked', // nobody here can judge the cheaper model's reply, so the strongest candidate replies
  'same-turn', // the results of tools go to the rung that called them
  'same-session', // the conversation stays on a stronger rung than the policy's choice
  'session-rescue', // its model has failed so often that a stronger one goes on
  'rule', // a rule of the configuration left other rungs, or named one
  'requirements', // the policy's choice cannot take the request, another rung can
  'latency', // the policy's choice is expected to be too slow, another rung is not
  'no-text', // nothing to score: no person wrote any text
  'unreadable', // a script that the encoder's vocabulary does not know
  'nothing-similar', // the artifact abstains where nothing similar was labelled
  'classifier-failed',
] as const;

export type ChoiceReason = (typeof CHOICE_REASONS)[number];

/** What a choice is made among, and by which threshold. */
export interface Choosing {
  readonly rungs: number;
  /** The rungs that can take the request, ascending, at least one; undefined if all can. */
  readonly allowed: readonly number[] | undefined;
  /** Those of them that a rule of the configuration leaves, at least one; undefined if it leaves all. */
  readonly bounded?: readonly number[] | undefined;
  /** In place of the policy's own, if the request names one. */
  readonly requestedThreshold: number | undefined;
  /** The rung that the request's turn is on: a policy that reads scores stays there if it is allowed. */
  readonly pinned?: number | undefined;
  /** The request's session, if it has a say. */
  readonly session?: SessionStay | undefined;
  /** Rungs that are expected to be too slow: another one is preferred. Undefined if there are none. */
  readonly slow?: SlowRungs | undefined;
  /** For each rung, cheapest first, whether its reply will be judged before it goes out; otherwise a cascade sends no request to it. Default none. */
  readonly checks?: readonly boolean[];
}

/** Rungs that are expected to reply too late. */
export interface SlowRungs {
  /** Ascending from 0, the cheapest. */
  readonly rungs: readonly number[];
  /** Whether a cheaper rung is taken if no stronger one is quick. What is promised of the policy does not hold there. */
  readonly mayLower: boolean;
}

/** Why there are no probabilities. */
export type NoScores = 'no-text' | Unscored | 'classifier-failed';

/**
 * Turns probabilities into a rung. A fixed policy needs none. A threshold policy that has none takes the strongest rung that is allowed.
 * @param probabilities one per rung, cheapest first, or why there are none
 */
export function choose(
  policy: Policy,
  probabilities: ArrayLike<number> | NoScores,
  choosing: Choosing,
): Choice {
  const { bounded } = choosing;
  const choice = chooseAllowed(policy, probabilities, choosing);
  if (bounded === undefined) return choice;
  const ruled = chooseAllowed(policy, probabilities, { ...choosing, allowed: bounded });
  const isSame = ruled.rung === choice.rung && ruled.checked?.length === choice.checked?.length;
  return isSame ? ruled : { ...ruled, reason: 'rule' };
}

function chooseAllowed(
  policy: Policy,
  probabilities: Parameters<typeof choose>[1],
  choosing: Choosing,
): Choice {
  const choice = inConversation(policy, chooseAnew(policy, probabilities, choosing), choosing);
  const { slow, pinned } = choosing;
  if (slow === undefined || pinned !== undefined || choice.policyRung !== undefined) return choice;
  return quickChoice(choice, probabilities, choosing, slow);
}

/** The rung on which a turn or a session goes on, if that is not the policy's choice. */
function inConversation(policy: Policy, choice: Choice, choosing: Choosing): Choice {
  const { pinned, allowed, rungs, session } = choosing;
  if (policy.kind === 'fixed' || (pinned === undefined && session === undefined)) return choice;
  const isPinned = pinned !== undefined && allowed?.includes(pinned) !== false;
  const isCascade = policy.kind === 'cascade';
  if (session !== undefined) {
    const usable = { rungs, allowed, strongestAlone: isCascade };
    const rescued = rescueRung(choice, session, usable);
    if (rescued !== undefined)
      return rescued > choice.rung ? movedTo(choice, rescued, 'session-rescue') : choice;
    if (!isPinned)
      return staysInSession(choice, session, usable) ? movedTo(choice, session.rung, 'same-session') : choice;
  }
  if (!isPinned || pinned === choice.rung) return choice;
  // The reply is not judged then, so what a cascade promises holds on its strongest rung alone.
  const unrestricted = isCascade ? rungs - 1 : choice.unrestricted;
  return { ...movedTo(choice, pinned, 'same-turn'), unrestricted };
}

function movedTo({ checked: _, ...choice }: Choice, rung: number, reason: ChoiceReason): Choice {
  return { ...choice, rung, reason, policyRung: choice.rung };
}

/**
 * A rung that is not slow in place of one that is: the cheapest stronger one that the threshold lets through, or the strongest. Those lose no
 * more than the choice by the same measure, so what is promised of it holds. A choice that is a downgrade already stays.
 */
function quickChoice(
  choice: Choice,
  probabilities: Parameters<typeof choose>[1],
  { rungs, allowed }: Choosing,
  { rungs: slow, mayLower }: SlowRungs,
): Choice {
  if (!slow.includes(choice.rung) || choice.rung < choice.unrestricted) return choice;
  const isQuick = (rung: number) => !slow.includes(rung) && allowed?.includes(rung) !== false;
  const { threshold } = choice;
  for (let rung = choice.rung + 1; rung < rungs; rung++) {
    const isWithin =
      rung === rungs - 1 ||
      threshold === null ||
      (typeof probabilities !== 'string' && predictedLoss(probabilities, rung) <= threshold);
    if (isQuick(rung) && isWithin) return { ...choice, rung, reason: 'latency' };
  }
  if (!mayLower) return choice;
  for (let rung = choice.rung - 1; rung >= 0; rung--) {
    if (isQuick(rung)) return { ...choice, rung, reason: 'latency' };
  }
  return choice;
}

function chooseAnew(policy: Policy, probabilities: Parameters<typeof choose>[1], choosing: Choosing): Choice {
  const { rungs, allowed, requestedThreshold } = choosing;
  if (policy.kind === 'fixed') return chooseFixed(policy.rung, rungs, allowed);
  const threshold = requestedThreshold ?? policy.threshold;
  if (typeof probabilities === 'string') {
    const unrestricted = rungs - 1;
    const rung = strongestOf(rungs, allowed);
    // Without text there is no choice that requirements could have overridden.
    const reason = probabilities === 'no-text' ? probabilities : reasonOf(probabilities, rung, unrestricted);
    return { rung, unrestricted, reason, predictedLoss: null, threshold };
  }
  if (policy.kind === 'cascade') return chooseInCascade({ ...policy, threshold }, probabilities, choosing);
  const unrestricted = chooseRung(probabilities, threshold);
  const rung = allowed === undefined ? unrestricted : chooseRung(probabilities, threshold, allowed);
  const byThreshold = rung === 0 ? 'within-threshold' : 'over-threshold';
  const reason = threshold === policy.threshold ? byThreshold : 'requested-threshold';
  return {
    rung,
    unrestricted,
    reason: reasonOf(reason, rung, unrestricted),
    predictedLoss: predictedLoss(probabilities, 0),
    threshold,
  };
}

function chooseFixed(
  which: 'cheapest' | 'strongest',
  rungs: number,
  allowed: readonly number[] | undefined,
): Choice {
  const unrestricted = which === 'cheapest' ? 0 : rungs - 1;
  const rung = which === 'cheapest' ? (allowed?.[0] ?? 0) : strongestOf(rungs, allowed);
  const reason = reasonOf('fixed-policy', rung, unrestricted);
  return { rung, unrestricted, reason, predictedLoss: null, threshold: null };
}

/**
 * The first rung whose reply is worth a look, if it can be had, and the strongest is there for what does not pass; else the strongest. A rung that
 * cannot be checked ends the climb, even if a later one can: those above were certified for what the ones below did not keep.
 */
function chooseInCascade(
  policy: Extract<Policy, { kind: 'cascade' }>,
  probabilities: ArrayLike<number>,
  { rungs, allowed, checks = [], slow }: Choosing,
): Choice {
  const { threshold } = policy;
  const loss = predictedLoss(probabilities, 0);
  const strongest = rungs - 1;
  const rung = strongestOf(rungs, allowed);
  const called = calledRungs(policy, probabilities, threshold);
  const uncheckable = called.findIndex(
    (one) => !checks[one] || allowed?.includes(one) === false || slow?.rungs.includes(one) === true,
  );
  const checked = uncheckable === -1 ? called : called.slice(0, uncheckable);
  const [first] = checked;
  if (first !== undefined && rung === strongest) {
    const reason = 'cascade-check';
    return { rung: first, unrestricted: first, reason, predictedLoss: loss, threshold, checked };
  }
  const reason = reasonOf(called.length === 0 ? 'cascade-skipped' : 'cascade-unchecked', rung, strongest);
  return { rung, unrestricted: strongest, reason, predictedLoss: loss, threshold };
}

/**
 * The rungs that a cascade calls for a request, one after the other until one keeps it: those on which the prompt's predicted loss is within the limit.
 * @param probabilities one a rung, cheapest first
 */
export function calledRungs(
  cascade: CascadePaths,
  probabilities: ArrayLike<number>,
  accept: number,
): readonly number[] {
  return checkedRungs(cascade).flatMap((limits, rung) =>
    predictedLoss(probabilities, rung) <= skipAt(limits, accept) ? [rung] : [],
  );
}

function reasonOf(reason: ChoiceReason, rung: number, unrestricted: number): ChoiceReason {
  return rung === unrestricted ? reason : 'requirements';
}

function strongestOf(rungs: number, allowed: readonly number[] | undefined): number {
  return allowed === undefined ? rungs - 1 : allowed[allowed.length - 1]!;
}

/**
 * Predicted loss of a candidate: the strongest candidate's probability minus its own, in [-1, 1]. It estimates the
 * quality loss, q(strong) - q(routed), of sending the request there; below 0 the cheaper one is expected to do better.
 */
export function predictedLoss(probabilities: ArrayLike<number>, rung: number): number {
  return probabilities[probabilities.length - 1]! - probabilities[rung]!;
}

/**
 * The cheapest rung whose predicted loss is within the threshold; the strongest if none is.
 * @param probabilities one per rung, cheapest first.
 * @param allowed the rungs to choose among, ascending, at least one; all of them if left out.
 */
export function chooseRung(
  probabilities: ArrayLike<number>,
  threshold: number,
  allowed?: readonly number[],
): number {
  if (allowed !== undefined) return chooseAmong(allowed, probabilities, threshold);
  const strongest = probabilities.length - 1;
  for (let rung = 0; rung < strongest; rung++) {
    if (predictedLoss(probabilities, rung) <= threshold) return rung;
  }
  return strongest;
}

function chooseAmong(
  allowed: readonly number[],
  probabilities: ArrayLike<number>,
  threshold: number,
): number {
  const within = allowed.find((rung) => predictedLoss(probabilities, rung) <= threshold);
  return within ?? allowed[allowed.length - 1]!;
}
