import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { BadRow, catchBadRow, type RejectedRow, RejectLog } from '../../evals/case-files/index.ts';
import {
  type CaseRow,
  type FileRecord,
  parseCase,
  readRecords,
  writeCases,
} from '../../evals/cases/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { JsonObject } from '../../router/json/index.ts';
import type { LoggedCall, LoggedReply } from './logged-call.ts';
import { batchedReply, LOG_FORMATS, type LogFormat } from './request-logs.ts';

export interface LogImportOptions {
  readonly format: string;
  readonly inputs: readonly string[];
  readonly out: string;
  /** The largest share of rows, 0..1, that may be rejected. Default 0.02, and one row in any case: a log may be cut off. */
  readonly maxRejectShare?: number;
  readonly rejectsFile?: string;
  readonly onProgress?: (recordsRead: number) => void;
  /** Called with what a person should know: rejected rows by kind. A line each. */
  readonly onNotes?: (lines: readonly string[]) => void;
}

export interface LogImportSummary {
  readonly format: string;
  /** Rows that were written: one a request. */
  readonly requests: number;
  /** How many of them have a label. */
  readonly labelled: number;
  /** Model -> calls of it. */
  readonly models: Readonly<Record<string, number>>;
  /** Field -> rows without it; left out where all have it. */
  readonly missing: Readonly<Record<string, number>>;
  readonly read: number;
  readonly rejected: number;
  /** Records of something else, as spans that call no model. */
  readonly excluded: number;
  readonly rejects: readonly RejectedRow[];
  readonly out: string;
  readonly sha256: string;
}

const DEFAULT_MAX_REJECT_SHARE = 0.02;
const REJECTS_SHOWN = 20;

export function logFormat(format: string): LogFormat | undefined {
  return LOG_FORMATS.find((one) => one.format === format);
}

/**
 * Converts logs of calls to rows of requests, which `plimsoll label --from` reads, with what the log says about the replies. Scores of the log
 * become labels. The output appears only when everything is read, checked and written.
 * @throws PlimsollError: unreadable files, too many bad rows, no request at all
 */
export async function importLogs(log: LogFormat, options: LogImportOptions): Promise<LogImportSummary> {
  const { format, inputs, out, onProgress = () => {} } = options;
  const rejects = new RejectLog(options.rejectsFile);
  const rows = new RequestRows(format);
  let [read, excluded] = [0, 0];
  try {
    for (const file of inputs) {
      for await (const record of readRecords(file)) {
        onProgress(++read);
        const added = catchBadRow(() => rows.addRecord(log, record, file));
        if (added instanceof BadRow) rejects.add(file, record.line, added);
        else if (!added) excluded++;
      }
    }
  } finally {
    rejects.close();
  }
  rejects.requireFew(
    read,
    options.maxRejectShare ?? Math.max(DEFAULT_MAX_REJECT_SHARE, 1 / Math.max(1, read)),
  );
  if (rows.size === 0) throw noRequest(read, rejects.lines);
  const { rows: requests, sha256 } = await writeCases(out, rows.all());
  options.onNotes?.(rejects.lines);
  return {
    format,
    requests,
    ...rows.counts(),
    read,
    rejected: rejects.count,
    excluded,
    rejects: rejects.kept.slice(0, REJECTS_SHOWN),
    out,
    sha256,
  };
}

function noRequest(read: number, notes: readonly string[]): PlimsollError {
  const why = read === 0 ? 'the files hold no record' : `none of ${read} records is a call of a model`;
  return new PlimsollError('insufficient-data', [`No request to write: ${why}.`, ...notes].join('\n'));
}

/** `reply` as captured rows have it. */
type Row = CaseRow & { readonly id: string; reply?: NamedReply };
type NamedReply = LoggedReply & { readonly model?: string };

/** Rows by their ids; several labelled calls of one prompt are one row. */
class RequestRows {
  readonly #format: string;
  readonly #rows = new Map<string, Row>();
  readonly #replies = new Map<string, NamedReply>();
  readonly #models = new Map<string, number>();

  constructor(format: string) {
    this.#format = format;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** @returns whether it is a call, or the reply of one */
  addRecord(log: LogFormat, { line, fields }: FileRecord, file: string): boolean {
    const record = fields();
    const batched = batchedReply(record);
    if (batched !== undefined) {
      this.#replies.set(batched.id, batched.reply);
      return true;
    }
    const calls = log.calls(record as JsonObject);
    if (calls === undefined) return false;
    for (const [at, call] of calls.entries())
      this.#add(call, `${basename(file)}:${line}${at === 0 ? '' : `#${at + 1}`}`);
    return true;
  }

  #add({ id, time, model, request, reply, quality }: LoggedCall, place: string): void {
    const labelled = quality !== undefined && model !== undefined;
    const own = labelled ? promptId(request) : (id ?? place);
    const known = this.#rows.get(own);
    if (known !== undefined && !labelled) throw new BadRow('there is a row with this id already', 'id');
    const outcomes = labelled ? { ...known?.outcomes, [model]: outcomeOf(quality, reply) } : {};
    const { messages, ...rest } = request;
    const row = {
      ...(known ?? {
        id: own,
        source: this.#format,
        ...(time !== undefined && { time }),
        ...rest,
        messages: [...messages],
      }),
      ...(!labelled && (model ?? reply) !== undefined && { reply: { ...(model && { model }), ...reply } }),
      outcomes,
    } as Row;
    parseCase(row, own);
    this.#rows.set(own, row);
    if (model !== undefined) this.#models.set(model, (this.#models.get(model) ?? 0) + 1);
  }

  /** With the replies of a batch, which are in another file than its requests. */
  *all(): Generator<CaseRow> {
    for (const row of this.#rows.values()) yield this.#joined(row);
  }

  #joined(row: Row): Row {
    const batched = this.#replies.get(row.id);
    if (batched === undefined) return row;
    const model = batched.model ?? row.reply?.model;
    return { ...row, reply: { ...(model !== undefined && { model }), ...batched } };
  }

  counts(): Pick<LogImportSummary, 'labelled' | 'models' | 'missing'> {
    const rows = [...this.#rows.values()].map((row) => this.#joined(row));
    const isLabelled = ({ outcomes }: Row) => Object.keys(outcomes).length > 0;
    const open = rows.filter((row) => !isLabelled(row));
    const without = (has: (row: Row) => unknown) => open.filter((row) => has(row) === undefined).length;
    const missing = {
      'reply.model': without(({ reply }) => reply?.model),
      'reply.text': without(({ reply }) => reply?.text),
      'reply.input_tokens': without(({ reply }) => reply?.input_tokens),
      'reply.output_tokens': without(({ reply }) => reply?.output_tokens),
      'reply.cost_usd': without(({ reply }) => reply?.cost_usd),
      'reply.latency_ms': without(({ reply }) => reply?.latency_ms),
    };
    return {
      labelled: rows.filter(isLabelled).length,
      models: Object.fromEntries([...this.#models].sort(([, a], [, b]) => b - a)),
      missing: Object.fromEntries(Object.entries(missing).filter(([, count]) => count > 0)),
    };
  }
}

function promptId(request: LoggedCall['request']): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 24);
}

function outcomeOf(quality: number, reply: LoggedReply = {}): Record<string, unknown> {
  const { text, finish_reason, ...amounts } = reply;
  return {
    quality,
    ...amounts,
    ...(text !== undefined && { answer: text }),
    ...(finish_reason !== undefined && { signals: { finish_reason } }),
  };
}
