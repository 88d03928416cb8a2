import type { Catalog } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { Budget } from './budget.ts';
import { worstCostUsd } from './call-cost.ts';
import { type Caller, isOfJudge, keyOf, type ModelCall } from './call-model.ts';
import type { Journal, JournalReply } from './journal.ts';

/** `budget`: the call could exceed the budget, or the run is being ended. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: JournalReply; readonly isNew: boolean }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'budget' }
  | { readonly kind: 'ended' };

export interface AskOptions {
  readonly catalog: Catalog;
  readonly caller: Caller;
  readonly journal: Journal;
  readonly budget: Budget;
  /** Calls at work at once, for each provider. */
  readonly concurrency: number;
  /** Aborted: no further call begins, and those at work end by themselves. */
  readonly signal: AbortSignal;
}

/** As many calls of one model that fail one after the other end the run: a wrong key or a provider that is down fails every case. */
const FAILURES_IN_A_ROW = 12;
/** A call that takes its worker down as often is not made again in this run. */
const MOST_LOSSES = 3;

/** Asks models: from the journal if the reply is there, else within the budget, and never more calls at a time than a provider may get. */
export class ModelCalls {
  readonly #options: AskOptions;
  readonly #lanes = new Map<string, Lane>();
  /** By model: replies of another candidate must not hide that this one's key is wrong. */
  readonly #failuresInARow = new Map<string, number>();

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /** @throws PlimsollError `io` if the journal cannot be written; `insufficient-data` if nothing but failures comes back */
  async ask(call: ModelCall): Promise<Answer> {
    const { journal, budget, catalog, signal } = this.#options;
    const key = keyOf(call);
    const known = journal.replies.get(key);
    if (known !== undefined) return { kind: 'reply', reply: known, isNew: false };
    const model = catalog.get(call.model);
    const lane = this.#laneOf(model.provider.name);
    await lane.enter();
    try {
      for (let losses = 0; losses < MOST_LOSSES; losses++) {
        if (signal.aborted) return { kind: 'ended' };
        const worstUsd = worstCostUsd(model, call.body);
        if (!(await budget.reserve(worstUsd))) return { kind: 'budget' };
        journal.asked(key, worstUsd);
        const answer = await this.#make(call, worstUsd);
        if (answer !== 'lost') return answer;
      }
      const why = `whoever made the call was gone before its reply, ${MOST_LOSSES} times`;
      this.#countFailure(call.model, why, true);
      return { kind: 'failed', why };
    } finally {
      lane.leave();
    }
  }

  /**
   * Waits for calls that an earlier run began and workers go on with. It comes before the first `ask`: until their cost is known their
   * reservations count as spent, and the budget would end too early.
   *
   * @returns how many there were
   * @throws PlimsollError as ask
   */
  async collect(): Promise<number> {
    const { journal, budget, caller } = this.#options;
    const orphans = [...journal.orphans].map(async ([key, usd]) => ({
      key,
      usd,
      call: await caller.underway(key),
    }));
    const underway = (await Promise.all(orphans)).flatMap(({ call, ...orphan }) =>
      call ? [{ ...orphan, call }] : [],
    );
    for (const { key, usd } of underway) {
      journal.resumed(key);
      budget.resume(usd);
    }
    await Promise.all(underway.map(({ call, usd }) => this.#make(call, usd)));
    return underway.length;
  }

  async #make(call: ModelCall, reservedUsd: number): Promise<Answer | 'lost'> {
    const { journal, budget, caller } = this.#options;
    const place = { key: keyOf(call), case: call.caseId, model: call.model };
    let chargedUsd = 0;
    try {
      const tried = await caller.call(call);
      if (tried.kind === 'lost') {
        chargedUsd = reservedUsd;
        journal.lost(place.key);
        return 'lost';
      }
      if (tried.kind !== 'reply') {
        journal.failed({ ...place, why: tried.why });
        await caller.settled(call);
        if (tried.kind === 'interrupted') return { kind: 'ended' };
        this.#countFailure(call.model, tried.why, tried.ofProvider);
        return { kind: 'failed', why: tried.why };
      }
      this.#failuresInARow.delete(call.model);
      chargedUsd = tried.reply.cost_usd ?? reservedUsd;
      const reply = {
        ...place,
        ...tried.reply,
        charged_usd: chargedUsd,
        ...(isOfJudge(call) && { judge: true as const }),
      };
      journal.replied(reply);
      await caller.settled(call);
      return { kind: 'reply', reply, isNew: true };
    } finally {
      budget.settle(reservedUsd, chargedUsd);
    }
  }

  #laneOf(provider: string): Lane {
    const lane = this.#lanes.get(provider) ?? new Lane(this.#options.concurrency);
    this.#lanes.set(provider, lane);
    return lane;
  }

  #countFailure(model: string, why: string, ofProvider: boolean): void {
    const failures = ofProvider ? (this.#failuresInARow.get(model) ?? 0) + 1 : 0;
    this.#failuresInARow.set(model, failures);
    if (failures < FAILURES_IN_A_ROW) return;
    throw new PlimsollError(
      'insufficient-data',
      `The last ${FAILURES_IN_A_ROW} calls of ${model} failed: ${why}. Find out why and run the same command again: it goes on where it ended, and pays for no reply twice.`,
    );
  }
}

/** Lets a number of calls be at work at once. */
class Lane {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
