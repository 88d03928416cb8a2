import { type CatalogModel, EFFORTS, type Effort } from '../catalog/index.ts';
import { isObject } from '../json/index.ts';
import type { CallOptions, ProviderOptions } from './target.ts';

/** The reasoning that the client requests; both undefined if it leaves that to the model. */
export interface Reasoning {
  readonly effort: Effort | undefined;
  /** Maximum tokens of thinking. */
  readonly budgetTokens?: number | undefined;
}

/** At least one, least first. */
type Efforts = readonly [Effort, ...Effort[]];

/** The efforts that a model accepts, and the options that set one. */
interface ReasoningControl {
  readonly efforts: Efforts;
  readonly set: (effort: Effort, budgetTokens: number) => ProviderOptions;
  /**
   * Claude models before 4.6 think only if the whole request allows it: the model's last turn must begin with its signed thinking, and no
   * tool may be forced (https://docs.claude.com/en/docs/build-with-claude/extended-thinking).
   */
  readonly conditional?: boolean;
}

/** Tokens of thinking for models that take a number: the steps of Google's own OpenAI-compatible endpoint. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};
/** Claude's minimum. */
const MIN_BUDGET = 1_024;
/** How much of the client's limit an effort may think, so that a reply fits in too. */
const THINKING_SHARE = 0.8;
/** Assumed limit on output, which thinking and reply share, if the catalog has none. */
const DEFAULT_MAX_OUTPUT = 32_000;

export function effortForBudget(tokens: number): Effort {
  if (tokens <= 2_048) return 'low';
  return tokens <= 8_192 ? 'medium' : 'high';
}

/**
 * The SDK's options for the requested reasoning, at the nearest effort that the model accepts.
 * @returns undefined if the model has no control for it, could only not think at all, or this request does not allow thinking or has no room
 *   for it
 */
export function reasoningOptions(
  { effort, budgetTokens }: Reasoning,
  model: CatalogModel,
  options: CallOptions,
): ProviderOptions | undefined {
  const control = reasoningControl(model);
  if (control === undefined || effort === undefined) return undefined;
  const nearest = nearestEffort(effort, control.efforts);
  if (nearest === 'none' && effort !== 'none') return undefined;
  if (!control.conditional || nearest === 'none')
    return control.set(nearest, budgetTokens ?? BUDGETS[nearest]);
  const budget = Math.min(budgetTokens ?? BUDGETS[nearest], thinkingRoom(model, options, budgetTokens));
  return budget < MIN_BUDGET || !allowsThinking(options) ? undefined : control.set(nearest, budget);
}

/** The most tokens of thinking that leave some for the reply: Claude's limit on output is for both, and so is the client's. */
function thinkingRoom(model: CatalogModel, { maxOutputTokens: limit }: CallOptions, asked?: number): number {
  if (limit === undefined) return (model.maxOutputTokens ?? DEFAULT_MAX_OUTPUT) - MIN_BUDGET;
  const share = asked === undefined ? Math.max(MIN_BUDGET, Math.floor(limit * THINKING_SHARE)) : limit;
  return Math.min(share, limit - 1);
}

/** Tokens of thinking that options for Claude set aside. */
export function thinkingBudget({ providerOptions }: Pick<CallOptions, 'providerOptions'>): number {
  const { anthropic, bedrock } = providerOptions ?? {};
  const thinking = anthropic?.['thinking'] ?? bedrock?.['reasoningConfig'];
  return isObject(thinking) && typeof thinking['budgetTokens'] === 'number' ? thinking['budgetTokens'] : 0;
}

/** Whether the model is known to reason. */
export function canReason(model: CatalogModel): boolean {
  return reasoningControl(model) !== undefined;
}

/** Whether it is one of OpenAI's models that are known not to reason: they refuse an effort, and have no encrypted reasoning. */
export function cannotReason(model: CatalogModel): boolean {
  const { capabilities, provider } = model;
  return provider.kind === 'openai' && capabilities?.has('reasoning') === false && !canReason(model);
}

