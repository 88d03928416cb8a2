import type { Dialect } from '../catalog/index.ts';
import type { Path } from './field-roles.ts';
import type { Losses } from './losses.ts';
import { takesPictures } from './picture-limits.ts';
import { canReason, refusesSampling } from './reasoning.ts';
import { createTarget, type ModelRequest, type Target } from './target.ts';

/**
 * The stop sequences that the target takes. Empty ones say nothing and are left out.
 * @returns undefined if there are none
 * @throws PlimsollError `invalid-input` that names the first that it does not take, unless the rule allows dropping it
 */
export function acceptedStops(
  stops: string | readonly string[] | undefined,
  path: Path,
  target: Target,
  losses: Losses,
): string[] | undefined {
  const accepted: string[] = [];
  for (const [at, stop] of (typeof stops === 'string' ? [stops] : (stops ?? [])).entries()) {
    if (stop === '') continue;
    const why = whyNoStop(stop, accepted.length, target);
    if (why === undefined) accepted.push(stop);
    else losses.drop(typeof stops === 'string' ? path : [...path, at], why);
  }
  return accepted.length > 0 ? accepted : undefined;
}

/**
 * As many tools as the target takes.
 * @throws PlimsollError `invalid-input` that names the first that is too many, unless the rule allows dropping it
 */
export function acceptedTools<T>(
  tools: readonly T[],
  path: Path,
  target: Target,
  losses: Losses,
): readonly T[] {
  if (tools.length <= target.maxTools) return tools;
  losses.drop(
    [...path, target.maxTools],
    `at most ${target.maxTools} tools are taken by the chosen model's provider`,
  );
  return tools.slice(0, target.maxTools);
}

/**
 * Whether a request is within the known limits of an API that speaks its dialect and gets it as it is. Limits that are not known, such as
 * those of servers that copy an API, exclude nothing.
 */
export function isWithinLimits({ model, dialect, body }: ModelRequest): boolean {
  const stops = dialect === 'openai' ? body['stop'] : body['stop_sequences'];
  const { tools, functions, logprobs } = body;
  if (thinkingBudgetOf(body) >= (model.maxOutputTokens ?? Number.POSITIVE_INFINITY)) return false;
  if (!takesPictures({ model, body })) return false;
  if (stops == null && tools == null && functions == null && logprobs !== true) return true; // nearly always
  const target = createTarget(model);
  if (logprobs === true && refusesSampling(model, body['reasoning_effort'])) return false;
  if (listOf(stops).some((stop, at) => whyNoStop(stop, at, target) !== undefined)) return false;
  const offered = [...listOf(tools), ...listOf(functions)];
  return offered.length <= target.maxTools && offered.every((tool) => hasValidName(tool, target));
}

const LIMIT_FIELDS: Readonly<Record<Dialect, readonly string[]>> = {
  openai: ['max_tokens', 'max_completion_tokens'],
  anthropic: ['max_tokens'],
  responses: ['max_output_tokens'],
};

/** The fields in which a client limits the reply. */
export function limitFields({ dialect, body }: Pick<ModelRequest, 'dialect' | 'body'>): readonly string[] {
  return LIMIT_FIELDS[dialect].filter((field) => body[field] != null);
}

interface ExceededLimit {
  /** Fields of the client's request. */
  readonly fields: readonly string[];
  /** The longest reply of the model. */
  readonly most: number;
}

/**
 * The client's limit on the reply, if it is above what the model can give at most. It asks for no longer reply, so the model's own limit
 * serves it as well; providers refuse it. Undefined if thinking, which Anthropic counts within the limit, would have no room then.
 */
export function exceededLimit(request: ModelRequest): ExceededLimit | undefined {
  const { body, model } = request;
  const { maxOutputTokens: most } = model;
  if (most === undefined) return undefined;
  const fields = limitFields(request).filter((field) => Number(body[field]) > most);
  return fields.length > 0 && thinkingBudgetOf(body) < most ? { fields, most } : undefined;
}

/** In Anthropic's dialect. */
function thinkingBudgetOf({ thinking }: ModelRequest['body']): number {
  const budget = (thinking as { readonly budget_tokens?: unknown } | null | undefined)?.budget_tokens;
  return typeof budget === 'number' ? budget : 0;
}

function hasValidName(tool: unknown, { toolName }: Target): boolean {
  const { function: own = tool } = (tool ?? {}) as { readonly function?: unknown };
  const { name } = (own ?? {}) as { readonly name?: unknown };
  return typeof name !== 'string' || toolName.test(name);
}

function whyNoStop(stop: unknown, before: number, target: Target): string | undefined {
  const { model, maxStops, blankStops } = target;
  if (model.provider.kind === 'openai' && canReason(model)) return 'the chosen model takes no stop sequences';
  if (before >= maxStops)
    return `at most ${maxStops} stop sequences are taken by the chosen model's provider`;
  const isBlank = typeof stop === 'string' && stop.trim() === '';
  return isBlank && !blankStops
    ? "the chosen model's provider takes no stop sequence of white space alone"
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value == null ? [] : [value];
}
