import { type ArtifactFiles, readVerdict, type Standing } from './artifact/index.ts';
import type { ViewedArtifact } from './artifact-views.ts';
import {
  type CheckedRung,
  checkedRungs,
  judgeReply,
  judgesWithout,
  judgeUses,
  type SignalSource,
  signalGaps,
  skipAt,
} from './cascade/index.ts';
import {
  classifierInput,
  createExplainer,
  createOnnxClassifier,
  type Explainer,
  featureExtractor,
  goldenHolds,
  watchedClassifier,
} from './classifier/index.ts';
import type { Config } from './config/index.ts';
import type { Ruling } from './configured-rules.ts';
import {
  amongCompeting,
  byCandidate,
  type Decided,
  decisionOfScores,
  isNamedByRule,
} from './decision-of-scores.ts';
import { closedError, PlimsollError } from './errors.ts';
import { openWatch, type WatchAlarm } from './monitoring/index.ts';
import { ALWAYS_STRONG, type Policy, type PolicyBook, policyVerdicts } from './policy/index.ts';
import { noSuchProfile } from './profile-choice.ts';
import { scoredText } from './prompt/index.ts';
import { choosingOf } from './route-options.ts';
import type {
  Decision,
  Explained,
  ReplyCheck,
  ReplyLacks,
  RouteOptions,
  Router,
  ServedProfile,
} from './router.ts';
import type { TaskClassifier } from './tasks/index.ts';
import type { Mutable } from './types.ts';

/** Parts that a caller may replace; the defaults are what serves. */
export interface RouterParts {
  readonly openClassifier?: typeof createOnnxClassifier;
  /** The clock by which verdicts expire. */
  readonly nowMs?: () => number;
  /** Called once for each alarm of the watch. */
  readonly onAlarm?: (alarm: WatchAlarm) => void;
}

export interface OpenParts extends RouterParts {
  readonly nowMs: () => number;
  /** One for all artifacts; undefined if tasks are off. */
  readonly tasks: TaskClassifier | undefined;
}

