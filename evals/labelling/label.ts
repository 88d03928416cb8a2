import { existsSync } from 'node:fs';
import { ladderOrderWarning } from '../../router/catalog/index.ts';
import { openModelClient } from '../../router/create-gateway.ts';
import { PlimsollError } from '../../router/errors.ts';
import { holdLock } from '../../router/files/index.ts';
import { isObject } from '../../router/json/index.ts';
import { requireJsonLines } from '../cases/index.ts';
import { requirePrice } from './call-cost.ts';
import { Journal, journalOf } from './journal.ts';
import { requireOtherFamily } from './judge/model-family.ts';
import { LABEL_DEFAULTS, type LabelCandidate, type Labelled, type LabelOptions } from './label-options.ts';
import { runLabels } from './label-run.ts';
import { type LabelRow, readLabelRows } from './rows.ts';

/**
 * Asks every candidate each prompt, grades the replies, and writes labelled cases that train and gate read. Each reply is in a journal beside
 * the cases before the run goes on: a run that was killed, or ran out of its budget, goes on where it ended, and pays for no reply twice.
 *
 * @throws PlimsollError `invalid-input`: the prompts or an option; `invalid-config`: a model without a price or a provider; `io`: another run is
 *   at work on the same cases, or they cannot be written; `insufficient-data`: nothing but failures comes back
 */
export async function label(options: LabelOptions): Promise<Labelled> {
  const { out, config, candidates, force = false } = options;
  requireJsonLines(out);
  requireCandidates(candidates);
  const journalFile = journalOf(out);
  if (existsSync(out) && !existsSync(journalFile) && !force) throw isThere(out, journalFile);
  const client = await openModelClient(config);
  try {
    const { judge } = options.graders;
    const models = candidates.map(({ model }) => model);
    if (judge !== undefined && options.allowSameFamily !== true) requireOtherFamily(judge.model, models);
    for (const model of [...models, ...(judge ? [judge.model] : [])]) requirePrice(client.catalog.get(model));
    const { graders, maxTokens = LABEL_DEFAULTS.maxTokens, reading = {}, reuse = true } = options;
    const rungs = candidates.map(({ name, model }) => ({
      candidate: name,
      model: client.catalog.get(model),
    }));
    const warning = ladderOrderWarning('The list of candidates', rungs);
    if (warning !== undefined) reading.onNotes?.([warning]);
    const recordedOf = reuse ? models.map((model) => client.catalog.get(model)) : [];
    const read = await readLabelRows(options.prompts, { graders, maxTokens, recordedOf, reading });
    const all = options.keptOnly === true ? keptRows(read, models) : read;
    const rows = all.filter(needsLabel);
    const unasked = all.filter((row) => !needsLabel(row));
    const release = holdLock(journalFile);
    try {
      const journal = new Journal(journalFile);
      try {
        return await runLabels({ options, client, journal, rows, unasked, stop: new AbortController() });
      } finally {
        journal.close();
      }
    } finally {
      release();
    }
  } finally {
    await client.close();
  }
}

/** A request that `--select` found to be escalated, whatever its replies, loses nothing. */
function needsLabel({ row }: LabelRow): boolean {
  return row['label_needed'] !== false;
}

/** @throws PlimsollError `insufficient-data` if none was kept below the last of the models */
function keptRows(rows: readonly LabelRow[], models: readonly string[]): readonly LabelRow[] {
  const below = new Set(models.slice(0, -1));
  const kept = rows.filter(({ row }) => isObject(row.decision) && below.has(String(row.decision['model'])));
  if (kept.length > 0) return kept;
  throw new PlimsollError(
    'insufficient-data',
    `None of ${rows.length} requests was routed to ${[...below].join(' or ')}: their rows have no such "decision". Captured requests have one.`,
    { place: { field: 'decision' } },
  );
}

function requireCandidates(candidates: readonly LabelCandidate[]): void {
  const names = candidates.map(({ name }) => name);
  if (names.length >= 2 && new Set(names).size === names.length) return;
  throw new PlimsollError(
    'invalid-input',
    'Labels are of two or more candidates, cheapest first, each once: --models cheap,strong.',
    { place: { field: 'models' } },
  );
}

function isThere(out: string, journalFile: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${out} is there already, and no journal ${journalFile} that it came from. Name another file, or replace it with --force.`,
    { place: { file: out } },
  );
}
