import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { SyncedLines } from '../../router/files/index.ts';

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
  /** The judge gave it, about the reply of a candidate. Not in journals of earlier versions. */
  judge: z.literal(true).optional(),
});

const lineSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('journal'), version: z.literal(1), id: z.string().optional() }),
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

/** The journal of a file of cases. */
export function journalOf(cases: string): string {
  return `${cases}.journal`;
}

/** A reply that was paid for. */
export type JournalReply = Readonly<Omit<z.infer<typeof replySchema>, 'kind'>>;
/** What a grade and a case need of a reply; one that was recorded elsewhere may lack its latency. */
export type GradedReply = Omit<
  JournalReply,
  'key' | 'case' | 'model' | 'charged_usd' | 'judge' | 'latency_ms'
> &
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
  readonly #lines: SyncedLines;
  readonly #replies = new Map<string, JournalReply>();
  /** Key -> US dollars reserved by a call that is at work. */
  readonly #open = new Map<string, number>();
  readonly #orphans = new Map<string, number>();
  /** Reserved by calls that were lost and made again. */
  #lostUsd = 0;
  #id = '';
  #spentUsd = 0;

  /** @throws PlimsollError `invalid-input` naming the line, if it is no journal; `io` */
  constructor(file: string) {
    this.file = file;
    this.#lines = new SyncedLines(file, 'the journal');
    for (const [index, text] of this.#lines.earlier.entries())
      this.#replay(journalLine(text, file, index + 1));
    for (const [key, usd] of this.#open) this.#orphans.set(key, usd);
    this.#open.clear();
    if (this.#id !== '') return;
    this.#id = randomBytes(8).toString('hex');
    this.#append({ kind: 'journal', version: 1, id: this.#id });
  }

  /** Different in each journal, and the same over all runs of one. */
  get id(): string {
    return this.#id;
  }

  get replies(): ReadonlyMap<string, JournalReply> {
    return this.#replies;
  }

  /** US dollars for replies, and for calls of earlier runs that were killed before a reply came. */
  get spentUsd(): number {
    return this.#spentUsd + this.lostUsd;
  }

  /** US dollars that may have been spent on calls whose reply was lost with a killed process. */
  get lostUsd(): number {
    return [...this.#orphans.values()].reduce((sum, usd) => sum + usd, this.#lostUsd);
  }

  /** Calls that an earlier process began, and whose end is not known: key -> US dollars reserved. */
  get orphans(): ReadonlyMap<string, number> {
    return this.#orphans;
  }

  asked(key: string, reservedUsd: number): void {
    this.#append({ kind: 'asked', key, reserved_usd: reservedUsd });
    this.#begin(key, reservedUsd);
  }

  /** A call of an earlier process goes on: what it reserved is lost no longer. */
  resumed(key: string): void {
    this.#open.set(key, this.#orphans.get(key) ?? 0);
    this.#orphans.delete(key);
  }

  /** Whoever made the call is gone. In the file it has no end, and counts as lost from now on. */
  lost(key: string): void {
    this.#orphans.set(key, this.#open.get(key) ?? 0);
    this.#open.delete(key);
  }

  replied(reply: JournalReply): void {
    this.#append({ kind: 'reply', ...reply });
    this.#take(reply);
  }

  failed(failure: JournalFailure): void {
    this.#append({ kind: 'failed', ...failure });
    this.#open.delete(failure.key);
  }

  close(): void {
    this.#lines.close();
  }

  #append(line: Line): void {
    this.#lines.append(line);
  }

  /** A call that is asked again has lost what it reserved before. */
  #begin(key: string, reservedUsd: number): void {
    this.#lostUsd += (this.#open.get(key) ?? 0) + (this.#orphans.get(key) ?? 0);
    this.#orphans.delete(key);
    this.#open.set(key, reservedUsd);
  }

  #take(reply: JournalReply): void {
    this.#open.delete(reply.key);
    this.#replies.set(reply.key, reply);
    this.#spentUsd += reply.charged_usd;
  }

  #replay(line: Line): void {
    if (line.kind === 'journal') this.#id = line.id ?? this.#id;
    else if (line.kind === 'asked') this.#begin(line.key, line.reserved_usd);
    else if (line.kind === 'failed') this.#open.delete(line.key);
    else {
      const { kind: _, ...reply } = line;
      this.#take(reply);
    }
  }
}

/** @throws PlimsollError `invalid-input` naming the line, if it is not one */
export function journalLine(text: string, file: string, line: number): Line {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch {
    throw new PlimsollError(
      'invalid-input',
      `${file}, line ${line}: this is no line of a journal of labels. Restore the file from a copy, or remove it: then every reply is paid for again.`,
      { place: { file, line } },
    );
  }
}
