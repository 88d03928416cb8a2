import { PlimsollError } from '../errors.ts';
import { type Batch, isAnswered, type LineResult, scopeOf } from './batch.ts';
import type { BatchStore } from './batch-store.ts';
import type { FileStore, FileWriter } from './file-store.ts';
import { isFault, readLine, UNLIMITED } from './line.ts';
import { linesOf } from './lines-of.ts';
import type { StopReason } from './stop.ts';

export interface WrittenResults {
  readonly outputFileId?: string;
  readonly errorFileId?: string;
  /** Lines of an expired batch that were never answered. */
  readonly unanswered: number;
}

/**
 * Writes replies into the output file and refusals into the error file, in the order in which they came. The ids of the files follow from that of the batch:
 * written again, they are the same files. A file without lines is left out.
 */
export async function writeResults(
  batch: Batch,
  reason: StopReason | undefined,
  { batches, files }: { readonly batches: BatchStore; readonly files: FileStore },
): Promise<WrittenResults> {
  const scope = scopeOf(batch.client);
  const fileId = (kind: string) => `file-plimsoll-${batch.id.slice('batch_'.length)}-${kind}`;
  const output = files.writer(scope, fileId('output'));
  const errors = files.writer(scope, fileId('error'));
  const done = new Set<number>();
  const lines = { output: 0, error: 0 };
  for await (const results of batches.results(scope, batch.id)) {
    for (const result of results) {
      if (done.has(result.line)) continue;
      done.add(result.line);
      if (isAnswered(result)) {
        lines.output++;
        await output.write(resultLine(batch, result));
      } else {
        lines.error++;
        await errors.write(resultLine(batch, result));
      }
    }
  }
  const unanswered = reason === 'expired' ? await writeUnanswered(batch, done, errors, files) : 0;
  lines.error += unanswered;
  const finish = (kind: 'output' | 'error', writer: FileWriter) =>
    writer.finish({
      filename: `${batch.id}_${kind}.jsonl`,
      purpose: 'batch_output',
      lines: lines[kind],
    });
  return {
    unanswered,
    ...(lines.output > 0 && { outputFileId: (await finish('output', output)).id }),
    ...(lines.error > 0 && { errorFileId: (await finish('error', errors)).id }),
  };
}

const EXPIRED = {
  code: 'batch_expired',
  message: 'This request could not be sent before the completion window expired.',
};

const EXPIRED_AND_GONE = {
  code: EXPIRED.code,
  message: `${EXPIRED.message} The input file is gone, and with it its custom_id.`,
};

/** @returns how many lines */
async function writeUnanswered(
  batch: Batch,
  done: ReadonlySet<number>,
  errors: FileWriter,
  files: FileStore,
): Promise<number> {
  const unanswered = Math.max(0, batch.total - done.size);
  let written = 0;
  for await (const { number, text } of requestsOf(batch, files)) {
    const line = readLine(text, UNLIMITED);
    if (done.has(number) || isFault(line)) continue;
    written++;
    await errors.write(jsonLine(batch, number, line.customId, null, EXPIRED));
  }
  for (; written < unanswered; written++)
    await errors.write(jsonLine(batch, `unknown-${written + 1}`, null, null, EXPIRED_AND_GONE));
  return written;
}

/** The lines of its input, as far as it is still there. */
async function* requestsOf(batch: Batch, files: FileStore) {
  const scope = scopeOf(batch.client);
  try {
    const file = await files.ofBatch(scope, batch.inputFileId);
    if (file !== undefined) yield* linesOf(files.content(scope, file));
  } catch (error) {
    if (!(error instanceof PlimsollError && error.code === 'not-found')) throw error;
  }
}

function resultLine(batch: Batch, { line, customId, status, requestId, body }: LineResult): string {
  return jsonLine(batch, line, customId, { status_code: status, request_id: requestId, body }, null);
}

/** A line of OpenAI's form. */
function jsonLine(
  batch: Batch,
  line: number | string,
  customId: string | null,
  response: object | null,
  error: object | null,
): string {
  const id = `batch_req_${batch.id.slice('batch_'.length)}-${line}`;
  return `${JSON.stringify({ id, custom_id: customId, response, error })}\n`;
}
