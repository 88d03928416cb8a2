import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlimsollError } from '../../router/errors.ts';
import { checkBounded } from '../../router/files/index.ts';
import type { LabelCalls } from '../../router/grading/index.ts';
import { journalLine, journalOf } from './journal.ts';

/** What a journal says was paid. */
export interface JournalSpend {
  /** For each model, as a candidate and as the judge. */
  readonly calls: readonly LabelCalls[];
  /** US dollars reserved by calls without an end: the provider may have billed them. Those at work right now are among them. */
  readonly lostUsd: number;
}

/** In bytes. A server reads it, and a run may have more calls than that. */
const LARGEST_JOURNAL = 256 * 2 ** 20;

/**
 * Reads the journal beside a file of cases; it changes nothing, and a run may be writing it.
 * @returns undefined if there is none
 * @throws PlimsollError `invalid-input`: no journal, or too large; `io`
 */
export async function journalSpend(cases: string): Promise<JournalSpend | undefined> {
  const file = journalOf(cases);
  if (!existsSync(file)) return undefined;
  const calls = new Map<string, LabelCalls>();
  const open = new Map<string, number>();
  let lostUsd = 0;
  for await (const { text, line } of wholeLines(file)) {
    const read = journalLine(text, file, line);
    if (read.kind === 'journal') continue;
    if (read.kind === 'asked') {
      lostUsd += open.get(read.key) ?? 0; // it is asked again: the call before it had no end
      open.set(read.key, read.reserved_usd);
      continue;
    }
    open.delete(read.key);
    if (read.kind === 'failed') continue;
    addCalls(calls, { model: read.model, isOfJudge: read.judge === true, calls: 1, usd: read.charged_usd });
  }
  return { calls: [...calls.values()], lostUsd: [...open.values()].reduce((sum, usd) => sum + usd, lostUsd) };
}

/** Adds to what is known about the same model in the same role. */
export function addCalls(known: Map<string, LabelCalls>, more: LabelCalls): void {
  const name = JSON.stringify([more.isOfJudge, more.model]);
  const before = known.get(name);
  known.set(name, before ? { ...more, calls: before.calls + more.calls, usd: before.usd + more.usd } : more);
}

/** Without the last one, if it has no end: it is being written, or its writer was killed. */
async function* wholeLines(file: string): AsyncGenerator<{ readonly text: string; readonly line: number }> {
  const remedy = 'What was paid is in what `label` printed.';
  let held: string | undefined;
  let line = 0;
  try {
    checkBounded(file, { mostBytes: LARGEST_JOURNAL, code: 'invalid-input', remedy });
    for await (const text of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      if (held !== undefined) yield { text: held, line };
      held = text;
      line++;
    }
  } catch (error) {
    if (error instanceof PlimsollError) throw error;
    throw new PlimsollError('io', `${file} cannot be read.`, { place: { file }, cause: error });
  }
  if (held !== undefined && isWhole(held)) yield { text: held, line };
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
