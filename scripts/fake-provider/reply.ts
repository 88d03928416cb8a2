import { createHash } from 'node:crypto';
import { minimalInstance } from './minimal-instance.ts';

/** What a request asks in any of the three APIs, as far as the test upstream looks at it. */
export interface Ask {
  readonly model: string;
  /** All text of the conversation, in order. */
  readonly text: string;
  readonly images: number;
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[];
  /** The tool that must be called; `none`: no tool may be. */
  readonly toolChoice: { readonly name: string } | 'none' | 'any' | undefined;
  /** Results of tools in the conversation, as text, in order. */
  readonly toolResults: readonly string[];
  /** The client wants to see the model think (Anthropic's API alone). */
  readonly thinking?: boolean;
  /** What the answer must fit. */
  readonly schema: unknown;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly input: string;
}

/** One turn of a scripted conversation: the calls are made together, after `say`. */
export interface ScriptedTurn {
  readonly say?: string;
  readonly calls: readonly { readonly tool: string; readonly input: object }[];
}

/**
 * What the model does in an agent's conversation. A turn is played once the results of all earlier ones are there and its tools
 * are offered; then comes `text`, and if there is none a text that repeats the results.
 */
export interface Script {
  readonly turns: readonly ScriptedTurn[];
  readonly text?: string;
}

/** What the test upstream answers, before a dialect is put on it. */
export interface Reply {
  readonly id: string;
  readonly model: string;
  /** The text in the pieces that are streamed; a word is a token. */
  readonly words: readonly string[];
  readonly thinking: boolean;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: 'stop' | 'stop-sequence' | 'length' | 'tool';
  readonly stopSequence: string | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface ReplyOptions {
  readonly seed: number;
  /** Length of an answer, in words. */
  readonly words: number;
  /** So many results must be there before an offered tool is called no more. */
  readonly toolCalls: number;
  /** Replaces what is made of a hash. */
  readonly script?: Script | undefined;
}

const WORDS =
  'amber birch cedar delta ember flint grove heron inlet jetty kelp larch marsh naïve otter piñon'.split(' ');

/** The same ask and seed give the same reply. */
export function replyTo(ask: Ask, options: ReplyOptions): Reply {
  const digest = createHash('sha256').update(`${options.seed}\n${ask.model}\n${ask.text}`).digest();
  const base = {
    id: digest.toString('hex').slice(0, 24),
    model: ask.model,
    inputTokens: Math.ceil(ask.text.length / 4) + ask.images * 85,
    thinking: ask.thinking === true,
    stopSequence: undefined,
  };
  const { say, calls } = turnFor(ask, options);
  if (calls.length > 0) {
    const words = say === undefined ? [] : pieces(say);
    const toolCalls = calls.map((call, at) => ({ id: at === 0 ? base.id : `${base.id}_${at}`, ...call }));
    const length = calls.reduce((sum, { input }) => sum + input.length, 0);
    return { ...base, words, toolCalls, finish: 'tool', outputTokens: words.length + Math.ceil(length / 4) };
  }
  const words = options.script ? pieces(lastWords(ask, options.script)) : wordsOf(ask, digest, options.words);
  return { ...base, toolCalls: [], ...ended(words, ask) };
}

type Turn = { readonly say?: string | undefined; readonly calls: readonly Omit<ToolCall, 'id'>[] };

function turnFor(ask: Ask, { script, toolCalls }: ReplyOptions): Turn {
  if (script !== undefined) return scriptedTurn(ask, script);
  const tool = toolFor(ask, toolCalls);
  const input = () => JSON.stringify(minimalInstance(tool?.schema) ?? {});
  return { calls: tool === undefined ? [] : [{ name: tool.name, input: input() }] };
}

function scriptedTurn({ tools, toolResults }: Ask, { turns }: Script): Turn {
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

function lastWords({ toolResults }: Ask, { text }: Script): string {
  if (text !== undefined) return text;
  return toolResults.length === 0
    ? 'No tool was called.'
    : `The tools returned: ${toolResults.join(' and ')}`;
}

/** A text in the pieces in which it is streamed. */
function pieces(text: string): readonly string[] {
  return text.split(/(?= )/);
}

function toolFor(
  { tools, toolChoice, toolResults }: Ask,
  toolCalls: number,
): Ask['tools'][number] | undefined {
  if (toolChoice === 'none') return undefined;
  if (toolChoice === 'any') return tools[0];
  if (toolChoice !== undefined) return tools.find(({ name }) => name === toolChoice.name);
  return toolResults.length < toolCalls ? tools[0] : undefined;
}

function wordsOf({ model, images, schema }: Ask, digest: Buffer, count: number): string[] {
  if (schema !== undefined) return [JSON.stringify(minimalInstance(schema))];
  const head = images === 0 ? [`${model}:`] : [`${model}`, ` (${images} images):`];
  const rest = Array.from(
    { length: count },
    (_, at) => ` ${WORDS[digest[at % digest.length] % WORDS.length]}`,
  );
  return [...head, ...rest];
}

/** The words up to the first stop sequence or the limit on tokens. */
function ended(words: readonly string[], { stop, maxTokens = Number.POSITIVE_INFINITY }: Ask) {
  const text = words.join('');
  const found = stop
    .filter((part) => text.includes(part))
    .sort((a, b) => text.indexOf(a) - text.indexOf(b))[0];
  const spoken = found === undefined ? words : pieces(text.slice(0, text.indexOf(found)));
  const kept = spoken.slice(0, maxTokens);
  const cut = kept.length < spoken.length;
  const finish = cut ? 'length' : found === undefined ? 'stop' : 'stop-sequence';
  return { words: kept, finish, stopSequence: cut ? undefined : found, outputTokens: kept.length } as const;
}
