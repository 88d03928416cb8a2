import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { POLICY_VERDICTS } from '../policy/index.ts';
import type { Decision, Router } from '../router.ts';

interface Batch<T> {
  add(item: T): void;
  /** Handles what waits, now. */
  flush(): void;
}

interface BatchLimits {
  /** Handled at once when this many wait. */
  readonly maxItems: number;
  /** The longest that an item waits, in ms. */
  readonly maxMs: number;
}

/** Items that are handled together, so that work which can wait is not done between two requests. Its timer keeps no process alive. */
export function createBatch<T>(
  handle: (items: readonly T[]) => void,
  { maxItems, maxMs }: BatchLimits,
): Batch<T> {
  let waiting: T[] = [];
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    handle(items);
  }

  return {
    flush,
    add(item) {
      waiting.push(item);
      if (waiting.length >= maxItems) flush();
      else timer ??= setTimeout(flush, maxMs).unref();
    },
  };
}

/** What every server counts, whether it calls models or only decides. */
export interface DecisionMetrics {
  /** Counts a decision, within 100 ms. */
  decided(decision: Decision): void;
  /** Counts a response to a request for decisions. @param status 499 if the client left first */
  responded(route: string, status: number, seconds: number): void;
  /** Prometheus' text format 0.0.4. */
  exposition(): Promise<string>;
}

/** Decisions are counted in batches, not between two requests. */
const COUNTED_WITHIN = { maxItems: 256, maxMs: 100 };

/** Seconds, for what Plimsoll itself does. */
export const FAST_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const SCORE_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];
const LOSS_BUCKETS = [-0.5, -0.2, -0.1, -0.05, 0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1];

/**
 * Metrics of the decisions of a router and of what it serves, in a registry of their own. Labels have few values: candidates are the
 * artifact's, policies the configuration's, reasons and verdicts come from closed lists. Nothing that a client writes becomes one.
 */
export function createDecisionMetrics(router: Router): DecisionMetrics {
  const registry = new Registry();
  const count = decisionCounters(registry);
  const seconds = new Histogram({
    name: 'plimsoll_http_request_duration_seconds',
    help: 'Time from the head of a request for decisions to the end of its response.',
    labelNames: ['route', 'status'],
    buckets: FAST_BUCKETS,
    registers: [registry],
  });
  addRouterGauges(registry, router);
  const waiting = createBatch<Decision>(count, COUNTED_WITHIN);
  return {
    decided: waiting.add,
    responded: (route, status, taken) => seconds.observe({ route, status }, taken),
    exposition() {
      waiting.flush();
      return registry.metrics();
    },
  };
}

function decisionCounters(registry: Registry): (batch: readonly Decision[]) => void {
  const registers = [registry];
  const decisions = counterIn(registry)(
    'plimsoll_decisions_total',
    'Decisions by candidate, reason, policy and verdict, of every route.',
    'candidate',
    'reason',
    'policy',
    'verdict',
  );
  const ungated = counterIn(registry)(
    'plimsoll_ungated_decisions_total',
    'Decisions whose verdict is not PASS, by verdict and why.',
    'verdict',
    'ungated_reason',
  );
  const ruled = counterIn(registry)(
    'plimsoll_rule_decisions_total',
    'Decisions under a rule of the configuration, by rule and reason; the reason is rule if it changed the choice.',
    'rule',
    'reason',
  );
  const scores = new Histogram({
    name: 'plimsoll_decision_score',
    help: "Probability that the candidate's reply is good, as decisions had it.",
    labelNames: ['candidate'],
    buckets: SCORE_BUCKETS,
    registers,
  });
  const losses = new Histogram({
    name: 'plimsoll_decision_predicted_loss',
    help: "The strongest candidate's score minus the cheapest one's.",
    buckets: LOSS_BUCKETS,
    registers,
  });
  const ofProfiles = counterIn(registry)(
    'plimsoll_profile_decisions_total',
    'Decisions of requests for a profile, by profile, candidate and verdict.',
    'profile',
    'candidate',
    'verdict',
  );
  const ofTasks = counterIn(registry)(
    'plimsoll_task_decisions_total',
    'Decisions with tasks: on, by the task that the text was predicted to be, candidate and verdict.',
    'task',
    'candidate',
    'verdict',
  );
  return (batch) => {
    for (const { decision, count } of groupedByLabels(batch)) {
      const { candidate, reason, rule, policy, verdict, ungatedReason, profile, predictedTask } = decision;
      if (predictedTask !== undefined) ofTasks.inc({ task: predictedTask.task, candidate, verdict }, count);
      if (profile !== undefined) ofProfiles.inc({ profile, candidate, verdict }, count);
      decisions.inc({ candidate, reason, policy: policy.name, verdict }, count);
      if (rule !== undefined) ruled.inc({ rule, reason }, count);
      if (ungatedReason !== null) ungated.inc({ verdict, ungated_reason: ungatedReason }, count);
    }
    for (const { scores: byCandidate, predictedLoss } of batch) {
      for (const name in byCandidate) scores.observe({ candidate: name }, byCandidate[name]!);
      if (predictedLoss !== null) losses.observe(predictedLoss);
    }
  };
}

