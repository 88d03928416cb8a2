import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { writeAll, writeFailure } from '../../router/files/index.ts';

const tokens = z.number().min(0).optional();

const replySchema = z.strictObject({
  kind: z.literal('reply'),
  key: z.string(),
  case: z.string(),
  model: z.string(),
  text: z.string(),
  finish_reason: z.string().optional(),
  input_tokens: tokens,
  output_tokens: tokens,
  /** US dollars; left out if the provider reported no usage. */
  cost_usd: z.number().min(0).optional(),
  /** What counts against the budget: the cost, or the reservation if the cost is not known. */
  charged_usd: z.number().min(0),
  latency_ms: z.number().min(0),
  confidence_logprob: z.number().max(0).optional(),
  mean_logprob: z.number().max(0).optional(),
  min_logprob: z.number().max(0).optional(),
});

const lineSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('journal'), version: z.literal(1) }),
  z.strictObject({ kind: z.literal('asked'), key: z.string(), reserved_usd: z.number().min(0) }),
  replySchema,
  z.strictObject({
    kind: z.literal('failed'),
    key: z.string(),
    case: z.string(),
    model: z.string(),
    why: z.string(),
  }),
]);

/** A reply that was paid for. */
export type JournalReply = Readonly<Omit<z.infer<typeof replySchema>, 'kind'>>;
/** What a grade and a case need of a reply; one that was recorded elsewhere may lack its latency. */
export type GradedReply = Omit<JournalReply, 'key' | 'case' | 'model' | 'charged_usd' | 'latency_ms'> &
  Partial<Pick<JournalReply, 'latency_ms'>>;
/** A call that failed for good in this run; the next run makes it again. */
export type JournalFailure = Readonly<{ key: string; case: string; model: string; why: string }>;
type Line = z.infer<typeof lineSchema>;

/**
 * What was asked and what came back: JSON Lines, each on the disk before the run goes on. A process may be killed at any moment: what is in
 * here is never paid for again, and a call without a reply counts as spent, since the provider may have billed it. Holds the texts of replies and
 * none of prompts.
 */
export class Journal {
  readonly file: string;
  readonly #descriptor: number;
  readonly #replies = new Map<string, JournalReply>();
  /** Key -> US dollars reserved by a call whose end is not known. */
  readonly #open = new Map<string, number>();
  /** Of earlier processes: calls that were at work when they were killed. */
  #lostUsd = 0;
  #spentUsd = 0;

  /** @throws PlimsollError `invalid-input` naming the line, if it is no journal; `io` */
  constructor(file: string) {
    this.file = file;
    const isNew = !existsSync(file);
    this.#descriptor = this.#orFailure(() => openSync(file, 'a+', 0o600));
    if (!isNew) this.#read();
    if (isNew || fstatSync(this.#descriptor).size === 0) this.#append({ kind: 'journal', version: 1 });
  }

  get replies(): ReadonlyMap<string, JournalReply> {
    return this.#replies;
  }

  /** US dollars for replies, and for calls of earlier runs that were killed before a reply came. */
  get spentUsd(): number {
    return this.#spentUsd + this.#lostUsd;
  }

  /** US dollars that may have been spent on calls whose reply was lost with a killed process. */
  get lostUsd(): number {
    return this.#lostUsd;
  }

  asked(key: string, reservedUsd: number): void {
    this.#append({ kind: 'asked', key, reserved_usd: reservedUsd });
  }

  replied(reply: JournalReply): void {
    this.#append({ kind: 'reply', ...reply });
    this.#take(reply);
  }

  failed(failure: JournalFailure): void {
    this.#append({ kind: 'failed', ...failure });
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #append(line: Line): void {
    this.#orFailure(() => {
      const { size } = fstatSync(this.#descriptor);
      try {
        writeAll(this.#descriptor, `${JSON.stringify(line)}\n`);
      } catch (error) {
        this.#cutOff(size);
        throw error;
      }
      fsyncSync(this.#descriptor);
    });
  }

  /** Half a line on a full disk: a call that is still at work would write its own behind it, once there is space again. */
  #cutOff(size: number): void {
    try {
      ftruncateSync(this.#descriptor, size);
    } catch {} // what failed before says more
  }

  #take(reply: JournalReply): void {
    this.#replies.set(reply.key, reply);
    this.#spentUsd += reply.charged_usd;
  }

  /** A last line without an end was being written when the process was killed, and is cut off. */
  #read(): void {
    const bytes = this.#orFailure(() => readFileSync(this.file));
    const end = bytes.lastIndexOf('\n') + 1;
    if (end < bytes.length) this.#orFailure(() => ftruncateSync(this.#descriptor, end));
    const lines = bytes.toString('utf8', 0, end).split('\n');
    lines.pop();
    for (const [index, text] of lines.entries()) this.#replay(this.#parsed(text, index + 1));
    for (const usd of this.#open.values()) this.#lostUsd += usd;
    this.#open.clear();
  }

  #replay(line: Line): void {
    if (line.kind === 'asked') {
      this.#lostUsd += this.#open.get(line.key) ?? 0; // asked again after a kill
      this.#open.set(line.key, line.reserved_usd);
    } else if (line.kind !== 'journal') {
      this.#open.delete(line.key);
      if (line.kind === 'reply') {
        const { kind: _, ...reply } = line;
        this.#take(reply);
      }
    }
  }

  #parsed(text: string, line: number): Line {
    try {
      return lineSchema.parse(JSON.parse(text));
    } catch {
      throw new PlimsollError(
        'invalid-input',
        `${this.file}, line ${line}: this is no line of a journal of labels. Restore the file from a copy, or remove it: then every reply is paid for again.`,
        { place: { file: this.file, line } },
      );
    }
  }

  #orFailure<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw writeFailure(`the journal ${this.file}`, this.file, cause);
    }
  }
}
