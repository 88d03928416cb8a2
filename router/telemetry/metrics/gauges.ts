import { Counter, Gauge, type Registry } from 'prom-client';
import type { BreakerState } from '../../fallback/index.ts';

/** What is asked at each scrape. */
export interface MetricSources {
  readonly inFlight: () => number;
  readonly queued: () => number;
  /** Of every model that was asked so far: `Chain.breakerStates`. */
  readonly breakerStates: () => ReadonlyMap<string, BreakerState>;
  readonly decisionLog: () => { readonly written: number; readonly dropped: number };
}

/** What is read from elsewhere when somebody asks. */
export function addGauges(registry: Registry, sources: MetricSources): void {
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
  const log = new Counter({
    name: 'plimsoll_decision_log_records_total',
    help: 'Records of the decision log: on file, or dropped because the disk was too slow or refused.',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { written, dropped } = sources.decisionLog();
      log.reset();
      log.inc({ outcome: 'written' }, written);
      log.inc({ outcome: 'dropped' }, dropped);
    },
  });
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