/** One of each group of decisions with the same labels: a counter spends most of its time on hashing labels. */
function groupedByLabels(
  batch: readonly Decision[],
): Iterable<{ readonly decision: Decision; readonly count: number }> {
  const groups = new Map<string, { readonly decision: Decision; count: number }>();
  for (const decision of batch) {
    const { candidate, reason, rule, policy, verdict, ungatedReason, profile, predictedTask } = decision;
    const labels = `${candidate}\n${reason}\n${rule}\n${policy.name}\n${verdict}\n${ungatedReason}\n${profile}\n${predictedTask?.task}`;
    const group = groups.get(labels);
    if (group) group.count++;
    else groups.set(labels, { decision, count: 1 });
  }
  return groups.values();
}

/** Read at each scrape: the router is replaced while it serves. */
function addRouterGauges(registry: Registry, router: Router): void {
  const registers = [registry];
  new Gauge({
    name: 'plimsoll_verdict_standing',
    help: "1 for what the gate's verdict on the artifact is worth now, 0 for the others.",
    labelNames: ['verdict'],
    registers,
    collect() {
      const { kind } = router.standing();
      const now = kind === 'pass' ? 'PASS' : kind;
      for (const verdict of POLICY_VERDICTS) this.set({ verdict }, verdict === now ? 1 : 0);
    },
  });
  new Gauge({
    name: 'plimsoll_verdict_expiry_timestamp_seconds',
    help: 'When the PASS of the gate expires, in seconds since 1970; missing without a PASS.',
    registers,
    collect() {
      this.remove();
      const standing = router.standing();
      if (standing.kind !== 'none') this.set(Date.parse(standing.expires) / 1_000);
    },
  });
  new Gauge({
    name: 'plimsoll_artifact_info',
    help: 'The artifacts that serve, by name and sha256 of their manifest; always 1.',
    labelNames: ['artifact', 'sha256'],
    registers,
    collect() {
      this.reset();
      for (const { name, sha256 } of router.artifacts) this.set({ artifact: name, sha256 }, 1);
    },
  });
  addProfileGauges(registers, router);
  new Gauge({
    name: 'plimsoll_watch_log_evidence',
    help: 'Natural logarithm of the evidence that requests (drift), their shares of the rungs (shares) or losses (audits) are not as the gate certified them; missing if not watched.',
    labelNames: ['watch'],
    registers,
    collect() {
      this.reset();
      const { drift, shares, audits } = router.watch?.status() ?? {};
      if (drift) this.set({ watch: 'drift' }, drift.logEvidence);
      if (shares) this.set({ watch: 'shares' }, shares.logEvidence);
      if (audits) this.set({ watch: 'audits' }, audits.logEvidence);
    },
  });
  new Gauge({
    name: 'plimsoll_watch_alarm',
    help: '1 if the watch raised an alarm since the artifact serves; missing if not watched.',
    labelNames: ['watch'],
    registers,
    collect() {
      this.reset();
      const { drift, shares, audits } = router.watch?.status() ?? {};
      if (drift) this.set({ watch: 'drift' }, drift.isAlarmed ? 1 : 0);
      if (shares) this.set({ watch: 'shares' }, shares.fault === undefined ? 0 : 1);
      if (audits) this.set({ watch: 'audits' }, audits.contradictions > 0 ? 1 : 0);
    },
  });
  new Gauge({
    name: 'plimsoll_drift_psi',
    help: 'Population stability index of a feature of requests against those that the gate certified; .25 is a shift.',
    labelNames: ['feature'],
    registers,
    collect() {
      this.reset();
      for (const { name, psi } of router.watch?.status().drift?.features ?? [])
        this.set({ feature: name }, psi);
    },
  });
  new Counter({
    name: 'plimsoll_classifier_failures_total',
    help: 'Decisions for which the classifier failed, so that the strongest candidate was chosen.',
    registers,
    collect() {
      this.reset();
      this.inc(router.health().classifierFailures);
    },
  });
  new Counter({
    name: 'plimsoll_reloads_total',
    help: 'Artifacts and configurations that were taken over, or refused while what served before served on.',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { ok, failed } = router.health().reloads;
      this.reset();
      this.inc({ outcome: 'ok' }, ok);
      this.inc({ outcome: 'failed' }, failed);
    },
  });
}

