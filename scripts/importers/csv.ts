import { BadRow, type Case, loadCases } from '../../evals/cases/index.ts';
import type { Outcome } from '../../router/types.ts';
import type { ImportedRow, Importer } from './importer.ts';

/**
 * Any table that loadCases reads, wide or long. What comes out is the text that is scored (an earlier turn follows the prompt, the system
 * text is gone) and the column `quality` on the scale 0 to 1; other columns of labels are left behind.
 */
export const csv: Importer = {
  format: 'csv',
  describe: 'cases in a table, wide or long, checked and written in the canonical form',
  accepts: 'any .csv, .tsv or their .gz that the other commands read',
  readsCases: true,
  async import(paths, emit, options) {
    const { cases, notes, excluded } = await loadCases(paths, {
      ...options,
      ...(options.onSurvey && { onProgress: options.onSurvey }),
      maxRejectShare: 1,
      mayBeEmpty: true,
      onReject: ({ file, line, field, reason }) =>
        emit.row(file, line, () => {
          throw new BadRow(reason, field);
        }),
    });
    for (const note of notes) emit.note(note);
    for (let left = excluded.missingOutcome; left > 0; left--) emit.row(paths[0]!, 0, () => undefined);
    for (const one of cases) emit.row(paths[0]!, 0, () => rowOf(one)); // read and checked: it is never rejected
  },
};

function rowOf({ id, source, task, group, language, key, text, outcomes }: Case): ImportedRow {
  const rows = [...outcomes].map(([model, outcome]) => [model, outcomeRow(outcome)] as const);
  return {
    id,
    ...(source !== undefined && { source }),
    ...(task !== undefined && { task }),
    ...(group !== undefined && { group }),
    ...(language !== undefined && { language }),
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
