import type { LedgerWindow, WindowSums } from '../state/index.ts';
import { EACH, type Limit, limitOfScope, scopeOf, windowAt } from './limit-rules.ts';

/** A window of a limit, and what it holds: whole numbers of its unit, of `usd` billionths. */
export interface LimitStanding extends LedgerWindow, WindowSums {
  /** Undefined if the limit was taken out of the configuration. */
  readonly cap: number | undefined;
}

/**
 * Windows that hold something, and the empty ones of limits that name whom they are for.
 * @param held as the ledger has them at that time
 */
export function limitStandings(
  limits: readonly Limit[],
  held: readonly (LedgerWindow & WindowSums)[],
  nowMs: number,
): LimitStanding[] {
  const used = held.map((window) => {
    const windows = limitOfScope(limits, window.scope)?.windows ?? [];
    return { ...window, cap: windows.find(({ name }) => name === window.window)?.cap };
  });
  const isUsed = new Set(used.map(({ scope, window }) => `${scope}\0${window}`));
  const unused = limits
    .filter((limit) => !Object.values(limit.for).includes(EACH))
    .flatMap((limit) =>
      limit.windows.map((window) => ({
        scope: scopeOf(limit.for),
        window: window.name,
        ...windowAt(window, nowMs),
        reserved: 0,
        settled: 0,
        cap: window.cap,
      })),
    )
    .filter(({ scope, window }) => !isUsed.has(`${scope}\0${window}`));
  return [...used, ...unused];
}
