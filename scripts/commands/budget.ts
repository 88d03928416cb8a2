import { Command } from 'commander';
import { textTable } from '../../evals/report/index.ts';
import { EACH, type Limit, limitOfScope, scopeOf, windowAt } from '../../router/access/index.ts';
import { NANO } from '../../router/catalog/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { LedgerWindow, WindowSums } from '../../router/state/index.ts';
import { withState } from '../open-state.ts';
import { print, printJson } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly json: boolean;
}

/** `plimsoll budget`: what is left of the limits, also while the server runs. */
export function budgetCommand(): Command {
  return new Command('budget')
    .description('Say what of each limit is settled, reserved and left now')
    .option('--config <file>', 'the configuration (default: plimsoll.config.yaml where there is one)')
    .option('--json', 'print the result as JSON', false)
    .action(run);
}

async function run({ config, json }: Flags): Promise<void> {
  const { limits } = loadConfig(config);
  if (limits.length === 0) {
    throw new PlimsollError(
      'invalid-config',
      'The configuration has no limits: nothing is limited, and nothing is counted. Add `limits`, or name another file with --config.',
      { place: { field: 'limits' } },
    );
  }
  await withState(config, {}, async ({ ledger }) => {
    const nowMs = Date.now();
    const rows = standings(limits, await ledger.windows(nowMs), nowMs);
    if (json) printJson({ at: new Date(nowMs).toISOString(), windows: rows.map(jsonRow) });
    else print(`${textTable([HEAD, ...rows.map(textRow)])}\n`);
  });
}

interface Standing extends LedgerWindow, WindowSums {
  /** Undefined if the limit was taken out of the configuration. */
  readonly cap: number | undefined;
}

/** Windows that hold something, and the empty ones of limits that name whom they are for. */
function standings(
  limits: readonly Limit[],
  held: readonly (LedgerWindow & WindowSums)[],
  nowMs: number,
): Standing[] {
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

const HEAD = ['for', 'window', 'limit', 'settled', 'reserved', 'left', 'until'];

function textRow({ scope, window, cap, settled, reserved, endMs }: Standing): string[] {
  const left = cap === undefined ? undefined : cap - settled - reserved;
  const amounts = [cap, settled, reserved, left].map((amount) => amountText(amount, window));
  return [scope, window, ...amounts, new Date(endMs).toISOString().slice(0, 16).replace('T', ' ')];
}

function amountText(amount: number | undefined, window: string): string {
  if (amount === undefined) return '–';
  return isMoney(window) ? (amount / NANO).toFixed(6) : String(amount);
}

function isMoney(window: string): boolean {
  return window.endsWith(' usd');
}

/** Money in whole billionths of a dollar, so that no digit is lost. */
function jsonRow({ scope, window, startMs, endMs, cap, settled, reserved }: Standing) {
  const unit = window.slice(window.indexOf(' ') + 1);
  return {
    for: scope,
    window,
    unit: isMoney(window) ? 'nano_usd' : unit,
    from: new Date(startMs).toISOString(),
    until: new Date(endMs).toISOString(),
    limit: cap ?? null,
    settled,
    reserved,
    left: cap === undefined ? null : cap - settled - reserved,
  };
}
