import type { DECISION_FORMS } from '../../router/artifact/index.ts';
import { isObject, parseJson } from '../../router/json/index.ts';
import { BadRow } from '../case-files/index.ts';
import { parseCase } from '../cases/index.ts';

/** A decision as its row has it: the model that was chosen, and what the row says about its case. */
export interface StatedDecision {
  readonly model: string;
  readonly id?: string;
  readonly key?: string;
  /** The routed text of its prompt. */
  readonly text?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** How a program writes down what its router chose. */
export interface DecisionForm {
  readonly name: (typeof DECISION_FORMS)[number];
  /** For a person. */
  readonly title: string;
  /** Whether a row looks like this form: asked of the first row of a file. */
  fits(fields: Fields): boolean;
  /**
   * @returns undefined if the row is no decision, see `skips`
   * @throws BadRow: what a decision needs is missing or of a wrong type
   */
  read(fields: Fields): StatedDecision | undefined;
  /** What rows without a decision are. */
  readonly skips?: string;
}

/**
 * The predictions of RouterArena: an array of `{"global index", "prompt", "prediction", …}`, where `prediction` is the model. Rows that are
 * `for_optimality` hold what other models replied.
 * @see https://github.com/RouteWorks/RouterArena router_inference/generate_prediction_file.py
 */
const ROUTER_ARENA: DecisionForm = {
  name: 'routerarena',
  title: 'predictions of RouterArena',
  skips: 'rows for optimality, which another model answered',
  fits: (fields) => has(fields, 'global index') && has(fields, 'prediction'),
  read(fields) {
    if (fields['for_optimality'] === true || fields['for_optimality'] === 'true') return undefined;
    return decision(fields, { model: 'prediction', id: 'global index' });
  },
};

/**
 * LiteLLM's log of requests: rows of `LiteLLM_SpendLogs` (`request_id`), and `StandardLoggingPayload` (`id`). `model` is what the call went
 * to; `model_group` is what was asked for. Prompts are in `messages`, or if `store_prompts_in_spend_logs` is set in `proxy_server_request`.
 * @see https://github.com/BerriAI/litellm schema.prisma, model LiteLLM_SpendLogs
 * @see https://docs.litellm.ai/docs/proxy/logging_spec
 */
const LITELLM: DecisionForm = {
  name: 'litellm',
  title: 'a request log of LiteLLM',
  skips: 'failed calls',
  fits: (fields) => has(fields, 'call_type') && has(fields, 'model'),
  read(fields) {
    if (fields['status'] === 'failure') return undefined;
    const id = has(fields, 'request_id') ? 'request_id' : 'id';
    const prompt = liteLlmPrompt(fields);
    return decision({ ...pick(fields, ['model', id]), ...prompt }, { model: 'model', id });
  },
};

function liteLlmPrompt(fields: Fields): Fields {
  const request = unquoted(fields['proxy_server_request']);
  const body = isObject(request) && isObject(request['body']) ? request['body'] : request;
  const nested = unquoted(fields['messages']);
  const candidates = [
    nested,
    isObject(nested) ? nested['messages'] : undefined,
    isObject(body) ? body['messages'] : undefined,
  ];
  const messages = candidates.find((one) => Array.isArray(one) && one.length > 0);
  if (messages !== undefined) return { messages };
  return typeof nested === 'string' ? { prompt: nested } : {};
}

/**
 * OpenRouter's log: the export of its activity page (`generation_id`, `model_permaslug`), or replies of `GET /api/v1/generation`
 * (`{"data": {"id", "model", …}}`, where `provider_name` may be missing). Neither has the prompt.
 * @see https://openrouter.ai/docs/api/api-reference/generations/get-generation
 */
const OPEN_ROUTER: DecisionForm = {
  name: 'openrouter',
  title: 'a log of OpenRouter',
  fits(fields) {
    if (has(fields, 'generation_id')) return has(fields, 'model_permaslug');
    const { data } = fields;
    if (isObject(data)) return has(data, 'id') && has(data, 'model');
    return ['id', 'model', 'provider_name'].every((name) => has(fields, name)); // without it the row is of the own form, which reads the same
  },
  read(fields) {
    const { data } = fields;
    const own = isObject(data) ? data : fields;
    const exported = has(own, 'generation_id');
    const names = exported ? { model: 'model_permaslug', id: 'generation_id' } : { model: 'model', id: 'id' };
    return decision(pick(own, [names.model, names.id]), names);
  },
};

/** One row for each decision: `model`, and `id`, `key`, `prompt` or `messages`. */
const OWN: DecisionForm = {
  name: 'plimsoll',
  title: 'rows of id, key or prompt, and model',
  fits: (fields) =>
    has(fields, 'model') && ['id', 'key', 'prompt', 'messages'].some((name) => has(fields, name)),
  read: (fields) => decision(fields, { model: 'model', id: 'id' }),
};

/** The first that fits counts: what every form may have comes last. */
export const FORMS: readonly DecisionForm[] = [ROUTER_ARENA, OPEN_ROUTER, LITELLM, OWN];

/** The columns that the own form has, and that others may be renamed to. */
export const OWN_COLUMNS = ['id', 'key', 'prompt', 'messages', 'context', 'system', 'model'];

function decision(fields: Fields, names: { readonly model: string; readonly id: string }): StatedDecision {
  const model = nameIn(fields, names.model);
  if (model === undefined)
    throw new BadRow('missing or empty; it must name the model that was chosen', names.model);
  const id = nameIn(fields, names.id);
  const key = nameIn(fields, 'key');
  const text = routedTextOf(fields);
  if (id === undefined && key === undefined && text === undefined) {
    throw new BadRow(
      'missing or empty, and there is no key and no prompt: nothing says which case it is',
      names.id,
    );
  }
  return {
    model,
    ...(id !== undefined && { id }),
    ...(key !== undefined && { key }),
    ...(text !== undefined && { text }),
  };
}

/** The text that the router would score for the same request: cases have theirs in the same way. */
function routedTextOf(fields: Fields): string | undefined {
  const row = pick(fields, ['prompt', 'context', 'system', 'messages']);
  const messages = unquoted(row['messages']);
  if (!has(row, 'prompt') && messages === undefined) return undefined;
  return parseCase({ ...row, ...(messages !== undefined && { messages }), outcomes: {} }, '').text;
}

/** An empty name is none. */
function nameIn(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new BadRow('must be a name or a number', field);
  }
  const name = String(value).trim();
  return name === '' ? undefined : name;
}

function has(fields: Fields, field: string): boolean {
  return fields[field] !== undefined && fields[field] !== null;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (has(fields, name) ? [[name, fields[name]]] : [])));
}

/** In a table, and in some exports of a database, JSON is in a string. */
function unquoted(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value ?? undefined;
  return parseJson(value) ?? value;
}
