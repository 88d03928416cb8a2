import { BadRow, type RejectedRow } from '../../evals/case-files/index.ts';
import { type CanonicalRow, type Case, canonicalRows, loadCases } from '../../evals/cases/index.ts';
import type { Outcome } from '../../router/types.ts';
import type { Importer } from './raw-file.ts';

/** Any JSON that loadCases reads. Rows without an id get file and line; qualities come out on the scale 0 to 1. */
export const jsonl: Importer = {
  format: 'jsonl',
  describe: 'cases in JSON, checked and written in the canonical form',
  accepts: 'any .jsonl, .ndjson, .json or their .gz that the other commands read',
  readsCases: true,
  rows: canonicalRows,
};

/**
 * Any table that loadCases reads, wide or long. Keeps the scored text (an earlier turn follows the prompt, without the system text) and the
 * column `quality` on the scale 0 to 1, with who gave it and how the request was drawn; other columns of labels are dropped.
 */
export const csv: Importer = {
  format: 'csv',
  describe: 'cases in a table, wide or long, checked and written in the canonical form',
  accepts: 'any .csv, .tsv or their .gz that the other commands read',
  readsCases: true,
  async *rows(files, { onNotes = () => {}, ...options }) {
    const rejected: RejectedRow[] = [];
    const { cases, notes, excluded } = await loadCases(files, {
      ...options,
      ...(options.onSurvey && { onProgress: options.onSurvey }),
      maxRejectShare: 1,
      mayBeEmpty: true,
      keepWeights: true,
      onReject: (row) => rejected.push(row),
    });
    onNotes(notes);
    for (const { field, reason, ...place } of rejected) yield { ...place, row: new BadRow(reason, field) };
    const [file = ''] = files;
    const place = { file, line: 0 }; // never shown: these rows have been checked
    for (let left = excluded.missingOutcome; left > 0; left--) yield { ...place, row: undefined };
    for (const one of cases) yield { ...place, row: canonicalRow(one) };
  },
};

function canonicalRow(one: Case): CanonicalRow {
  const { id, source, task, group, label, labelPlan, weight, language, key, text, outcomes } = one;
  const rows = [...outcomes].map(([model, outcome]) => [model, outcomeRow(outcome)] as const);
  return {
    id,
    ...(source !== undefined && { source }),
    ...(task !== undefined && { task }),
    ...(group !== undefined && { group }),
    ...(label !== undefined && { label }),
    ...(labelPlan !== undefined && { label_plan: labelPlan }),
    ...(weight !== undefined && { weight }),
    ...(language !== undefined && { language }),
    key,
    prompt: text,
    outcomes: Object.fromEntries(rows),
  };
}

function outcomeRow(outcome: Outcome): Record<string, number | string> {
  const { quality, labelSource, judgedQuality, inputTokens, outputTokens, costUsd, latencyMs } = outcome;
  return {
    quality,
    ...(labelSource !== undefined && { label_source: labelSource }),
    ...(judgedQuality !== undefined && { judged_quality: judgedQuality }),
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
    ...(costUsd !== undefined && { cost_usd: costUsd }),
    ...(latencyMs !== undefined && { latency_ms: latencyMs }),
  };
}
