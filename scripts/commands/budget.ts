import { Command } from 'commander';
import { textTable } from '../../evals/format.ts';
import { type LimitStanding, limitStandings } from '../../router/access/index.ts';
import { NANO } from '../../router/catalog/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { shadowLimits } from '../../router/experiments/index.ts';
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
  const { limits: own, experiments } = loadConfig(config);
  const limits = [...own, ...shadowLimits(experiments.filter((one) => one.kind === 'shadow'))];
  if (limits.length === 0) {
    throw new PlimsollError(
      'invalid-config',
      'The configuration has no limits: nothing is limited, and nothing is counted. Add `limits`, or name another file with --config.',
      { place: { field: 'limits' } },
    );
  }
  await withState(config, {}, async ({ ledger }) => {
    const nowMs = Date.now();
    const rows = limitStandings(limits, await ledger.windows(nowMs), nowMs);
    if (json) printJson({ at: new Date(nowMs).toISOString(), windows: rows.map(jsonRow) });
    else print(`${textTable([HEAD, ...rows.map(textRow)])}\n`);
  });
}

const HEAD = ['for', 'window', 'limit', 'settled', 'reserved', 'left', 'until'];

function textRow({ scope, window, cap, settled, reserved, endMs }: LimitStanding): string[] {
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
function jsonRow({ scope, window, startMs, endMs, cap, settled, reserved }: LimitStanding) {
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
