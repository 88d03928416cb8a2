import { createHash } from 'node:crypto';
import { minimalInstance } from './json.ts';
import type { CachedPrompt } from './prompt-cache.ts';

/** A request in any of the three APIs: the fields that the fake provider looks at. */
export interface ChatRequest {
  readonly model: string;
  /** All text of the conversation, in order. */
  readonly text: string;
  readonly images: number;
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[];
  /** The tool that must be called; `any`: one of them; `none`: no tool may be called. */
  readonly toolChoice: { readonly name: string } | 'none' | 'any' | undefined;
  /** Results of tools in the conversation, as text, in order. */
  readonly toolResults: readonly string[];
  /** The client requests visible thinking (Anthropic's API only). */
  readonly thinking?: boolean;
  /** JSON schema of structured output. */
  readonly schema: unknown;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  /** The log-probabilities of the reply's tokens are asked for; Anthropic's API has none. */
  readonly logprobs?: boolean;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly input: string;
}

/** One turn of a scripted conversation: the calls are made together, after `say`. */
interface ScriptedTurn {
  readonly say?: string;
  readonly calls: readonly { readonly tool: string; readonly input: object }[];
}

/**
 * What the model does in an agent's conversation. A turn is played once the request has the results of all earlier turns and offers
 * the turn's tools; after the last one comes `text`, by default a text that repeats the results. Without `text` or tools, a request for JSON
 * gets the smallest instance of its schema.
 */
export interface Script {
  readonly turns: readonly ScriptedTurn[];
  readonly text?: string;
}

/** The fake provider's reply, independent of the API. */
export interface Reply {
  readonly id: string;
  readonly model: string;
  /** The text in the parts in which it is streamed; each counts as a token. */
  readonly words: readonly string[];
  readonly thinking: boolean;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: 'stop' | 'stop-sequence' | 'length' | 'tool';
  readonly stopSequence: string | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** What the prompt's cache did, if there is one. */
  readonly cached?: CachedPrompt;
  /** One a word, if they were asked for. */
  readonly logprobs?: readonly number[];
}

export interface ReplyOptions {
  readonly seed: number;
  /** Length of a reply, in words. */
  readonly words: number;
  /** Offered tools are called until the conversation has this many results. */
  readonly toolCalls: number;
  /** Log-probability of each word of a reply; by default made from the hash. */
  readonly logprob?: ((request: ChatRequest) => number) | undefined;
  /** The whole reply, such as one that was recorded; undefined for a reply made from a hash. */
  readonly answer?: ((request: ChatRequest) => string | undefined) | undefined;
  /** What replies say that their model is; by default the name that was asked for. */
  readonly modelOf?: ((name: string) => string) | undefined;
  /** Plays this conversation instead of replies made from a hash. */
  readonly script?: Script | undefined;
}

const WORDS =
  'amber birch cedar delta ember flint grove heron inlet jetty kelp larch marsh naïve otter piñon'.split(' ');

/** Deterministic: the same request and seed give the same reply. */
export function generateReply(request: ChatRequest, options: ReplyOptions): Reply {
  const digest = createHash('sha256').update(`${options.seed}\n${request.model}\n${request.text}`).digest();
  const base = {
    id: digest.toString('hex').slice(0, 24),
    model: options.modelOf?.(request.model) ?? request.model,
    inputTokens: promptTokens(request),
    thinking: request.thinking === true,
    stopSequence: undefined,
  };
  const { say, calls } = nextTurn(request, options);
  if (calls.length > 0) {
    const words = say === undefined ? [] : splitWords(say);
    const toolCalls = calls.map((call, i) => ({ id: i === 0 ? base.id : `${base.id}_${i}`, ...call }));
    const length = calls.reduce((sum, { input }) => sum + input.length, 0);
    return { ...base, words, toolCalls, finish: 'tool', outputTokens: words.length + Math.ceil(length / 4) };
  }
  const answer = options.answer?.(request);
  const text = options.script ? finalText(request, options.script) : answer;
  const words = text === undefined ? hashedWords(request, digest, options.words) : splitWords(text);
  const reply = { ...base, toolCalls: [], ...truncated(words, request) };
  if (request.logprobs !== true) return reply;
  const { logprob = () => -digest.readUInt8(0) / 256 } = options;
  return { ...reply, logprobs: reply.words.map(() => logprob(request)) };
}

