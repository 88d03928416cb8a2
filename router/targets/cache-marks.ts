import { isObject, type JsonObject, objectsIn } from '../json/index.ts';
import {
  type CacheControl,
  type CallOptions,
  mergeProviderOptions,
  type PromptMessage,
  type ProviderOptions,
  type SdkTool,
  type Target,
} from './target.ts';

const MARK: CacheControl = { type: 'ephemeral' };

/** Whether a request, in whichever dialect, says itself what the provider may cache: a `cache_control` wherever one has a place. */
export function marksCache(body: JsonObject): boolean {
  if (isMarked(body)) return true;
  const places = ['tools', 'functions', 'messages'].flatMap((name) => objectsIn(body, name));
  return [...places, { content: body['system'] }].some((place) => isMarkedInside(place, DEEPEST));
}

/** Blocks in the result of a tool in a message: deeper there is no place for a mark. */
const DEEPEST = 2;

function isMarkedInside(holder: JsonObject, depth: number): boolean {
  if (isMarked(holder) || isMarked(holder['function'])) return true;
  return depth > 0 && objectsIn(holder, 'content').some((block) => isMarkedInside(block, depth - 1));
}

function isMarked(value: unknown): boolean {
  return isObject(value) && value['cache_control'] != null;
}

/**
 * Marks a mapped request for the provider's cache: behind the tools, behind the system prompt, and behind the last turn. Each mark covers all
 * that is before it, so three are enough; Anthropic takes four (https://platform.claude.com/docs/en/build-with-claude/prompt-caching).
 */
export function withCacheMarks(options: CallOptions, { cache, cacheOnTools }: Target): CallOptions {
  if (cache === undefined) return options;
  const mark = cache(MARK);
  const { tools, prompt } = options;
  const start = prompt.findIndex(({ role }) => role !== 'system');
  const turn = prompt.findLastIndex(({ role }) => role === 'user' || role === 'tool');
  const marked = prompt.map((message, at) => {
    if (at === start - 1) return withOptions(message, mark);
    return at === turn ? withLastPart(message, mark) : message;
  });
  return {
    ...options,
    prompt: marked,
    ...(cacheOnTools && tools !== undefined && { tools: withLastTool(tools, mark) }),
  };
}

function withLastPart(message: PromptMessage, mark: ProviderOptions): PromptMessage {
  if (message.role !== 'user' && message.role !== 'tool') return message;
  const { content } = message;
  const last = content.length - 1;
  return {
    ...message,
    content: content.map((part, at) => (at === last ? withOptions(part, mark) : part)),
  } as PromptMessage;
}

function withLastTool(tools: readonly SdkTool[], mark: ProviderOptions): SdkTool[] {
  const last = tools.findLastIndex(({ type }) => type === 'function');
  return tools.map((tool, at) => (at === last && tool.type === 'function' ? withOptions(tool, mark) : tool));
}

function withOptions<Part extends { readonly providerOptions?: ProviderOptions }>(
  part: Part,
  mark: ProviderOptions,
): Part {
  const { providerOptions } = part;
  return { ...part, providerOptions: mergeProviderOptions([providerOptions, mark])! };
}