/** Gauges of profiles, and of what several artifacts cost. Names come from the configuration. */
function addProfileGauges(registers: Registry[], router: Router): void {
  new Gauge({
    name: 'plimsoll_profile_verdict_standing',
    help: "1 for what the verdict on a profile's artifact is worth now, 0 for the others.",
    labelNames: ['profile', 'verdict'],
    registers,
    collect() {
      this.reset();
      for (const [profile, served] of router.profiles) {
        const { kind } = served.standing();
        const now = kind === 'pass' ? 'PASS' : kind;
        for (const verdict of POLICY_VERDICTS) this.set({ profile, verdict }, verdict === now ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'plimsoll_profile_verdict_expiry_timestamp_seconds',
    help: "When the PASS of a profile's artifact expires, in seconds since 1970; missing without a PASS.",
    labelNames: ['profile'],
    registers,
    collect() {
      this.reset();
      for (const [profile, served] of router.profiles) {
        const standing = served.standing();
        if (standing.kind !== 'none') this.set({ profile }, Date.parse(standing.expires) / 1_000);
      }
    },
  });
  new Gauge({
    name: 'plimsoll_artifact_memory_bytes',
    help: 'By how much the memory of the process grew while an artifact was opened.',
    labelNames: ['artifact', 'sha256'],
    registers,
    collect() {
      this.reset();
      for (const { name, sha256, memoryBytes } of router.artifacts)
        this.set({ artifact: name, sha256 }, memoryBytes);
    },
  });
  new Gauge({
    name: 'plimsoll_artifact_load_seconds',
    help: 'How long opening an artifact took.',
    labelNames: ['artifact', 'sha256'],
    registers,
    collect() {
      this.reset();
      for (const { name, sha256, loadMs } of router.artifacts)
        this.set({ artifact: name, sha256 }, loadMs / 1_000);
    },
  });
}

/** The router, whose decisions are all reported: those of every route go through it. */
export function observedRouter(router: Router, decided: (decision: Decision) => void): Router {
  const observed: Pick<Router, 'route' | 'routeForCheck' | 'explain'> = {
    route: (input, options) =>
      router.route(input, options).then((decision) => {
        decided(decision);
        return decision;
      }),
    routeForCheck: (input, replyMayLack, options) =>
      router.routeForCheck(input, replyMayLack, options).then((routed) => {
        decided(routed.decision);
        return routed;
      }),
    explain: (input, options) =>
      router.explain(input, options).then((explained) => {
        decided(explained.decision);
        return explained;
      }),
  };
  return Object.assign(Object.create(router) as Router, observed);
}

/** Makes counters of this registry alone. */
export function counterIn(registry: Registry) {
  return <T extends string>(name: string, help: string, ...labelNames: T[]) =>
    new Counter<T>({ name, help, labelNames, registers: [registry] });
}
