import type { ServedLadder, ServedRung, Standing } from './artifact/index.ts';
import type { ReplyVerdict, SignalSource } from './cascade/index.ts';
import type { CandidateExplanation } from './classifier/index.ts';
import type { Watch } from './monitoring/index.ts';
import type {
  ChoiceReason,
  NoScores,
  PolicyReference,
  PolicyVerdict,
  SessionStay,
  SlowRungs,
  UngatedReason,
} from './policy/index.ts';
import type { RequestTraits, Rule } from './rules/index.ts';
import type { TaskPrediction } from './tasks/index.ts';
import type { Reply, RouteInput } from './types.ts';

/** The router's result: reproducible from its fields, and without a word of the prompt. */
export interface Decision {
  readonly id: string;
  /** The rung's name, and the model to call. */
  readonly candidate: string;
  readonly model: string;
  /** A stronger rung than the cheapest was chosen. */
  readonly escalated: boolean;
  /** Candidate -> calibrated probability that its reply is good. Null if no classifier ran or it failed. */
  readonly scores: Readonly<Record<string, number>> | null;
  readonly predictedLoss: number | null;
  /** Quality that the cheapest rung is expected to lose, -1..1: a straight line over the predicted loss. Left out if the artifact has none, or no classifier ran. */
  readonly expectedLoss?: number;
  /** What the text is likely to ask for; left out unless `tasks` is on, and if there is no text. Rules and, if so configured, specialists go by it. */
  readonly predictedTask?: TaskPrediction;
  /** The threshold that was used: the request's if it named one, else the policy's; null for a fixed policy. That of a cascade is for replies. */
  readonly threshold: number | null;
  readonly reason: ChoiceReason;
  /** The candidate that the policy chose, if the turn or the session of the request kept another. */
  readonly policyChoice?: string;
  /** The rule of the configuration that fired, whether or not it changed the choice; left out if none did. */
  readonly rule?: string;
  /** What was left of the ladder before the policy chose; left out if all of it was. */
  readonly narrowed?: Narrowing;
  readonly policy: PolicyReference;
  readonly artifact: { readonly name: string; readonly sha256: string };
  /** The profile that the request was for; undefined: none. */
  readonly profile: string | undefined;
  /** The router was learned on other models than it serves: its probabilities are a guess. */
  readonly stale: boolean;
  /** PASS: the gate passed what decided, with this threshold and for these models, and the PASS still held. */
  readonly verdict: PolicyVerdict;
  /** Why it is not PASS; null if it is. */
  readonly ungatedReason: UngatedReason | null;
  readonly latencyMs: number;
}

/** What narrowed a choice beside rules, by the names of candidates. With the scores it makes a decision reproducible. */
export interface Narrowing {
  /** On a ladder with specialists: the task by which they competed. */
  readonly task?: string;
  /** Those that could take the request, cheapest first; left out if all could. */
  readonly allowed?: readonly string[];
  /** The one that the request's turn was on. */
  readonly pinned?: string;
  /** The one that its conversation was on, and what that said. */
  readonly session?: Omit<SessionStay, 'rung'> & { readonly candidate: string };
  /** Those that were expected to reply too late, and whether a cheaper one could take their place. */
  readonly slow?: readonly string[];
  readonly slowMayLower?: boolean;
  /** In a cascade: the candidates whose replies could be judged. */
  readonly judgeable?: readonly string[];
}

export interface Explained {
  readonly decision: Decision;
  /** Candidate -> the exact sum behind its score. Null if there was no text to score, or the classifier failed. */
  readonly explanation: Readonly<Record<string, CandidateExplanation>> | null;
}

/** What a model's reply to a request may come without. */
export type ReplyLacks = readonly SignalSource[];

/** A decision of which the caller will have replies judged before they go out. */
export interface RoutedForCheck {
  readonly decision: Decision;
  /** The rungs to call, one after the other until one passes; the first is the decision's. Empty unless its reason is `cascade-check`. */
  readonly checks: readonly ReplyCheck[];
}

/** What the scores of an earlier request come to. */
export interface DecidedAgain {
  readonly decision: Decision;
  /** The rungs whose replies are to be judged, one after the other until one passes; empty unless the reason is `cascade-check`. */
  readonly checked: readonly number[];
}

