import type { ModelSpending } from '../state/index.ts';
import { type BatchReport, isAnswered, type LineResult } from './batch.ts';

/** Counts over results, as they come. */
export class Tally {
  completed = 0;
  failed = 0;
  #routed = 0;
  #escalated = 0;
  readonly #verdicts = new Map<string, number>();

  add(result: LineResult): void {
    if (!isAnswered(result)) {
      this.failed++;
      return;
    }
    this.completed++;
    const { verdict, escalated } = result;
    if (verdict !== undefined) this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1);
    if (escalated === undefined) return;
    this.#routed++;
    if (escalated) this.#escalated++;
  }

  /** @param spent by model, from the ledger */
  report(spent: readonly ModelSpending[]): BatchReport {
    const total = spent.reduce((sum, { nanoUsd }) => sum + BigInt(nanoUsd), 0n);
    const models = spent.map(({ model, requests, nanoUsd }) => [
      model,
      { requests, costUsd: decimalUsd(BigInt(nanoUsd)) },
    ]);
    return {
      requests: spent.reduce((sum, { requests }) => sum + requests, 0),
      costUsd: decimalUsd(total),
      byModel: Object.fromEntries(models),
      escalationRate: this.#routed === 0 ? null : this.#escalated / this.#routed,
      verdicts: Object.fromEntries([...this.#verdicts].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

const NANO_DIGITS = 9;

/** US dollars as an exact decimal number, such as 0.0000125. @param nanoUsd billionths, 0 or more */
export function decimalUsd(nanoUsd: bigint): string {
  const digits = String(nanoUsd).padStart(NANO_DIGITS + 1, '0');
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, '');
  const whole = digits.slice(0, -NANO_DIGITS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
