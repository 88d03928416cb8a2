import { isObject, type JsonEdit, type JsonObject, objectIn } from '../json/index.ts';
import {
  cannotReason,
  type ModelRequest,
  refusesEffort,
  refusesSampling,
  refusesThinking,
} from '../targets/index.ts';

/** A field of the client's, and its place. */
interface PlacedField {
  readonly path: JsonEdit['path'];
  readonly value: unknown;
}

/**
 * Hints, outside of the messages, that a provider of the client's own dialect refuses: marks for other APIs, and settings of sampling and
 * reasoning that this very model does not take. A client that asks for `auto` cannot know which model it will be.
 */
export function refusedHints({ model, dialect, body }: ModelRequest): readonly PlacedField[] {
  const { kind } = model.provider;
  if (dialect === 'responses') {
    const { effort } = objectIn(body, 'reasoning');
    const refused = placed(refusesSampling(model, effort) ? changedSampling(body) : [], body);
    return cannotReason(model) ? [...refused, ...reasoningOf(body)] : refused;
  }
  if (kind !== dialect) return NONE; // servers that copy an API may take anything
  if (kind !== 'openai')
    return [...placed(samplingRefusedByClaude(body, model.id), body), ...thoughtRefused(body, model.id)];
  const refused = placed(refusedByOpenai(body, refusesSampling(model, body['reasoning_effort'])), body);
  if (cannotReason(model) && Object.hasOwn(body, 'reasoning_effort'))
    refused.push(...placed(['reasoning_effort'], body));
  if (Array.isArray(body['tools'])) refused.push(...marksOnTools(body['tools']));
  return refused;
}

function placed(names: readonly string[], body: JsonObject): PlacedField[] {
  return names.map((name) => ({ path: [name], value: body[name] }));
}

const NONE: readonly PlacedField[] = [];

/** Sampling, caching and reasoning in the words of vLLM, OpenRouter and Anthropic; OpenAI refuses fields that it does not know. */
const OTHERS = [
  'cache_control',
  'top_k',
  'min_p',
  'repetition_penalty',
  'reasoning',
  'include_reasoning',
  'thinking',
  'chat_template_kwargs',
  'enable_thinking',
  'thinking_budget',
  'repeat_penalty',
];
/** The only value that a model takes if it reasons: https://platform.openai.com/docs/guides/reasoning. */
const ONLY_DEFAULT = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };

function refusedByOpenai(body: JsonObject, refuses: boolean): string[] {
  const others = OTHERS.filter((name) => Object.hasOwn(body, name));
  if (!refuses) return others;
  return [...others, ...changedSampling(body), ...(body['logit_bias'] == null ? [] : ['logit_bias'])];
}

const ENCRYPTED = 'reasoning.encrypted_content';

/** What a request of the Responses API says about reasoning. Codex always asks for the encrypted one. */
function reasoningOf(body: JsonObject): PlacedField[] {
  const { include } = body;
  const places = Array.isArray(include) ? [...include.keys()].filter((at) => include[at] === ENCRYPTED) : [];
  return [
    ...(body['reasoning'] == null ? [] : placed(['reasoning'], body)),
    ...places.map((at): PlacedField => ({ path: ['include', at], value: ENCRYPTED })),
  ];
}

function changedSampling(body: JsonObject): string[] {
  const changed = Object.entries(ONLY_DEFAULT).filter(([name, only]) => (body[name] ?? only) !== only);
  return changed.map(([name]) => name);
}

const TOOL_MARKS = [
  ...['cache_control', 'eager_input_streaming', 'defer_loading', 'allowed_callers', 'input_examples'],
];

function marksOnTools(tools: readonly unknown[]): PlacedField[] {
  return tools.flatMap((tool, at) => {
    if (!isObject(tool)) return [];
    const { function: own } = tool;
    const inside = isObject(own) ? marksOn(own, ['tools', at, 'function']) : [];
    return [...marksOn(tool, ['tools', at]), ...inside];
  });
}

/** With what is null, which says nothing; `strict` of a function may be. */
function marksOn(holder: JsonObject, path: JsonEdit['path']): PlacedField[] {
  const isMark = (name: string) =>
    TOOL_MARKS.includes(name) || (holder[name] === null && (name !== 'strict' || path.length < 3));
  return Object.keys(holder)
    .filter(isMark)
    .map((name) => ({ path: [...path, name], value: holder[name] }));
}

/** By the table of capabilities in the AI SDK's provider. */
const WITHOUT_SAMPLING = /claude-(opus-4-[78]|(opus|sonnet|haiku|fable)-[5-9])/;
/** Those before 4.1 and 4.5 take both. */
const TAKES_BOTH = /claude-(instant|[23]|(opus|sonnet)-4(-0|-2025|@|$))/;

function samplingRefusedByClaude(body: JsonObject, id: string): string[] {
  if (WITHOUT_SAMPLING.test(id))
    return ['temperature', 'top_p', 'top_k'].filter((name) => body[name] != null);
  const both = body['temperature'] != null && body['top_p'] != null;
  return both && !TAKES_BOTH.test(id) ? ['top_p'] : [];
}

/** Effort and thinking, and what edits the context by thinking, which is refused without it. A budget may become adaptive thinking. */
function thoughtRefused(body: JsonObject, id: string): PlacedField[] {
  const refused: PlacedField[] = [];
  const config = objectIn(body, 'output_config');
  if (config['effort'] != null && refusesEffort(id)) {
    const isAlone = Object.keys(config).length === 1;
    const { effort } = config;
    refused.push({ path: isAlone ? ['output_config'] : ['output_config', 'effort'], value: effort });
  }
  const thinking = objectIn(body, 'thinking');
  const { type } = thinking;
  if (!refusesThinking(id, type)) return refused;
  if (type === 'enabled' && !refusesThinking(id, 'adaptive')) return refused; // see adaptiveThinking
  refused.push(...placed(['thinking'], body));
  const { edits } = objectIn(body, 'context_management');
  if (type !== 'disabled' && Array.isArray(edits) && edits.some(clearsThinking))
    refused.push(...placed(['context_management'], body));
  return refused;
}

function clearsThinking(edit: unknown): boolean {
  return isObject(edit) && String(edit['type']).startsWith('clear_thinking');
}