/** Judges one model's reply to one request. */
export interface ReplyCheck {
  /** Rung of the ladder, 0 the cheapest. */
  readonly rung: number;
  /** The limit on the prompt's predicted loss that it kept. */
  readonly skip: number;
  /** Without log-probabilities no reply passes. */
  readonly needsLogprobs: boolean;
  /** Whether the signals that take further calls count. */
  readonly uses: { readonly agreement: boolean; readonly verifier: boolean };
  /** Whether the reply may go out; else the request goes on to the next rung. */
  judge(reply: Reply): ReplyVerdict & { readonly accepted: boolean };
}

export interface RouterHealth {
  readonly decisions: number;
  readonly classifierFailures: number;
  readonly lastFailure: { readonly at: string; readonly message: string } | null;
  /** The last try to take over another artifact or configuration; null before the first, and if nothing reloads. */
  readonly lastReload: Reload | null;
  /** Counts since the start. */
  readonly reloads: { readonly ok: number; readonly failed: number };
}

/** The outcome of a reload. Where it failed, `message` says why, and what served before serves on. */
export interface Reload {
  readonly at: string;
  readonly ok: boolean;
  readonly message: string;
}

/** How to decide on one request. */
export interface RouteOptions {
  /** By default the configured default policy decides. */
  readonly policy?: string;
  /** -1 to 1, in place of the policy's own. Any other than the gated one needs `allow_ungated`, and its decision has the verdict `none`. */
  readonly threshold?: number;
  /**
   * The rungs that can take the request, ascending from 0, the cheapest; by default all. If the policy's choice is not among them, the
   * cheapest that is within the threshold is chosen, else the strongest; `ungatedReason` is `downgraded` if that is a cheaper one.
   */
  readonly allowedRungs?: readonly number[];
  /**
   * The rung that the request's turn is on, 0 the cheapest: it stays there, if that is allowed and the policy reads scores. If that is not the policy's
   * choice, the reason is `same-turn`; `ungatedReason` is `lower-turn` on a cheaper one, and in a cascade on any but the strongest.
   */
  readonly pinnedRung?: number;
  /**
   * What the request's session says: it stays on a stronger rung than the policy's choice (`same-session`), or goes to one because its model has
   * failed (`session-rescue`). It never lowers a choice, and a fixed policy does not ask it.
   */
  readonly session?: SessionStay | undefined;
  /**
   * The caller keeps sessions as the configuration says, so a verdict on whole sessions covers the request; without it such a verdict is `none`, reason
   * `other-sessions`, unless the strongest candidate is chosen. The gateway sets it.
   */
  readonly inSession?: boolean;
  /** Which task the request is, in lower case: specialists for other tasks, and all of them without one, do not compete for it. */
  readonly task?: string;
  /**
   * Rungs that are expected to reply too late: a stronger one that is not is chosen in place of them, for the reason `latency`. If there is
   * none, the choice stays, or with `mayLower` goes to a cheaper one; `ungatedReason` is `too-slow` then. A pinned turn stays where it is.
   */
  readonly slowRungs?: SlowRungs;
  /** A profile of the configuration: its ladder, artifact and policy decide. */
  readonly profile?: string;
  /** The rule that the request is under, as `Router.ruled` found it. */
  readonly rule?: Rule;
  /** The watch leaves it out: the same request was decided on before. */
  readonly isRepeated?: boolean;
}

/** A profile as it is served. Its verdict is that of its own artifact, over its own ladder and floors. */
export interface ServedProfile
  extends ServedLadder,
    Pick<Router, 'artifact' | 'defaultPolicy' | 'canJudge' | 'judgeUses' | 'judgeGaps' | 'standing'> {
  /** Largest quality loss that the verdict of its artifact may allow; undefined: what `gate` of the configuration says. */
  readonly margin: number | undefined;
  /** Verdict on its default policy. */
  verdict(): PolicyVerdict;
}

/** An artifact that is open. */
export interface LoadedArtifact {
  readonly name: string;
  readonly sha256: string;
  /** The profiles that it serves; empty if it is the configuration's own and serves no profile. */
  readonly profiles: readonly string[];
  /** What opening it took, golden cases included. */
  readonly loadMs: number;
  /** By how much the resident memory of the process grew meanwhile; what else the process did counts too. */
  readonly memoryBytes: number;
  /** What it serves, compared with what the gate certified; undefined unless the configuration asks for it. */
  readonly watch: Watch | undefined;
}

