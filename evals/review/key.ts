import path from 'node:path';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../../router/errors.ts';
import { readBounded, replaceFile } from '../../router/files/index.ts';
import { parseJson } from '../../router/json/index.ts';

/** `pairs`: which of two replies is better; `replies`: how good each is, 0 to 1. */
const STYLES = ['pairs', 'replies'] as const;
export type ReviewStyle = (typeof STYLES)[number];

const share = z.number().min(0).max(1);

const keySchema = z.strictObject({
  version: z.literal(1),
  style: z.enum(STYLES),
  /** Cheapest first. */
  candidates: z.array(z.string()).min(2),
  /** Cases from which was drawn: each had the probability drawn / population. */
  population: z.int().positive().optional(),
  /** In the order of the draw, so that the cases of the first items are a random sample too. */
  items: z.array(
    z.strictObject({
      item: z.string(),
      case: z.string(),
      candidate: z.string(),
      /** Whether the candidate's reply is the first of the pair. */
      first: z.boolean(),
    }),
  ),
  /** Only for a review on the page. */
  page: z
    .strictObject({
      /** Decides sides and order for each reviewer; not to be known to them. */
      seed: z.string().regex(/^[0-9a-f]{32}$/),
      /** Cases that were asked for: there may have been fewer. */
      n: z.int().positive(),
      /** Share of the cases that every reviewer grades. */
      overlap: share,
      /** Share of a reviewer's cases that come again with the sides swapped. */
      repeat: share,
    })
    .optional(),
});

/** Which model wrote each reply of a review. Reviewers must not see it. */
export type ReviewKey = z.infer<typeof keySchema>;

export type ReviewItem = ReviewKey['items'][number];

/** Case -> its items, in the order of the key. */
export function itemsByCase(items: readonly ReviewItem[]): Map<string, ReviewItem[]> {
  const cases = new Map<string, ReviewItem[]>();
  for (const entry of items) {
    const known = cases.get(entry.case);
    if (known === undefined) cases.set(entry.case, [entry]);
    else known.push(entry);
  }
  return cases;
}

/** The file of the key beside a table or a file of grades. */
export function keyFileOf(out: string): string {
  return `${out}.key.json`;
}

/** @throws PlimsollError `io` */
export function writeKey(file: string, key: ReviewKey): void {
  replaceFile(file, `${JSON.stringify(key, null, 1)}\n`, { mode: 0o600, what: 'the key' });
}

/** In bytes: two hundred thousand replies. A server reads it with the first visit. */
const LARGEST = 32 * 2 ** 20;

/** @throws PlimsollError `not-found`; `io`; `invalid-input`: it is no key of this version, no file, or too large for one */
export function readKey(file: string): ReviewKey {
  const remedy = `Name the ${path.extname(file)} file that \`plimsoll review\` made beside the table or the grades.`;
  let text: string;
  try {
    const limits = { mostBytes: LARGEST, code: 'invalid-input', remedy } as const;
    text = new TextDecoder().decode(readBounded(file, limits));
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    const isMissing = systemErrorCode(cause) === 'ENOENT';
    const why = isMissing ? 'is not there' : `cannot be read (${systemErrorCode(cause)})`;
    throw new PlimsollError(isMissing ? 'not-found' : 'io', `The key ${file} ${why}.`, {
      place: { file },
      cause,
    });
  }
  const parsed = keySchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new PlimsollError(
    'invalid-input',
    `${file} is no key of a review, or of another version. ${remedy}`,
    { place: { file } },
  );
}