export async function openArtifactRouter(
  config: Config,
  { artifact, views }: ViewedArtifact,
  parts: OpenParts,
): Promise<Omit<Router, 'artifacts' | keyof Ruling>> {
  const { manifest } = artifact;
  const { ladder, standing } = views[0];
  const candidates = ladder.rungs.map(({ candidate }) => candidate);
  const extractor = featureExtractor(manifest.features);
  const counted = countedVerdict(artifact, standing);
  const isOfSessions = counted?.schema_version === 2 && counted.sealed.sessions !== undefined;
  const watch =
    config.watch &&
    openWatch(
      { ...artifact, verdict: counted, standing, extractor },
      config.watch,
      parts.onAlarm ?? (() => {}),
    );
  const served = views.map((view) => ({
    ...view,
    isOfSessions,
    hasSpecialists: view.ladder.rungs.some(({ tasks }) => tasks !== undefined),
    verdicts: policyVerdicts(view.standing, artifact, parts.nowMs, watch?.contradiction),
  }));
  const own = served[0]!;
  const byProfile = new Map(
    served.flatMap((view) => (view.profile === undefined ? [] : [[view.profile, view]])),
  );
  const { allowHub, workers } = config.encoder;
  const input = await classifierInput(manifest, { allowHub, ...(workers && { workers }) });
  const openClassifier = parts.openClassifier ?? createOnnxClassifier;
  const classifier = await openClassifier(artifact.classifier, input, extractor).catch(async (error) => {
    if (input.kind === 'linear') await input.encoder.close(); // its threads would outlive a failed reload
    throw error;
  });
  const watched = watchedClassifier(classifier);
  const { tasks } = parts;
  const identity = { name: manifest.name, sha256: artifact.sha256 };
  const abstains = manifest.classifier.abstain === 'escalate';
  const judged = manifest.cascade === undefined ? [] : checkedRungs(manifest.cascade);
  let explainer: Explainer | undefined;
  let decisions = 0;
  const inFlight = inFlightCount();
  let closed: Promise<void> | undefined;

  /** The options with the task that the client names; without one, and if the configuration says so, the task predicted from the text. */
  function withCompetingTask(options: RouteOptions, text: string | undefined): RouteOptions {
    if (config.tasks?.specialists !== 'predicted' || options.task !== undefined) return options;
    return text === undefined ? options : { ...options, task: tasks!.taskOf(text).task };
  }

  function checked(options: RouteOptions, checks: readonly boolean[] = []) {
    const view = options.profile === undefined ? own : viewNamed(options.profile, byProfile);
    const { policy, reference } = inForce(options.policy ?? view.defaultPolicy, view.policies);
    const choosing = choosingOf(options, policy, candidates, config.allowUngated, checks);
    return {
      policy,
      reference,
      view,
      artifact: identity,
      expectedLoss: manifest.expected_loss,
      choosing: view.hasSpecialists ? amongCompeting(choosing, view, options) : choosing,
    };
  }

  /** Audits may have lowered the threshold of the artifact's own policy, or put the strongest candidate in its place. */
  function inForce(name: string, policies: PolicyBook): ReturnType<PolicyBook['get']> {
    const found = policies.get(name);
    if (watch === undefined || name !== manifest.policy.name || found.policy.kind === 'fixed') return found;
    const threshold = watch.threshold();
    if (threshold === undefined) return policies.get(ALWAYS_STRONG.name);
    return { ...found, policy: { ...found.policy, threshold: Math.min(found.policy.threshold, threshold) } };
  }

  async function decide(
    text: string | undefined,
    asked: RouteOptions,
    startedMs: number,
    checks?: readonly boolean[],
  ): Promise<Decided> {
    const options = withCompetingTask(asked, text);
    const asking = checked(options, checks);
    const isUnscored = options.rule?.action.kind === 'model'; // the model is no candidate, so it has no score
    const needsNone = !config.scoreAlways && (asking.policy.kind === 'fixed' || isNamedByRule(options));
    const scored = isUnscored || needsNone || text === undefined ? 'no-text' : await watched.score(text);
    decisions++;
    const decided = decisionOfScores(scored, asking, options);
    const decision: Mutable<Decision> = decided.decision;
    if (tasks !== undefined && text !== undefined) decision.predictedTask = tasks.taskOf(text);
    decision.latencyMs = performance.now() - startedMs;
    return decided;
  }

  function observeDecided(
    text: string | undefined,
    { decision: { predictedLoss, threshold, reason, policy }, rung, isFree }: Decided,
    { threshold: asked, pinnedRung, session, rule, slowRungs, isRepeated }: RouteOptions,
  ): void {
    if (watch === undefined || threshold === null || isRepeated) return;
    const isUnasked =
      asked === undefined && pinnedRung === undefined && session === undefined && slowRungs === undefined;
    const isOwn = isFree && isUnasked && rule === undefined && policy.name === manifest.policy.name;
    watch.observe({
      text,
      predictedLoss,
      nothingSimilar: abstains ? reason === 'nothing-similar' : undefined,
      rung: isOwn ? rung : undefined,
    });
  }

  function canJudge(rung: number, replyMayLack: ReplyLacks): boolean | undefined {
    const judge = judged[rung]?.judge;
    return judge && replyMayLack.every((source) => judgesWithout(judge, source));
  }

  function usesSignal(rung: number, signal: SignalSource): boolean {
    const judge = judged[rung]?.judge;
    return judge !== undefined && judgeUses(judge, signal);
  }

  /** The logits are read at once: the classifier may be closed by the time that the replies are there. */
  async function replyChecks(text: string, rungs: readonly number[], accept: number): Promise<ReplyCheck[]> {
    const logits = await classifier.logits(text);
    return rungs.map((rung) => replyCheck(rung, judged[rung]!, { logits, text, accept }));
  }

  function ofRungs(scores: Readonly<Record<string, number>>): readonly number[] {
    return candidates.map((candidate) => {
      if (Object.hasOwn(scores, candidate)) return scores[candidate]!;
      throw new PlimsollError('invalid-input', `The scores have none for the candidate ${candidate}.`, {
        place: { field: 'scores' },
      });
    });
  }

  async function explanationOf(text: string): Promise<Explained['explanation']> {
    explainer ??= createExplainer(artifact.classifier, input, extractor);
    return byCandidate(await explainer(text), ladder);
  }

  /** What a view says about its artifact, its policy and its verdict. */
  function described({ policies, defaultPolicy, ladder: { stale }, verdicts }: (typeof served)[number]) {
    const byDefault = policies.get(defaultPolicy);
    return {
      artifact: { ...identity, created: manifest.created },
      canJudge,
      judgeUses: usesSignal,
      judgeGaps: signalGaps(manifest),
      defaultPolicy: { ...byDefault.reference, threshold: thresholdOf(byDefault.policy) },
      standing: () => verdicts.standing(stale),
      verdict(name = defaultPolicy) {
        const { policy } = policies.get(name);
        return verdicts.of(policy, { stale, otherThreshold: false, lowered: undefined }).verdict;
      },
    };
  }

  const profiles = new Map(
    [...byProfile].map(([name, view]): [string, ServedProfile] => [
      name,
      { ...view.ladder, ...described(view), margin: view.margin },
    ]),
  );

  return {
    ...described(own),
    competingTask: (routeInput, options) =>
      withCompetingTask(options, config.tasks === undefined ? undefined : scoredText(routeInput)).task,
    ladder: ladder.rungs,
    stale: ladder.stale,
    profiles,
    policies: own.policies.names,
    watch,
    check(options) {
      checked(options);
    },
    async route(routeInput, options = NO_OPTIONS) {
      const startedMs = performance.now();
      if (closed) throw closedError();
      inFlight.enter();
      try {
        const text = scoredText(routeInput);
        const decided = await decide(text, options, startedMs);
        const { decision } = decided;
        observeDecided(text, decided, options);
        return decision;
      } finally {
        inFlight.leave();
      }
    },
    async routeForCheck(routeInput, replyMayLack, options = NO_OPTIONS) {
      const startedMs = performance.now();
      if (closed) throw closedError();
      inFlight.enter();
      try {
        const text = scoredText(routeInput);
        const judgeable = replyMayLack.map((lacks, rung) => canJudge(rung, lacks) === true);
        const decided = await decide(text, options, startedMs, judgeable);
        const { decision, checked } = decided;
        observeDecided(text, decided, options);
        if (checked.length === 0) return { decision, checks: [] };
        const checks = await replyChecks(text!, checked, decision.threshold!).catch(() => undefined);
        if (checks !== undefined) return { decision, checks };
        const unchecked = await decide(text, options, startedMs); // the classifier fails: nothing can be judged
        return { decision: unchecked.decision, checks: [] };
      } finally {
        inFlight.leave();
      }
    },
    async explain(routeInput, options = NO_OPTIONS) {
      const startedMs = performance.now();
      if (closed) throw closedError();
      inFlight.enter();
      try {
        const text = scoredText(routeInput);
        const { decision } = await decide(text, options, startedMs);
        const unexplained = text === undefined || decision.reason === 'classifier-failed';
        return { decision, explanation: unexplained ? null : await explanationOf(text) };
      } finally {
        inFlight.leave();
      }
    },
    decideAgain(scores, options = NO_OPTIONS, judgeable) {
      const asking = checked(options, judgeable);
      return decisionOfScores(typeof scores === 'string' ? scores : ofRungs(scores), asking, options);
    },
    async checkGolden(index = 0) {
      return goldenHolds(classifier, artifact.golden[index % artifact.golden.length]!);
    },
    health() {
      const { count, last } = watched.failures();
      return {
        decisions,
        classifierFailures: count,
        lastFailure: last,
        lastReload: null,
        reloads: { ok: 0, failed: 0 },
      };
    },
    close() {
      closed ??= inFlight.none().then(() => classifier.close());
      return closed;
    },
  };
}

