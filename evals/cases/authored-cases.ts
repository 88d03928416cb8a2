import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { personTexts, routedText } from '../../router/prompt/index.ts';
import type { Reply } from '../../router/types.ts';
import { BadRow, fileError, parseRow, shownName } from '../case-files/index.ts';
import type { Case } from './case.ts';
import { parseReply, REPLY_FIELDS } from './outcome.ts';
import { copyHashes, questionKey } from './question-key.ts';

/** A request with the tier that its authors think it needs. This is a judgement, not a measured outcome: no model was run. */
interface TieredCase {
  readonly id: string;
  /** The prompt's language, ISO 639 such as en. */
  readonly language: string;
  /** The routed text: the one that the router would score for the same request. */
  readonly text: string;
  readonly tier: (typeof TIERS)[number];
  /** One sentence for a reader; nothing is learned from it. */
  readonly why: string;
  /** The number of the person's messages in the request, if there is more than one. */
  readonly turns?: number;
}

/** A tiered case with one of the known tasks. */
export interface TierCase extends TieredCase {
  readonly task: (typeof TIER_TASKS)[number];
}

/** A tiered case of a suite: a prompt that must be escalated, or a look-alike that must stay cheap. */
export interface HardCase extends TieredCase {
  /** What makes it hard, such as proof. The shipped slices are listed in evals/suites/README.md. */
  readonly slice: string;
  /** Length of the routed text, in UTF-16 units. */
  readonly characters: number;
  /** What is known about models' replies, by model: by them a cascade decides. Left out if that is nothing. */
  readonly replies?: ReadonlyMap<string, Reply>;
}

/** One request in two wordings: a policy should make the same decision on both. */
export interface Paraphrase {
  readonly id: string;
  /** ISO 639, such as en. */
  readonly language: string;
  /** The routed texts of the two wordings. */
  readonly a: string;
  readonly b: string;
}

/**
 * Reads tiered cases (JSON Lines; training-data/README.md describes the rows) as labelled cases of a cheap and a strong model. The strong
 * model has quality 1 on all of them, the cheap one 1 on tier cheap and 0 on tier strong. So the labels say which model the authors would
 * choose, and no quality measured on them is a quality of the two models named.
 *
 * @example loadTierCases(file, { cheap: 'small', strong: 'large' })[0]?.outcomes.get('large')?.quality === 1;
 * @throws PlimsollError as readTierCases
 */
export function loadTierCases(
  file: string,
  { cheap, strong }: { readonly cheap: string; readonly strong: string },
): Case[] {
  return readTierCases(file).map(({ id, task, language, text, tier, turns }) => ({
    id,
    text,
    key: questionKey(text),
    task,
    source: 'everyday',
    language,
    ...(turns !== undefined && { turns }),
    outcomes: new Map([
      [cheap, { quality: tier === 'cheap' ? 1 : 0 }],
      [strong, { quality: 1 }],
    ]),
  }));
}

/** @throws PlimsollError 'invalid-input': a row that does not fit, an id twice, no row at all; 'not-found', 'io': the file */
export function readTierCases(file: string): TierCase[] {
  return readStrictRows(file, tierRowSchema, (row) => ({ task: row.task, ...tieredCase(row) }));
}

/**
 * Reads hard cases (JSON Lines; evals/suites/README.md describes the rows).
 * @throws PlimsollError as readTierCases
 */
export function loadHardCases(file: string): HardCase[] {
  const copies = new CopyGuard();
  return readStrictRows(file, hardRowSchema, (row, line) => {
    const tiered = tieredCase(row);
    copies.add(line, [tiered.text]);
    const replies = knownReplies(row.replies ?? {});
    return {
      slice: row.slice,
      ...tiered,
      characters: tiered.text.length,
      ...(replies.size > 0 && { replies }),
    };
  });
}

/**
 * Reads paraphrases (JSON Lines; evals/suites/README.md describes the rows).
 * @throws PlimsollError as readTierCases
 */
export function loadParaphrases(file: string): Paraphrase[] {
  const copies = new CopyGuard();
  return readStrictRows(file, paraphraseRowSchema, ({ id, language, ...row }, line) => {
    const [a, b] = [routedText({ prompt: row.a }), routedText({ prompt: row.b })];
    copies.add(line, [a, b]);
    return { id, language, a, b };
  });
}

/** Bounds take each row for one of its own: copies would make them tighter than what is known. */
class CopyGuard {
  /** Numberless hash -> the first line with such a text. */
  readonly #lines = new Map<number, number>();