/** The efforts that the model is known to accept, least first; undefined if it is not known to reason. */
export function acceptedEfforts(model: CatalogModel): readonly Effort[] | undefined {
  return reasoningControl(model)?.efforts;
}

/**
 * Whether it is one of OpenAI's models that refuse `logprobs` and sampling settings: those that cannot be told not to reason, those that are
 * told to, and all since GPT-6 (the AI SDK's table of their capabilities).
 * @param effort that the request asks for
 */
export function refusesSampling({ id, provider }: CatalogModel, effort: unknown): boolean {
  const efforts = provider.kind === 'openai' ? gptEfforts(id) : undefined;
  if (efforts === undefined) return false;
  return !efforts.includes('none') || /^gpt-([6-9]|\d\d)/.test(id) || (effort ?? 'none') !== 'none';
}

function allowsThinking({ prompt, toolChoice }: CallOptions): boolean {
  const forced = toolChoice?.type === 'required' || toolChoice?.type === 'tool';
  const lastReply = prompt.findLastIndex(({ role }) => role === 'assistant');
  return !forced && !prompt.slice(lastReply + 1).some(({ role }) => role === 'tool');
}

/** The strongest accepted effort that is not above the wanted one, else the weakest. */
function nearestEffort(wanted: Effort, [weakest, ...stronger]: Efforts): Effort {
  const most = EFFORTS.indexOf(wanted);
  return stronger.findLast((effort) => EFFORTS.indexOf(effort) <= most) ?? weakest;
}

function reasoningControl(model: CatalogModel): ReasoningControl | undefined {
  const { id, provider, capabilities } = model;
  switch (provider.kind) {
    case 'openai': {
      const efforts = gptEfforts(id);
      return efforts && { efforts, set: (reasoningEffort) => ({ openai: { reasoningEffort } }) };
    }
    case 'openai-compatible':
      // Some servers reject the field for a model that does not reason: it is set only if the catalog says that the model does.
      return capabilities?.has('reasoning')
        ? {
            efforts: ['low', 'medium', 'high'],
            set: (reasoningEffort) => ({ openaiCompatible: { reasoningEffort } }),
          }
        : undefined;
    case 'anthropic':
      return claudeControl(id, ({ thinking, effort }) => ({
        anthropic: { ...(thinking && { thinking }), ...(effort && { effort }) },
      }));
    case 'bedrock':
      if (!id.includes('anthropic')) return undefined;
      return claudeControl(id, ({ thinking, effort: maxReasoningEffort }) => ({
        bedrock: { reasoningConfig: { ...thinking, ...(maxReasoningEffort && { maxReasoningEffort }) } },
      }));
    case 'google':
      return geminiControl(id);
    case 'mistral':
      return /^mistral-(small-(latest|2603)|medium-3\.5)$/.test(id)
        ? { efforts: ['none', 'high'], set: (reasoningEffort) => ({ mistral: { reasoningEffort } }) }
        : undefined;
  }
}

/** What each family takes: https://platform.openai.com/docs/guides/reasoning and the models' pages. */
function gptEfforts(id: string): Efforts | undefined {
  if (/^o\d/.test(id)) return /^o1-(mini|preview)/.test(id) ? undefined : ['low', 'medium', 'high'];
  const [, major, minor, variant = ''] = /^gpt-(\d+)(?:\.(\d+))?(?:-(.+))?$/.exec(id) ?? [];
  if (major === undefined || Number(major) < 5 || variant.startsWith('chat')) return undefined;
  if (Number(major) >= 6) {
    const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
    return ['gpt-6-sol', 'gpt-6-luna', 'gpt-6.1-terra'].includes(id) ? ['none', ...efforts] : efforts;
  }
  if (variant.startsWith('pro')) return ['high'];
  if (variant.includes('codex')) return ['low', 'medium', 'high'];
  if (minor === undefined) return ['minimal', 'low', 'medium', 'high'];
  return ['none', 'low', 'medium', 'high', ...(Number(minor) >= 2 ? (['xhigh'] as const) : [])];
}

