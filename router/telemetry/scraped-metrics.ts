import { Counter, Gauge, type Registry } from 'prom-client';
import type { BreakerState } from '../fallback/index.ts';
import type { ModelLatency, Quantiles } from '../latency/index.ts';

/** Read at each scrape. */
export interface MetricSources {
  readonly inFlight: () => number;
  readonly queued: () => number;
  /** States of every model that was called so far. */
  readonly breakerStates: () => ReadonlyMap<string, BreakerState>;
  /** Latencies of every model that was measured lately. */
  readonly latencies?: () => ReadonlyMap<string, ModelLatency>;
  /** Requests at work by deployment, of models that have several: `<model> <deployment>`. */
  readonly busyDeployments?: () => ReadonlyMap<string, number>;
  readonly decisionLog: () => { readonly written: number; readonly dropped: number };
  /** Mirrored requests by what happened to them. */
  readonly shadows?: () => readonly {
    readonly experiment: string;
    readonly outcome: string;
    readonly count: number;
  }[];
  /** Outcome -> requests; undefined if none are captured. */
  readonly captured?: () => Readonly<Record<string, number>> | undefined;
  /** What was said about replies. */
  /** Scores of replies, by what routing chose. */
  readonly feedbackScores?: () => readonly {
    readonly chosen: string;
    readonly n: number;
    readonly sum: number;
  }[];
  readonly feedback?: () => readonly {
    readonly kind: string;
    readonly outcome: string;
    readonly count: number;
  }[];
  /** Entries of the ledger. */
  readonly ledger: () => { readonly settled: number; readonly waiting: number; readonly dropped: number };
  readonly isStateAway: () => boolean;
}

/** Adds the metrics that are read from their sources when Prometheus asks. */
export function addScrapedMetrics(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('plimsoll_requests_in_flight', 'Requests at work.', sources.inFlight);
  gauge('plimsoll_requests_queued', 'Requests that wait for a place.', sources.queued);
  addBreakers(registry, sources);
  addDeployments(registry, sources);
  addLatencies(registry, sources);
  const log = new Counter({
    name: 'plimsoll_decision_log_records_total',
    help: 'Records of the decision log: stored, or dropped because the disk or the database was too slow or refused.',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { written, dropped } = sources.decisionLog();
      log.reset();
      log.inc({ outcome: 'written' }, written);
      log.inc({ outcome: 'dropped' }, dropped);
    },
  });
  const captured = new Counter({
    name: 'plimsoll_captured_total',
    help: 'Requests of conversations by what capture made of them: stored, not-drawn, or why one that was drawn is not kept.',
    labelNames: ['outcome'],
    registers,
    collect() {
      captured.reset();
      for (const [outcome, count] of Object.entries(sources.captured?.() ?? {}))
        captured.inc({ outcome }, count);
    },
  });
  const shadows = new Counter({
    name: 'plimsoll_shadow_requests_total',
    help: 'Requests that were mirrored, by experiment and outcome: replied, failed, or why none was sent.',
    labelNames: ['experiment', 'outcome'],
    registers,
    collect() {
      shadows.reset();
      for (const { experiment, outcome, count } of sources.shadows?.() ?? [])
        shadows.inc({ experiment, outcome }, count);
    },
  });
  const feedback = new Counter({
    name: 'plimsoll_feedback_total',
    help: 'What was said of replies, by kind: recorded, or repeated, which changes nothing.',
    labelNames: ['kind', 'outcome'],
    registers,
    collect() {
      feedback.reset();
      for (const { kind, outcome, count } of sources.feedback?.() ?? [])
        feedback.inc({ kind, outcome }, count);
    },
  });
  const feedbackMean = new Gauge({
    name: 'plimsoll_feedback_mean_score',
    help: 'Mean score of feedback since the process began, by what routing chose: kept cheap, or escalated. Who gives feedback chose to: it is no audit.',
    labelNames: ['chosen'],
    registers,
    collect() {
      feedbackMean.reset();
      for (const { chosen, n, sum } of sources.feedbackScores?.() ?? [])
        feedbackMean.set({ chosen }, sum / n);
    },
  });
  const feedbackScores = new Counter({
    name: 'plimsoll_feedback_scores_total',
    help: 'Scores that the mean is of.',
    labelNames: ['chosen'],
    registers,
    collect() {
      feedbackScores.reset();
      for (const { chosen, n } of sources.feedbackScores?.() ?? []) feedbackScores.inc({ chosen }, n);
    },
  });
  const ledger = new Counter({
    name: 'plimsoll_ledger_entries_total',
    help: 'Costs of requests for the ledger: settled (on disk), or dropped because too many waited.',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { settled, dropped } = sources.ledger();
      ledger.reset();
      ledger.inc({ outcome: 'settled' }, settled);
      ledger.inc({ outcome: 'dropped' }, dropped);
    },
  });
  gauge(
    'plimsoll_ledger_waiting',
    'Entries of the ledger that are not on disk yet.',
    () => sources.ledger().waiting,
  );
  gauge('plimsoll_state_away', '1 while the state cannot be used, else 0.', () =>
    Number(sources.isStateAway()),
  );
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half-open', 'open'];

/** One series a model and state, 1 for the state it is in. */
function addBreakers(registry: Registry, { breakerStates }: MetricSources): void {
  new Gauge({
    name: 'plimsoll_breaker_state',
    help: '1 for the state that the breaker of a model is in, 0 for the others.',
    labelNames: ['model', 'state'],
    registers: [registry],
    collect() {
      this.reset(); // a model that left the catalog leaves here too
      for (const [model, current] of breakerStates()) {
        for (const state of BREAKER_STATES) this.set({ model, state }, state === current ? 1 : 0);
      }
    },
  });
}

function addDeployments(registry: Registry, { busyDeployments }: MetricSources): void {
  new Gauge({
    name: 'plimsoll_deployment_requests_in_flight',
    help: 'Requests at work at each deployment of a model that has several.',
    labelNames: ['model', 'deployment'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [name, count] of busyDeployments?.() ?? []) {
        const [model = '', deployment = ''] = name.split(' ');
        this.set({ model, deployment }, count);
      }
    },
  });
}

/** The word of each measurement in the label `of`. */
const LATENCY_NAMES = {
  firstToken: 'first_token',
  perToken: 'per_token',
  wholeReply: 'whole_answer',
} as const satisfies Readonly<Record<keyof ModelLatency, string>>;

/** Recent medians and 95th percentiles, as the router sees them: at most six series a model. */
function addLatencies(registry: Registry, { latencies }: MetricSources): void {
  new Gauge({
    name: 'plimsoll_model_latency_seconds',
    help: 'How soon a model answers: to the first token of a stream, for each token, for a whole answer that does not stream. Recent attempts, older ones count less.',
    labelNames: ['model', 'of', 'quantile'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [model, latency] of latencies?.() ?? []) {
        for (const [measure, of] of Object.entries(LATENCY_NAMES)) {
          const quantiles: Quantiles | undefined = latency[measure as keyof ModelLatency];
          if (quantiles === undefined) continue;
          this.set({ model, of, quantile: '0.5' }, quantiles.p50 / 1_000);
          this.set({ model, of, quantile: '0.95' }, quantiles.p95 / 1_000);
        }
      }
    },
  });
}
