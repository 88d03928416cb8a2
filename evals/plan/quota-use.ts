import { type Limit, type LimitUnit, limitFinder, windowAt } from '../../router/access/index.ts';
import { nanoUsd } from '../../router/catalog/index.ts';

/** How much of a limit the recorded requests would use. */
export interface QuotaUse {
  /** Such as `provider=openai`, and the window: `24h usd`. */
  readonly scope: string;
  readonly window: string;
  readonly unit: LimitUnit;
  /** In the unit; US dollars for `usd`. */
  readonly cap: number;
  /** Peak of the fullest window. */
  readonly peak: number;
  readonly peakAt: string;
  readonly windows: number;
  /** Windows that would be over the cap: requests in them would be refused, or go elsewhere. */
  readonly over: number;
}

/** A request as limits count it. */
export interface CountedRequest {
  readonly timeMs: number;
  readonly keyId: string | undefined;
  readonly tags: readonly string[];
  readonly profile: string | undefined;
  readonly model: string;
  /** Undefined where a model has several deployments, and it is not known which would be called. */
  readonly provider: string | undefined;
  readonly deployment: string | undefined;
  readonly tokens: number;
  readonly costUsd: number | undefined;
}

interface Tally {
  readonly scope: string;
  readonly window: string;
  readonly unit: LimitUnit;
  readonly cap: number;
  /** Beginning of the window -> what was used in it; of `usd` billionths. */
  readonly sums: Map<number, number>;
}

/** A window of a limit, and what was used in each. */
type Counter = Pick<Tally, 'sums'> & { readonly window: Limit['windows'][number] };

const BILLIONTHS = 1e9;
/** Scopes of their own, such as keys, beyond which the rest is left out. */
const MOST_SCOPES = 10_000;
/** Subjects whose limits are remembered; then all are found anew. */
const MOST_SUBJECTS = 10_000;

/** What limits would have counted. Teams are not on record: limits that name one are left out. */
export class QuotaTally {
  readonly #find: ReturnType<typeof limitFinder>;
  readonly #tallies = new Map<string, Tally>();
  /** Subject -> what it counts for: most requests are like one before, and finding limits takes as long as deciding. */
  #known = new Map<string, readonly Counter[]>();

  constructor(limits: readonly Limit[]) {
    this.#find = limitFinder(limits.filter((limit) => limit.for.team === undefined));
  }

  add(request: CountedRequest): void {
    const { timeMs, tokens, costUsd } = request;
    for (const { window, sums } of this.#countersOf(request)) {
      const { startMs } = windowAt(window, timeMs);
      const amount = window.unit === 'requests' ? 1 : window.unit === 'tokens' ? tokens : billionths(costUsd);
      sums.set(startMs, (sums.get(startMs) ?? 0) + amount);
    }
  }

  #countersOf({ keyId, tags, profile, model, provider, deployment }: CountedRequest): readonly Counter[] {
    const key = JSON.stringify([keyId, profile, model, provider, deployment, tags]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const list = (name: string | undefined) => (name === undefined ? [] : [name]);
    const applied = this.#find({
      key: list(keyId),
      team: [],
      tag: tags,
      profile: [profile ?? 'default'],
      model: [model],
      provider: list(provider),
      deployment: list(deployment),
    });
    const counters = applied.flatMap(({ scope, windows }) =>
      windows.flatMap((window) => {
        const sums = this.#tallyOf(scope, window)?.sums;
        return sums === undefined ? [] : [{ window, sums }];
      }),
    );
    if (this.#known.size >= MOST_SUBJECTS) this.#known = new Map();
    this.#known.set(key, counters);
    return counters;
  }

  #tallyOf(scope: string, { name, unit, cap }: Limit['windows'][number]): Tally | undefined {
    const key = `${scope}\n${name}`;
    const known = this.#tallies.get(key);
    if (known !== undefined || this.#tallies.size >= MOST_SCOPES) return known;
    const tally = { scope, window: name, unit, cap, sums: new Map<number, number>() };
    this.#tallies.set(key, tally);
    return tally;
  }

  /** The fullest first. */
  result(): readonly QuotaUse[] {
    return [...this.#tallies.values()].map(useOf).sort((a, b) => b.peak / b.cap - a.peak / a.cap);
  }
}

function billionths(costUsd: number | undefined): number {
  return costUsd === undefined ? 0 : nanoUsd(costUsd);
}

function useOf({ scope, window, unit, cap, sums }: Tally): QuotaUse {
  const inUnit = (amount: number) => (unit === 'usd' ? amount / BILLIONTHS : amount);
  let peak = 0;
  let peakMs = 0;
  let over = 0;
  for (const [startMs, used] of sums) {
    if (used > cap) over++;
    if (used >= peak) [peak, peakMs] = [used, startMs];
  }
  const peakAt = new Date(peakMs).toISOString();
  return { scope, window, unit, cap: inUnit(cap), peak: inUnit(peak), peakAt, windows: sums.size, over };
}