export interface Router {
  readonly artifact: { readonly name: string; readonly sha256: string; readonly created: string };
  readonly ladder: readonly ServedRung[];
  /** The default ladder serves other models than the router learned from. */
  readonly stale: boolean;
  /** The profiles of the configuration, by name. */
  readonly profiles: ReadonlyMap<string, ServedProfile>;
  /** What is loaded, the configuration's own first. */
  readonly artifacts: readonly LoadedArtifact[];
  readonly policies: readonly string[];
  /** Undefined if the artifact has no cascade, or judges no replies of that rung; else whether the rung's judge can do without what they may lack. */
  canJudge(rung: number, replyMayLack: ReplyLacks): boolean | undefined;
  /** Whether the judge of that rung makes anything of a signal; false without a judge. */
  judgeUses(rung: number, signal: SignalSource): boolean;
  /** A sentence for each kind of signal that the judges of the artifact cannot tell the worth of (router/cascade, `signalGaps`). */
  readonly judgeGaps: readonly string[];
  /** What decides if a request names no policy; a fixed policy has no threshold. */
  readonly defaultPolicy: PolicyReference & { readonly threshold: number | null };
  /** What the artifact may claim of its own policy at this moment, over the default ladder. */
  standing(): Standing;
  /** The same for a policy that serves, or for the default one, over the default ladder. */
  verdict(policy?: string): PolicyVerdict;
  /** Compares what is served with what the gate certified; undefined unless the configuration asks for it. */
  readonly watch: Watch | undefined;
  /** The rules of the configuration, in their order; empty if there are none, and then `ruled` need not be called. */
  readonly rules: readonly Rule[];
  /**
   * The options for a request with the rule that fires for it, and the profile that this names; the same options if none fires.
   * @throws PlimsollError `refused-by-rule` if the rule refuses the request
   */
  ruled(traits: RequestTraits, options?: RouteOptions): RouteOptions;
  /** The task by which specialists compete for a request: the client's, else the predicted one if the configuration says so; undefined if there is none. */
  competingTask(input: RouteInput, options: RouteOptions): string | undefined;
  /** Throws what `route` would reject with because of these options. Decides nothing. */
  check(options: RouteOptions): void;
  /**
   * Messages in which no person wrote any text go to the strongest allowed rung (`no-text`); a failing classifier escalates.
   * Rejects with a PlimsollError: `invalid-input` if the input or an option is wrong, `not-found` if there is no such policy or profile,
   * `closed` after `close`.
   */
  route(input: RouteInput, options?: RouteOptions): Promise<Decision>;
  /**
   * The same for a caller that holds the replies of the rungs to check until they are judged, and calls the strongest candidate if none passes. To
   * others a cascade names the strongest candidate (`cascade-unchecked`), and also if the judge of the first rung needs what its reply may lack.
   * @param replyMayLack of each rung's replies, cheapest first; a rung without an entry is not checked
   */
  routeForCheck(
    input: RouteInput,
    replyMayLack: readonly ReplyLacks[],
    options?: RouteOptions,
  ): Promise<RoutedForCheck>;
  explain(input: RouteInput, options?: RouteOptions): Promise<Explained>;
  /**
   * What `route` decides for a request whose scores are known, such as those of a decision record: no text is read or scored, and no watch sees it.
   * @param scores candidate -> probability, or why there are none
   * @param judgeable of each rung, cheapest first, whether its reply can be judged; default none
   * @throws PlimsollError `invalid-input` if a candidate has no score, and what `check` throws
   */
  decideAgain(
    scores: Readonly<Record<string, number>> | NoScores,
    options?: RouteOptions,
    judgeable?: readonly boolean[],
  ): DecidedAgain;
  /** Scores the artifact's golden case number `index`; resolves to whether it came out within 1e-3. */
  checkGolden(index?: number): Promise<boolean>;
  health(): RouterHealth;
  /** Resolves when the requests in flight are decided. Further ones are rejected with `closed`. Safe to call twice. */
  close(): Promise<void>;
}
