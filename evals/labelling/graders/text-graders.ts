import { RE2JS } from 're2js';
import { z } from 'zod';
import { beginsAsRefusal } from '../../../router/cascade/index.ts';
import { acceptedTexts, type Grader, graded, missing } from './grader.ts';

/** What makes no difference between two texts. */
const IGNORED = ['case', 'white-space', 'punctuation', 'accents', 'articles'] as const;
type Ignored = (typeof IGNORED)[number];

const ignore = z
  .array(z.enum(IGNORED))
  .default(['white-space'])
  .describe('What makes no difference: case, white-space, punctuation, accents, articles (a, an, the).');

/** RE2: linear in the text, without back references and look-arounds. */
const pattern = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((text, context) => {
    try {
      RE2JS.compile(text);
    } catch {
      context.addIssue({
        code: 'custom',
        message:
          'is no pattern of RE2, which takes linear time and has no look-arounds and back references: https://github.com/google/re2/wiki/Syntax',
      });
    }
  });

const take = z
  .union([z.enum(['whole', 'first-line', 'last-line']), z.strictObject({ pattern })])
  .default('whole')
  .describe(
    'The part of the reply that is compared: all of it, a line, or the last match of a pattern, of which the first group.',
  );
type Take = z.output<typeof take>;

export const exactSchema = z.strictObject({ type: z.literal('exact'), ignore, take });
export const containsSchema = z.strictObject({
  type: z.literal('contains'),
  ignore,
  texts: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('What must be in the reply; by default the reference.'),
  mode: z.enum(['all', 'any']).optional().describe('Default: all of `texts`, any of the reference.'),
});
export const regexSchema = z.strictObject({
  type: z.literal('regex'),
  pattern,
  ignore_case: z.boolean().default(false),
  absent: z.boolean().default(false).describe('The reply is right if the pattern does not match.'),
});
export const refusalSchema = z.strictObject({
  type: z.literal('refusal'),
  expected: z.boolean().default(false).describe('Whether a refusal is the right reply.'),
});

/** Equal to the reference, or to one of a list. */
export function exactGrader(options: z.output<typeof exactSchema>): Grader {
  const same = normaliser(options.ignore);
  return {
    type: 'exact',
    needsReference: true,
    grade: ({ reply, reference }) => {
      const taken = takenPart(reply, options.take);
      if (taken === undefined) return graded(0);
      return graded(acceptedTexts(reference).some((text) => same(text) === same(taken)));
    },
  };
}

/** Has the texts in it. */
export function containsGrader(options: z.output<typeof containsSchema>): Grader {
  const { texts, mode = texts === undefined ? 'any' : 'all' } = options;
  const same = normaliser(options.ignore);
  return {
    type: 'contains',
    needsReference: texts === undefined,
    grade: ({ reply, reference }) => {
      const wanted = (texts ?? acceptedTexts(reference)).map(same);
      if (wanted.includes('')) return missing('nothing is left of a text that must be in it: see ignore');
      const within = same(reply);
      const isThere = (text: string) => within.includes(text);
      return graded(mode === 'all' ? wanted.every(isThere) : wanted.some(isThere));
    },
  };
}

/** Matches a pattern somewhere, in time linear in the reply. */
export function regexGrader(options: z.output<typeof regexSchema>): Grader {
  const compiled = RE2JS.compile(options.pattern, options.ignore_case ? RE2JS.CASE_INSENSITIVE : 0);
  return {
    type: 'regex',
    needsReference: false,
    grade: ({ reply }) => graded(compiled.matcher(reply).find() !== options.absent),
  };
}

/** Does what was asked instead of declining, by the words that it begins with. */
export function refusalGrader({ expected }: z.output<typeof refusalSchema>): Grader {
  return {
    type: 'refusal',
    needsReference: false,
    grade: ({ reply }) => graded(beginsAsRefusal(reply) === expected),
  };
}

/** Undefined if the pattern does not match. */
function takenPart(reply: string, part: Take): string | undefined {
  if (part === 'whole') return reply;
  if (typeof part === 'object') return lastMatch(reply, part.pattern);
  const lines = reply.split('\n').filter((line) => line.trim() !== '');
  return (part === 'first-line' ? lines[0] : lines.at(-1)) ?? '';
}

function lastMatch(reply: string, text: string): string | undefined {
  const matcher = RE2JS.compile(text).matcher(reply);
  let last: string | undefined;
  while (matcher.find()) last = (matcher.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? undefined;
  return last;
}

/** A text as it is compared; always in Unicode's composed form. */
export function normaliser(ignored: readonly Ignored[]): (text: string) => string {
  const steps = IGNORED.filter((one) => ignored.includes(one)).map((one) => STEPS[one]);
  return (text) => {
    const changed = steps.reduce((now, step) => step(now), text.normalize('NFC'));
    return ignored.includes('white-space') ? STEPS['white-space'](changed) : changed;
  };
}

const STEPS: Readonly<Record<Ignored, (text: string) => string>> = {
  case: (text) => text.toLowerCase(),
  'white-space': (text) => text.replace(/\s+/gu, ' ').trim(),
  punctuation: (text) => text.replace(/\p{P}+/gu, ' '),
  accents: (text) => text.normalize('NFD').replace(/\p{M}+/gu, ''),
  articles: (text) => text.replace(/\b(?:a|an|the)\b/giu, ' '),
};