interface ClaudeReasoning {
  readonly thinking?:
    | { readonly type: 'disabled' | 'adaptive' }
    | { readonly type: 'enabled'; readonly budgetTokens: number };
  readonly effort?: Effort;
}

const WITHOUT_THINKING = /claude-(instant|v?[12]|3-(haiku|sonnet|opus|5))/;
const WITH_BUDGET_ALONE = /claude-(3-7|(opus|sonnet|haiku)-4(-[015](?!\d)|-2025|@|$))/;
/** The next two by the AI SDK's table of Claude's capabilities. */
const WITHOUT_BUDGET = /claude-((opus|sonnet|haiku)-5-5|fable-5)/;
const ALWAYS_THINKS = /claude-((opus|sonnet)-5-5|fable-5)/;

/** Whether a Claude model is known to refuse `thinking` of this `type`. Nothing is known about other names. */
export function refusesThinking(id: string, type: unknown): boolean {
  switch (type) {
    case 'adaptive':
      return WITHOUT_THINKING.test(id) || WITH_BUDGET_ALONE.test(id);
    case 'enabled':
      return WITHOUT_THINKING.test(id) || WITHOUT_BUDGET.test(id);
    case 'disabled':
      return ALWAYS_THINKS.test(id);
    default:
      return false;
  }
}

/** Whether a Claude model is known to refuse `output_config.effort`. Opus 4.5 takes it, and has no adaptive thinking. */
export function refusesEffort(id: string): boolean {
  return refusesThinking(id, 'adaptive') && !id.includes('opus-4-5');
}

/** https://docs.claude.com/en/docs/build-with-claude/effort: adaptive thinking with an effort since 4.6, a budget before. */
function claudeControl(
  id: string,
  options: (reasoning: ClaudeReasoning) => ProviderOptions,
): ReasoningControl | undefined {
  if (WITHOUT_THINKING.test(id)) return undefined;
  if (WITH_BUDGET_ALONE.test(id)) {
    return {
      efforts: ['none', 'low', 'medium', 'high'],
      conditional: true,
      set: (effort, budgetTokens) =>
        effort === 'none' ? {} : options({ thinking: { type: 'enabled', budgetTokens } }),
    };
  }
  const most: readonly Effort[] = /-4-6(?!\d)/.test(id) ? ['high', 'max'] : ['high', 'xhigh', 'max'];
  return {
    efforts: ['none', 'low', 'medium', ...most],
    set: (effort) =>
      effort === 'none'
        ? options({ thinking: { type: 'disabled' } })
        : options({ thinking: { type: 'adaptive' }, effort }),
  };
}

/** https://ai.google.dev/gemini-api/docs/thinking: a budget for 2.5, a level since 3. */
function geminiControl(id: string): ReasoningControl | undefined {
  if (/gemini-(1|2\.0|pro)|gemma/.test(id) || !id.includes('gemini')) return undefined;
  if (id.includes('gemini-2.5')) {
    const least = id.includes('pro') ? 128 : 0;
    return {
      efforts: EFFORTS,
      set: (_, tokens) => ({
        google: { thinkingConfig: { thinkingBudget: Math.min(Math.max(tokens, least), 24_576) } },
      }),
    };
  }
  const pro: Efforts = id.includes('gemini-3-pro') ? ['low', 'high'] : ['low', 'medium', 'high'];
  const efforts = id.includes('-pro') ? pro : (['minimal', 'low', 'medium', 'high'] as const);
  return { efforts, set: (thinkingLevel) => ({ google: { thinkingConfig: { thinkingLevel } } }) };
}