/** A verdict that does not count is not read: it may be damaged. */
function countedVerdict({ folder }: ArtifactFiles, { kind }: Standing) {
  return kind === 'none' ? undefined : readVerdict(folder);
}

function replyCheck(
  rung: number,
  { judge, path: limits }: CheckedRung,
  {
    logits,
    text,
    accept,
  }: { readonly logits: ArrayLike<number>; readonly text: string; readonly accept: number },
): ReplyCheck {
  return {
    rung,
    skip: skipAt({ path: limits }, accept),
    needsLogprobs: !judgesWithout(judge, 'logprobs'),
    uses: { agreement: judgeUses(judge, 'agreement'), verifier: judgeUses(judge, 'verifier') },
    judge(reply) {
      const verdict = judgeReply(judge, logits, text, reply);
      return { ...verdict, accepted: verdict.predictedLoss <= accept };
    },
  };
}

function thresholdOf(policy: Policy): number | null {
  return policy.kind === 'fixed' ? null : policy.threshold;
}

const NO_OPTIONS: RouteOptions = {};

/** Counts the requests in flight, and tells when none is left. */
function inFlightCount() {
  let count = 0;
  let whenNone: (() => void) | undefined;
  return {
    enter() {
      count++;
    },
    leave() {
      count--;
      if (count === 0) whenNone?.();
    },
    /** Call once, after the last `enter`. */
    none(): Promise<void> {
      if (count === 0) return Promise.resolve();
      return new Promise((resolve) => {
        whenNone = resolve;
      });
    },
  };
}

function viewNamed<View>(name: string, views: ReadonlyMap<string, View>): View {
  const view = views.get(name);
  if (view !== undefined) return view;
  throw noSuchProfile(name, [...views.keys()]);
}
