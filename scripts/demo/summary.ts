/** The outcome of one request. */
export interface PlayedRequest {
  readonly status: number;
  readonly streamed: boolean;
  /** The model that replied. */
  readonly served?: string;
  /** The model that routing, or the client, chose. */
  readonly selected?: string;
  readonly costUsd?: number;
  readonly baselineUsd?: number;
  readonly session?: string;
  readonly rated: boolean;
}

/** The result of `plimsoll demo --json`. Costs are at made-up prices. */
export interface DemoSummary {
  readonly schema_version: 1;
  readonly made_up: true;
  readonly url: string;
  /** Whether it ended before all of the traffic was sent. */
  readonly interrupted: boolean;
  readonly seconds: number;
  readonly requests: number;
  readonly by_status: Readonly<Record<string, number>>;
  readonly by_model: Readonly<Record<string, number>>;
  readonly streams: number;
  readonly sessions: number;
  /** Replies of another model than was chosen, because that one failed. */
  readonly fallbacks: number;
  readonly feedback: number;
  readonly cost_usd: number;
  /** What always the strongest model would have cost, as estimated. */
  readonly always_strong_usd: number;
}

export function summaryOf(
  played: readonly PlayedRequest[],
  ended: Pick<DemoSummary, 'url' | 'interrupted' | 'seconds'>,
): DemoSummary {
  const priced = played.filter((one) => one.costUsd !== undefined && one.baselineUsd !== undefined);
  return {
    schema_version: 1,
    made_up: true,
    ...ended,
    requests: played.length,
    by_status: counts(played.map(({ status }) => String(status))),
    by_model: counts(played.flatMap(({ served }) => served ?? [])),
    streams: played.filter(({ streamed }) => streamed).length,
    sessions: new Set(played.flatMap(({ session }) => session ?? [])).size,
    fallbacks: played.filter(({ served, selected }) => served !== undefined && served !== selected).length,
    feedback: played.filter(({ rated }) => rated).length,
    cost_usd: sum(priced.map(({ costUsd }) => costUsd!)),
    always_strong_usd: sum(priced.map(({ baselineUsd }) => baselineUsd!)),
  };
}

function counts(names: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of [...names].sort()) found[name] = (found[name] ?? 0) + 1;
  return found;
}

/** Rounded to a billionth of a dollar, as the ledger counts. */
function sum(amounts: readonly number[]): number {
  return Number(amounts.reduce((all, one) => all + one, 0).toFixed(9));
}
