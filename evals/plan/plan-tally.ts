import type { Catalog } from '../../router/catalog/index.ts';
import type { Config } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import type { Router } from '../../router/router.ts';
import { QuotaTally, type QuotaUse } from './quota-use.ts';
import type { PlannedRequest, Replayed } from './replay.ts';
import { type MeanInterval, RunningMean } from './running-mean.ts';
import type { UnknownReason } from './undecidable.ts';

/** A flow of requests from one model to another. */
export interface Move {
  readonly from: string;
  readonly to: string;
  readonly requests: number;
}

/** A figure as it was recorded and as it would be, over the requests of which both are known. */
export interface BeforeAfter {
  readonly before: MeanInterval;
  readonly after: MeanInterval;
  /** After - before, request by request. */
  readonly change: MeanInterval;
}

/** What a changed configuration would do with recorded requests. */
export interface Plan {
  readonly schema_version: 1;
  /** When the first and the last request came; null without any. */
  readonly from: string | null;
  readonly to: string | null;
  readonly requests: number;
  /** Those of which it can be said what would become of them. */
  readonly planned: number;
  /** Why -> how many of which it cannot. */
  readonly unknown: Readonly<Partial<Record<UnknownReason, number>>>;
  readonly left_out: { readonly refused: number; readonly from_cache: number };
  /** Requests of which another model would be selected. */
  readonly flipped: number;
  /** Those of them that would go to a stronger, or a weaker, candidate than before; the rest go to another model of the same rung. */
  readonly flipped_up: number;
  readonly flipped_down: number;
  /** Requests that follow an earlier turn which would go elsewhere: for them the record of the conversation does not hold. */
  readonly follow_a_move: number;
  /** The most frequent first. */
  readonly moves: readonly Move[];
  /** Model -> share of the planned requests. */
  readonly shares: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
  /** Verdict -> how many routed requests have it. */
  readonly verdicts: {
    readonly before: Readonly<Record<string, number>>;
    readonly after: Readonly<Record<string, number>>;
  };
  /** US dollars a request; null below two requests. */
  readonly cost_usd: BeforeAfter | null;
  /** Predicted quality loss against the strongest candidate, a request; null below two. */
  readonly predicted_loss: BeforeAfter | null;
  /** From the first byte in to the last byte out, ms a request. That of a flipped one is the mean of its model; null if a model has too few. */
  readonly duration_ms: { readonly before: number; readonly after: number; readonly n: number } | null;
  readonly quotas: readonly QuotaUse[];
}

/** Replies of a model below which its mean duration says nothing. */
const LEAST_DURATIONS = 30;

/** Adds up what would become of requests; holds none of them. */
export class PlanTally {
  readonly #catalog: Pick<Catalog, 'has' | 'get'>;
  readonly #quotas: QuotaTally;
  /** Model -> its place on the ladders, where a stronger one has a higher place. */
  readonly #places: ReadonlyMap<string, number>;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #requests = 0;
  #planned = 0;
  #up = 0;
  #down = 0;
  #follow = 0;
  readonly #unknown: Partial<Record<UnknownReason, number>> = {};
  readonly #leftOut = { refused: 0, 'from-cache': 0 };
  readonly #moves = new Moves();
  readonly #from = new Counts();
  readonly #to = new Counts();
  readonly #verdictsBefore = new Counts();
  readonly #verdictsAfter = new Counts();
  readonly #cost = new Comparison();
  readonly #loss = new Comparison();
  readonly #durations = new Map<string, RunningMean>();
  #knownDurations = 0;
  #keptDurationMs = 0;
  #flippedDurationMs = 0;
  readonly #flippedTo = new Counts();

