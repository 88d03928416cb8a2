import { BadRow } from '../../evals/cases/bad-row.ts';
import type { Case } from '../../evals/cases/case.ts';
import { loadCases } from '../../evals/cases/load-cases.ts';
import { REJECTS_KEPT } from '../../evals/cases/reject-log.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { Outcome } from '../../router/types.ts';
import type { ImportedRow, Importer } from './importer.ts';

/**
 * Any CSV that loadCases reads, wide or long. What comes out is the text that is scored (an earlier turn stands behind the prompt,
 * the system text is gone) and the column `quality`; other columns of labels stay behind.
 */
export const csv: Importer = {
  format: 'csv',
  describe: 'cases in CSV, wide or long, checked and written in the canonical form',
  accepts: 'any .csv or .csv.gz that the other commands read',
  async import(paths, emit) {
    const { cases, rejected, rejectedCount } = await loadCases(paths, { maxRejectShare: 1 });
    if (rejectedCount > rejected.length) throw tooManyRejected(paths, rejectedCount);
    for (const { file, line, field, reason } of rejected) {
      emit.row(file, line, () => {
        throw new BadRow(reason, field);
      });
    }
    for (const [index, one] of cases.entries()) emit.row(paths[0], index + 2, () => rowOf(one));
  },
};

function rowOf({ id, source, task, group, key, text, outcomes }: Case): ImportedRow {
  const rows = [...outcomes].map(([model, outcome]) => [model, outcomeRow(outcome)] as const);
  return {
    id,
    ...(source !== undefined && { source }),
    ...(task !== undefined && { task }),
    ...(group !== undefined && { group }),
    key,
    prompt: text,
    outcomes: Object.fromEntries(rows),
  };
}

function outcomeRow(outcome: Outcome): Record<string, number> {
  const { quality, inputTokens, outputTokens, costUsd, latencyMs } = outcome;
  return {
    quality,
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(costUsd !== undefined && { cost_usd: costUsd }),
    ...(latencyMs !== undefined && { latency_ms: latencyMs }),
  };
}

function tooManyRejected(paths: readonly string[], count: number): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${paths.join(', ')}: ${count} rows cannot be used; more than ${REJECTS_KEPT} is a fault of the table.`,
    { place: { file: paths[0] } },
  );
}
