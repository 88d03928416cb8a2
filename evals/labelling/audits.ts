import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Audit } from '../../router/monitoring/index.ts';
import { BadRow, catchBadRow, parseRow, RejectLog } from '../case-files/index.ts';
import { readRecords } from '../cases/index.ts';
import type { LabelCandidate } from './label-options.ts';

/** Audits, and the rows that are none. */
export interface FoundAudits {
  readonly audits: readonly Audit[];
  readonly left: {
    /** The strongest candidate was chosen: nothing was kept cheap. */
    readonly escalated: number;
    /** Not routed, or to a model that is no candidate. */
    readonly undecided: number;
    /** One of the two replies has no grade. */
    readonly ungraded: number;
    /** Drawn with a larger probability than the others, and left out by chance to make up for it. */
    readonly thinned: number;
    readonly rejected: number;
  };
  /** A line each about rejected rows. */
  readonly notes: readonly string[];
}

const rowSchema = z.looseObject({
  id: z.string().min(1),
  decision: z.looseObject({
    model: z.string(),
    score: z.number().min(-1).max(1).optional(),
    artifact: z.string().optional(),
  }),
  sampling_probability: z.number().gt(0).max(1).default(1),
  outcomes: z.record(z.string(), z.looseObject({ quality: z.number().min(0).max(1).nullish() })),
});

type Row = z.output<typeof rowSchema>;

/**
 * The audits in files of cases that `label` made of captured requests: what the reply of the model that served loses against the strongest.
 *
 * A watch needs requests that were drawn alike. Captured ones may have been drawn with different probabilities: each is kept with the chance
 * smallest / own, which a hash of its id decides, so that the same files give the same audits.
 *
 * @param candidates cheapest first, as they were labelled
 * @throws PlimsollError `invalid-input`: nothing is a row of a captured request; as `readRecords` for a file that cannot be read
 */
export async function findAudits(
  files: readonly string[],
  candidates: readonly LabelCandidate[],
): Promise<FoundAudits> {
  const rejects = new RejectLog(undefined);
  const rows: Row[] = [];
  for (const file of files) {
    for await (const { line, fields } of readRecords(file)) {
      const row = catchBadRow(() => parseRow(rowSchema, fields()));
      if (row instanceof BadRow) rejects.add(file, line, row);
      else rows.push(row);
    }
  }
  rejects.requireFew(rows.length + rejects.count);
  const smallest = rows.reduce((least, row) => Math.min(least, row.sampling_probability), 1);
  const left = { escalated: 0, undecided: 0, ungraded: 0, thinned: 0, rejected: rejects.count };
  const audits: Audit[] = [];
  for (const row of rows) {
    const found = auditOf(row, candidates);
    if (typeof found === 'string') left[found]++;
    else if (fractionOf(row.id) >= smallest / row.sampling_probability) left.thinned++;
    else audits.push(found);
  }
  return { audits, left, notes: rejects.lines };
}

function auditOf(
  { id, decision, outcomes }: Row,
  candidates: readonly LabelCandidate[],
): Audit | 'escalated' | 'undecided' | 'ungraded' {
  const { model, score, artifact } = decision;
  const rung = candidates.findIndex((candidate) => candidate.model === model);
  if (rung < 0 || score === undefined || artifact === undefined) return 'undecided';
  const strongest = candidates.length - 1;
  if (rung === strongest) return 'escalated';
  const [kept, strong] = [rung, strongest].map((at) => outcomes[candidates[at]!.name]?.quality);
  if (kept == null || strong == null) return 'ungraded';
  return { schema_version: 1, decision_id: id, artifact, predicted_loss: score, loss: strong - kept };
}

/** Even over [0, 1), and the same for the same id. */
function fractionOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32;
}
