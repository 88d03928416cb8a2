import { requirementsOf } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { isObject } from '../../router/json/index.ts';
import { requestTags } from '../../router/request-tags.ts';
import { type RequestTraits, type Rule, type Rules, rungNamed } from '../../router/rules/index.ts';
import { type PromptRow, promptRows, requestMessages } from '../cases/index.ts';

/** A case, and the rule that fires for it. */
export interface RuledCase {
  readonly id: string;
  readonly rule: Rule | undefined;
}

/** Fields of a row, besides those that describe its prompt. */
const REQUEST_FIELDS = [
  'requested_model',
  'tags',
  'key_id',
  'headers',
  'time',
  'session_turns',
  'session_minutes',
  'budgets_used',
];

/**
 * The rule that fires for each request of files of cases, labelled or not. Of a row `task`, `tools`, `tags`, `requested_model` (default `auto`), `key_id` of the API
 * key, `headers`, `time`, `session_turns`, `session_minutes` and `budgets_used` (limit -> share) are looked at besides the texts; what it lacks, no rule sees.
 * @param nowMs the time of rows without one
 * @param onNotes called at the end with what a person should know about how the files were read
 * @throws PlimsollError as promptRows; `invalid-input` if a row's tags or time are none
 */
export async function* ruledCases(
  files: readonly string[],
  rules: Rules,
  nowMs: number,
  onNotes: (lines: readonly string[]) => void = () => {},
): AsyncGenerator<RuledCase> {
  for await (const { row, one } of promptRows(files, { onNotes, furtherFields: REQUEST_FIELDS })) {
    yield { id: one.id, rule: rules.find(traitsOf(row, one), timeOf(row, nowMs)) };
  }
}

function traitsOf(row: PromptRow['row'], { text, task }: PromptRow['one']): RequestTraits {
  const { system, context, prompt, messages, tools } = row;
  const {
    requested_model: requested,
    tags,
    key_id: keyId,
    headers,
    session_turns: turns,
    session_minutes: minutes,
    budgets_used: used,
  } = row as Readonly<Record<string, unknown>>;
  const model = typeof requested === 'string' ? requested : 'auto';
  const body = {
    messages: requestMessages({ system, context, prompt, messages }),
    tools: Array.isArray(tools) ? tools : [],
  };
  const offersTools = tools === true;
  return {
    model,
    isExplicit: !/^(?:auto(?::|$)|router-)/.test(model),
    task: task?.toLowerCase(),
    tags: requestTags(Array.isArray(tags) ? tags.map(String) : typeof tags === 'string' ? tags : undefined),
    keyId: typeof keyId === 'string' ? keyId : undefined,
    headers: isObject(headers) ? lowerCased(headers) : {},
    text: () => text,
    sessionAge: () =>
      turns === undefined && minutes === undefined
        ? undefined
        : { turns: amountOf(turns), minutes: amountOf(minutes) },
    budgetUsed: (limit) => (isObject(used) && Object.hasOwn(used, limit) ? amountOf(used[limit]) : 0),
    needs: () => {
      const needs = requirementsOf(body, 'openai');
      return offersTools ? { ...needs, tools: true } : needs;
    },
  };
}

/** 0 if it is no number from 0 on; of tables numbers are text. */
function amountOf(value: unknown): number {
  const amount = Number(value ?? 0);
  return amount >= 0 ? amount : 0;
}

function lowerCased(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function timeOf(row: PromptRow['row'], nowMs: number): number {
  const { time } = row as Readonly<Record<string, unknown>>;
  if (time === undefined || time === null) return nowMs;
  const timeMs = Date.parse(String(time));
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new PlimsollError(
    'invalid-input',
    `The time of the case "${String(row.id)}" is none. Write it as 2026-12-01T22:30:00Z, or leave it out.`,
    { place: { field: 'time' } },
  );
}

/**
 * What rules alone decide, as a file for `gate --decisions`: the model of the rule that fires, else `otherwise`.
 * @param models the ladder: candidate -> model
 * @throws PlimsollError `invalid-input` if a rule leaves the choice to a classifier, a profile or nobody
 */
export function modelByRule(
  rule: Rule | undefined,
  models: Readonly<Record<string, string>>,
  otherwise: string,
): string {
  if (rule === undefined) return otherwise;
  const { name, action } = rule;
  if (action.kind === 'model') return action.model;
  if (action.kind === 'rung') {
    const candidates = Object.keys(models);
    return models[candidates[rungNamed(action.rung, candidates)]!]!; // it was checked when the rules were read
  }
  throw new PlimsollError(
    'invalid-input',
    `The rule "${name}" decides nothing by itself. Rules that stand alone say \`use\`: gate the others with an artifact.`,
    { place: { rule: name } },
  );
}