  constructor({ limits }: Pick<Config, 'limits'>, catalog: Pick<Catalog, 'has' | 'get'>, router: Router) {
    this.#catalog = catalog;
    this.#quotas = new QuotaTally(limits);
    const ladders = [...[...router.profiles.values()].map(({ rungs }) => rungs), router.ladder];
    this.#places = new Map(
      ladders.flatMap((rungs) => rungs.map(({ model }, place) => [model, place] as const)),
    );
  }

  add(record: DecisionRecord, replayed: Replayed): void {
    this.#requests++;
    const timeMs = Date.parse(record.time);
    this.#firstMs = Math.min(this.#firstMs, timeMs);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
    if (replayed.kind === 'left-out') this.#leftOut[replayed.why]++;
    else if (replayed.kind === 'unknown')
      this.#unknown[replayed.why] = (this.#unknown[replayed.why] ?? 0) + 1;
    else this.#addPlanned(record, replayed.request, timeMs);
  }

  #addPlanned(record: DecisionRecord, request: PlannedRequest, timeMs: number): void {
    const { from, to, routed, costUsd, followsMove } = request;
    this.#planned++;
    this.#from.add(from);
    this.#to.add(to);
    if (followsMove) this.#follow++;
    if (from !== to) this.#addMove(record, request);
    if (routed !== undefined) {
      this.#verdictsBefore.add(routed.verdictBefore ?? 'none');
      this.#verdictsAfter.add(routed.decision.verdict);
      this.#loss.add(routed.lossBefore, routed.lossAfter);
    }
    this.#cost.add(record.cost_usd, costUsd);
    this.#addDuration(record, from, to);
    const tokens = (record.usage?.input_tokens ?? 0) + (record.usage?.output_tokens ?? 0);
    const { key_id: keyId, tags = [], profile } = record;
    const place = this.#placeOf(to, from === to ? record.deployment : undefined);
    this.#quotas.add({ timeMs, keyId, tags, profile, model: to, ...place, tokens, costUsd });
  }

  /** Which of its deployments a model is called at is known only where it was called. */
  #placeOf(model: string, recorded: string | undefined) {
    const found = this.#catalog.has(model) ? this.#catalog.get(model) : undefined;
    if (found?.deployments === undefined) return { provider: found?.provider.name, deployment: undefined };
    const deployment = found.deployments.find((one) => one.deployment === recorded);
    return { provider: recorded?.slice(0, recorded.indexOf('/')), deployment: deployment && recorded };
  }

  #addMove({ candidate }: DecisionRecord, { from, to, routed }: PlannedRequest): void {
    this.#moves.add(from, to);
    if (candidate !== undefined && candidate === routed?.decision.candidate) return; // another model on the same rung
    const [was, is] = [this.#places.get(from), this.#places.get(to)];
    if (was === undefined || is === undefined) return;
    if (is > was) this.#up++;
    if (is < was) this.#down++;
  }

  /** A flipped request is taken to last as long as its new model's mean request. */
  #addDuration({ duration_ms: ms, served, status }: DecisionRecord, from: string, to: string): void {
    if (status !== 200) return;
    if (served !== undefined) {
      const durations = this.#durations.get(served) ?? new RunningMean();
      this.#durations.set(served, durations);
      durations.add(ms);
    }
    this.#knownDurations++;
    if (from === to) this.#keptDurationMs += ms;
    else {
      this.#flippedDurationMs += ms;
      this.#flippedTo.add(to);
    }
  }

  /** @throws PlimsollError `insufficient-data` if nothing can be said about any request */
  result(): Plan {
    if (this.#planned === 0) throw nothingPlanned(this.#requests, this.#unknown);
    const moves = this.#moves.all();
    const time = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);
    return {
      schema_version: 1,
      from: time(this.#firstMs),
      to: time(this.#lastMs),
      requests: this.#requests,
      planned: this.#planned,
      unknown: this.#unknown,
      left_out: { refused: this.#leftOut.refused, from_cache: this.#leftOut['from-cache'] },
      flipped: moves.reduce((sum, { requests }) => sum + requests, 0),
      flipped_up: this.#up,
      flipped_down: this.#down,
      follow_a_move: this.#follow,
      moves,
      shares: this.#shares(),
      verdicts: { before: this.#verdictsBefore.all(), after: this.#verdictsAfter.all() },
      cost_usd: this.#cost.result(),
      predicted_loss: this.#loss.result(),
      duration_ms: this.#duration(),
      quotas: this.#quotas.result(),
    };
  }

  #shares(): Plan['shares'] {
    const [before, after] = [this.#from.all(), this.#to.all()];
    const models = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    const share = (count = 0) => count / this.#planned;
    return Object.fromEntries(
      models.map((model) => [model, { before: share(before[model]), after: share(after[model]) }]),
    );
  }

  #duration(): Plan['duration_ms'] {
    if (this.#knownDurations === 0) return null;
    let flippedMs = 0;
    for (const [model, count] of Object.entries(this.#flippedTo.all())) {
      const mean = this.#durations.get(model)?.interval();
      if (mean === undefined || mean.n < LEAST_DURATIONS) return null;
      flippedMs += count * mean.mean;
    }
    const n = this.#knownDurations;
    return {
      before: (this.#keptDurationMs + this.#flippedDurationMs) / n,
      after: (this.#keptDurationMs + flippedMs) / n,
      n,
    };
  }
}

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  all(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/** Pairs of values, and their differences. */
export class Comparison {
  readonly #before = new RunningMean();
  readonly #after = new RunningMean();
  readonly #change = new RunningMean();

  /** Left out if one of them is not known. */
  add(before: number | undefined, after: number | undefined): void {
    if (before === undefined || after === undefined) return;
    this.#before.add(before);
    this.#after.add(after);
    this.#change.add(after - before);
  }

  result(): BeforeAfter | null {
    const [before, after, change] = [this.#before, this.#after, this.#change].map((one) => one.interval());
    return before && after && change ? { before, after, change } : null;
  }
}

/** How many requests go from which model to which. */
export class Moves {
  readonly #moves = new Map<string, Move>();

  add(from: string, to: string): void {
    const key = `${from}\n${to}`;
    this.#moves.set(key, { from, to, requests: (this.#moves.get(key)?.requests ?? 0) + 1 });
  }

  /** The most frequent first. */
  all(): readonly Move[] {
    return [...this.#moves.values()].sort((a, b) => b.requests - a.requests);
  }
}

function nothingPlanned(requests: number, unknown: Plan['unknown']): PlimsollError {
  const why = Object.entries(unknown).map(([reason, count]) => `${count} ${reason}`);
  return new PlimsollError(
    'insufficient-data',
    requests === 0
      ? 'There is no recorded request. Name a decision log, or let traffic come.'
      : `Of ${requests} recorded requests none can be decided again${why.length > 0 ? `: ${why.join(', ')}` : ''}. docs/PLAN.md says what each means.`,
  );
}
