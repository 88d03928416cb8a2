import { readFileSync } from 'node:fs';
import { PlimsollError } from '../../router/errors.ts';
import { personTexts } from '../../router/request/person-ask.ts';
import { routedText } from '../../router/request/routed-text.ts';
import type { RouteInput } from '../../router/types.ts';
import { BadRow } from './bad-row.ts';
import type { Case } from './case.ts';
import { fileError } from './file-error.ts';
import { badRowOf } from './outcome-of.ts';
import { questionKey } from './question-key.ts';
import { type TierCaseRow, tierCaseRowSchema } from './tier-case-row.ts';

/** A prompt with the tier that its authors think it needs. A judgement, not a measured outcome: no model was run. */
export interface TierCase {
  readonly id: string;
  readonly task: TierCaseRow['task'];
  /** Of the prompt: ISO 639, such as en. */
  readonly language: string;
  /** The routed text: what serving would score for the same request. */
  readonly text: string;
  readonly tier: TierCaseRow['tier'];
  /** One sentence for a reader; nothing is learned from it. */
  readonly why: string;
  /** Messages of the person in the request, where they are more than one. */
  readonly turns?: number;
}

/**
 * Reads a file of tiered cases (JSON Lines; training-data/README.md describes the rows). Strict: these files ship with the
 * project, so one bad row is a fault to mend and not one to skip.
 *
 * @throws PlimsollError 'invalid-input': a row that does not fit, an id twice, no row at all; 'not-found', 'io': no such file
 */
export function loadTierCases(file: string): TierCase[] {
  const ids = new Set<string>();
  const cases: TierCase[] = [];
  for (const [index, line] of textOf(file).split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      cases.push(tierCaseOf(line, ids));
    } catch (error) {
      throw rowError(file, index + 1, error);
    }
  }
  if (cases.length > 0) return cases;
  throw new PlimsollError('invalid-input', `${file}: there is no row of data in it.`, { place: { file } });
}

/**
 * Tiered cases as labelled cases of a cheap and a strong model. The strong model is taken to answer everything well (quality
 * 1); the cheap one what is of tier cheap (1) and nothing of tier strong (0). So the labels say whom the authors would send the
 * prompt to, and no quality that is measured on them is a quality of the two models named.
 *
 * @example casesFromTiers([{ tier: 'strong', … }], { cheap: 'small', strong: 'large' })[0].outcomes.get('small')!.quality === 0;
 */
export function casesFromTiers(
  tierCases: readonly TierCase[],
  { cheap, strong }: { readonly cheap: string; readonly strong: string },
): Case[] {
  return tierCases.map(({ id, task, text, tier, turns }) => ({
    id,
    text,
    key: questionKey(text),
    task,
    source: 'everyday',
    ...(turns !== undefined && { turns }),
    outcomes: new Map([
      [cheap, { quality: tier === 'cheap' ? 1 : 0 }],
      [strong, { quality: 1 }],
    ]),
  }));
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw fileError(file, cause);
  }
}

function tierCaseOf(line: string, ids: Set<string>): TierCase {
  const result = tierCaseRowSchema.safeParse(JSON.parse(line));
  if (!result.success) throw badRowOf(result.error);
  const { id, task, language, tier, why } = result.data;
  if (ids.has(id)) throw new BadRow(`${id} stands in an earlier row too`, 'id');
  ids.add(id);
  const input = inputOf(result.data);
  const turns = 'messages' in input ? input.messages.filter((one) => personTexts(one).length > 0).length : 1;
  return { id, task, language, text: routedText(input), tier, why, ...(turns > 1 && { turns }) };
}

function inputOf({ prompt, messages }: TierCaseRow): RouteInput {
  return prompt === undefined ? { messages: messages! } : { prompt };
}

/** The messages of JSON.parse may quote the row, so nothing is taken from them. */
function rowError(file: string, line: number, cause: unknown): PlimsollError {
  const known = cause instanceof BadRow || cause instanceof PlimsollError;
  const reason = known ? cause.message : 'not valid JSON';
  const field = cause instanceof BadRow ? cause.field : undefined;
  return new PlimsollError('invalid-input', `${file}:${line}: ${reason}`, {
    place: { file, line, ...(field !== undefined && { field }) },
    cause,
  });
}