  /** @throws BadRow: an earlier line has one of the texts, but for case, white space, punctuation and numbers */
  add(line: number, texts: readonly string[]): void {
    const hashes = texts.map((text) => copyHashes(text).numberlessHash);
    const earlier = hashes.map((hash) => this.#lines.get(hash)).find((found) => found !== undefined);
    if (earlier !== undefined) {
      throw new BadRow(
        `its text is that of line ${earlier}, but for case, white space, punctuation or numbers at most. Each line counts as a case of its own, so copies would make the bound too tight: leave one of the two out, or write it about something else`,
      );
    }
    for (const hash of hashes) this.#lines.set(hash, line);
  }
}

/** @throws BadRow: a reply with faults, or of which nothing is said */
function knownReplies(rows: Readonly<Record<string, object>>): Map<string, Reply> {
  return new Map(
    Object.entries(rows).map(([model, fields]) => {
      const place = `replies.${model}`;
      const reply = parseReply(fields, place);
      if (reply === undefined)
        throw new BadRow(`says nothing; give ${REPLY_FIELDS.join(', ')}, or leave it out`, place);
      return [model, reply];
    }),
  );
}

/** @throws PlimsollError 'invalid-input' if the row's messages have no text by a person */
function tieredCase({ id, language, prompt, messages, tier, why }: TieredRow): TieredCase {
  const text = routedText(messages === undefined ? { prompt: prompt ?? '' } : { messages });
  const turns = messages?.filter((message) => personTexts(message).length > 0).length ?? 1;
  return { id, language, text, tier, why, ...(turns > 1 && { turns }) };
}

export const TIERS = ['cheap', 'strong'] as const;

/** The tasks of the everyday cases. The list is closed: a new task is a decision, not a typing error. */
export const TIER_TASKS = [
  'brainstorming',
  'chat',
  'classification',
  'code-debugging',
  'code-explanation',
  'code-generation',
  'code-review',
  'comparison',
  'creative-writing',
  'data-analysis',
  'definition',
  'email',
  'extraction',
  'factual-question',
  'finance',
  'format-conversion',
  'how-to',
  'legal',
  'long-context',
  'maths',
  'medical',
  'moderation',
  'multi-turn',
  'planning',
  'proofreading',
  'question-on-context',
  'reasoning',
  'recommendation',
  'regex',
  'rewriting',
  'safety-critical',
  'shell',
  'spreadsheet',
  'sql',
  'summarisation',
  'support',
  'test-writing',
  'tool-use',
  'translation',
  'unit-conversion',
] as const;

/** The longest reason for a tier, in UTF-16 units: one sentence. */
const LONGEST_WHY = 160;

export const nonEmptyText = z.string().trim().min(1);

export const languageCode = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/, 'must be a language code such as en');

/** A tool call by an assistant, in the shape of OpenAI or Anthropic. Tool traffic is never scored. */
const toolCallSchema = z.strictObject({
  id: nonEmptyText,
  type: z.literal('function'),
  function: z.strictObject({ name: nonEmptyText, arguments: z.string() }),
});
const partSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: nonEmptyText }),
  z.strictObject({
    type: z.literal('tool_use'),
    id: nonEmptyText,
    name: nonEmptyText,
    input: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({ type: z.literal('tool_result'), tool_use_id: nonEmptyText, content: z.string() }),
]);

const content = z.union([nonEmptyText, z.array(partSchema).min(1)]);
const messageSchema = z.union([
  z.strictObject({ role: z.literal(['system', 'user', 'assistant']), content }),
  z.strictObject({
    role: z.literal('assistant'),
    content: nonEmptyText.nullable(),
    tool_calls: z.array(toolCallSchema).min(1),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: nonEmptyText, content: nonEmptyText }),
]);

/** The fields of every tiered case: a prompt or messages, and the tier that its authors think it needs. */
const tieredRowSchema = z
  .strictObject({
    id: nonEmptyText,
    language: languageCode,
    prompt: nonEmptyText.optional(),
    messages: z.array(messageSchema).min(1).optional(),
    tier: z.enum(TIERS),
    why: nonEmptyText.max(LONGEST_WHY),
  })
  .refine(({ prompt, messages }) => (prompt === undefined) !== (messages === undefined), {
    message: 'give either prompt or messages',
    path: ['prompt'],
  });

type TieredRow = z.output<typeof tieredRowSchema>;

const tierRowSchema = tieredRowSchema.safeExtend({ task: z.enum(TIER_TASKS) });

/** The slice may have any name, since users write hard cases of their own. */
const hardRowSchema = tieredRowSchema.safeExtend({
  slice: z
    .string()
    .regex(
      /^[a-z0-9]+(-[a-z0-9]+)*$/,
      'must be lower-case letters and digits with dashes, such as short-but-hard',
    ),
  replies: z.record(z.string(), z.looseObject({})).optional(),
});

const paraphraseRowSchema = z
  .strictObject({
    id: nonEmptyText,
    a: nonEmptyText,
    b: nonEmptyText,
    language: languageCode,
  })
  .refine(({ a, b }) => a !== b, {
    message: 'is the same text as a, so no decision can differ; write it in other words',
    path: ['b'],
  });

/**
 * Reads JSON Lines that people wrote by hand, so a bad row is an error to fix and not one to skip. Blank lines are ignored.
 * @throws PlimsollError 'invalid-input': a row that does not fit, an id twice, no row at all; 'not-found', 'io': the file
 */
export function readStrictRows<Row extends { readonly id: string }, Result>(
  file: string,
  schema: z.ZodType<Row>,
  convert: (row: Row, line: number) => Result,
): Result[] {
  const ids = new Set<string>();
  const results: Result[] = [];
  for (const [index, line] of readText(file).split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const row = parseRow(schema, JSON.parse(line));
      if (ids.has(row.id)) throw new BadRow(`${shownName(row.id)} is in an earlier row too`, 'id');
      ids.add(row.id);
      results.push(convert(row, index + 1));
    } catch (error) {
      throw rowError(file, index + 1, error);
    }
  }
  if (results.length > 0) return results;
  throw new PlimsollError('invalid-input', `${file}: there is no row of data in it.`, { place: { file } });
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw fileError(file, cause);
  }
}

/** Takes nothing from the messages of JSON.parse, which may quote the row. */
function rowError(file: string, line: number, cause: unknown): PlimsollError {
  const known = cause instanceof BadRow || cause instanceof PlimsollError;
  const reason = known ? cause.message : 'not valid JSON';
  const field = cause instanceof BadRow ? cause.field : undefined;
  return new PlimsollError('invalid-input', `${file}:${line}: ${reason}`, {
    place: { file, line, ...(field !== undefined && { field }) },
    cause,
  });
}
