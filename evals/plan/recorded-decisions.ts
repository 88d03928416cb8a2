import { PlimsollError } from '../../router/errors.ts';
import { parseJson } from '../../router/json/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { DECISIONS, type Log, storedRecords } from '../../router/state/index.ts';
import { readRecords } from '../cases/index.ts';
import { isRecord } from './record-shape.ts';

/** Rows that are no decision records, of which the first is told. */
interface Faults {
  readonly onNotes: (lines: readonly string[]) => void;
}

/**
 * The records of decision logs, `.jsonl` or `.jsonl.gz`, file after file. What is no record is left out and told.
 * @throws PlimsollError `invalid-input` if a file has no record at all; as `readRecords` for one that cannot be read
 */
export async function* decisionRecordsOf(
  files: readonly string[],
  { onNotes }: Faults,
): AsyncGenerator<DecisionRecord> {
  /** Id of its first record -> a file. */
  const begun = new Map<string, string>();
  for (const file of new Set(files)) {
    let taken = 0;
    let left = 0;
    let firstLeft: number | undefined;
    for await (const { line, fields } of readRecords(file)) {
      const record = recordIn(fields);
      if (record === undefined) {
        left++;
        firstLeft ??= line;
        continue;
      }
      const other = taken === 0 ? begun.get(record.id) : undefined;
      taken++;
      if (other !== undefined) {
        onNotes([`${file} is left out: it begins with the record that ${other} begins with.`]);
        break;
      }
      if (taken === 1 && record.id !== undefined) begun.set(record.id, file);
      yield record;
    }
    if (taken === 0) throw noRecords(file);
    if (left > 0)
      onNotes([
        `${file}: ${left} of ${taken + left} lines are no decision records, the first is line ${firstLeft}.`,
      ]);
  }
}

/** Whether a file has labelled cases, by its first row: else it is taken for a decision log. */
export async function hasCases(file: string): Promise<boolean> {
  if (/\.[ct]sv(\.gz)?$/.test(file)) return true;
  for await (const { fields } of readRecords(file)) {
    try {
      return fields()['requested_model'] === undefined && fields()['outcomes'] !== undefined;
    } catch {
      return false;
    }
  }
  return false;
}

/** The records of the decision log in the state. @param sinceMs milliseconds since 1970: older ones are left out */
export async function* storedDecisionRecords(
  log: Pick<Log, 'read'>,
  sinceMs = Number.NEGATIVE_INFINITY,
): AsyncGenerator<DecisionRecord> {
  for await (const { timeMs, body, text } of storedRecords(log, DECISIONS)) {
    const record = timeMs < sinceMs ? undefined : asRecord(parseJson(body));
    if (record !== undefined) yield text === undefined ? record : { ...record, prompt: text };
  }
}

function recordIn(fields: () => Readonly<Record<string, unknown>>): DecisionRecord | undefined {
  try {
    return asRecord(fields());
  } catch {
    return undefined; // a line that a kill cut off
  }
}

function asRecord(value: unknown): DecisionRecord | undefined {
  return isRecord(value) ? (value as DecisionRecord) : undefined;
}

function noRecords(file: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${file} has no decision records of version 1. It must be a decision log (decision_log.file), or what plimsoll state export wrote.`,
    { place: { file } },
  );
}