/** A prompt's size, as a provider's counter and its replies give it. */
export function promptTokens({ text, images }: ChatRequest): number {
  return Math.ceil(text.length / 4) + images * 85;
}

/** The two parts in which the JSON of a tool call is streamed. */
export function halves(text: string): readonly [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

type Turn = { readonly say?: string | undefined; readonly calls: readonly Omit<ToolCall, 'id'>[] };

function nextTurn(request: ChatRequest, { script, toolCalls }: ReplyOptions): Turn {
  if (script !== undefined) return scriptedTurn(request, script);
  const tool = chooseTool(request, toolCalls);
  const input = () => JSON.stringify(minimalInstance(tool?.schema) ?? {});
  return { calls: tool === undefined ? [] : [{ name: tool.name, input: input() }] };
}

function scriptedTurn({ tools, toolResults }: ChatRequest, { turns }: Script): Turn {
  let before = 0;
  for (const { say, calls } of turns) {
    if (toolResults.length <= before) {
      const offered = calls.every(({ tool }) => tools.some(({ name }) => name === tool));
      if (!offered) break;
      return { say, calls: calls.map(({ tool, input }) => ({ name: tool, input: JSON.stringify(input) })) };
    }
    before += calls.length;
  }
  return { calls: [] };
}

/** Agents also ask for JSON, about the task. */
function finalText({ toolResults, tools, schema }: ChatRequest, { text }: Script): string {
  if (text !== undefined) return text;
  if (schema !== undefined && tools.length === 0) return JSON.stringify(minimalInstance(schema));
  return toolResults.length === 0
    ? 'No tool was called.'
    : `The tools returned: ${toolResults.join(' and ')}`;
}

/** A text in the parts in which it is streamed. */
function splitWords(text: string): readonly string[] {
  return text.split(/(?= )/);
}

function chooseTool(
  { tools, toolChoice, toolResults }: ChatRequest,
  toolCalls: number,
): ChatRequest['tools'][number] | undefined {
  if (toolChoice === 'none') return undefined;
  if (toolChoice === 'any') return tools[0];
  if (toolChoice !== undefined) return tools.find(({ name }) => name === toolChoice.name);
  return toolResults.length < toolCalls ? tools[0] : undefined;
}

function hashedWords({ model, images, schema }: ChatRequest, digest: Buffer, count: number): string[] {
  if (schema !== undefined) return [JSON.stringify(minimalInstance(schema))];
  const head = images === 0 ? [`${model}:`] : [`${model}`, ` (${images} images):`];
  const rest = Array.from({ length: count }, (_, i) => {
    const byte = digest.readUInt8(i % digest.length);
    return ` ${WORDS[byte % WORDS.length]}`;
  });
  return [...head, ...rest];
}

/** The words up to the first stop sequence or the limit on tokens. */
function truncated(words: readonly string[], { stop, maxTokens = Number.POSITIVE_INFINITY }: ChatRequest) {
  const text = words.join('');
  const [first] = stop
    .filter((sequence) => text.includes(sequence))
    .sort((a, b) => text.indexOf(a) - text.indexOf(b));
  const stopped = first === undefined ? words : splitWords(text.slice(0, text.indexOf(first)));
  const kept = stopped.slice(0, maxTokens);
  const cut = kept.length < stopped.length;
  const finish = cut ? 'length' : first === undefined ? 'stop' : 'stop-sequence';
  return { words: kept, finish, stopSequence: cut ? undefined : first, outputTokens: kept.length } as const;
}
