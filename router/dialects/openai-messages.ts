import { JsonScan } from '../json/index.ts';
import { cacheOptions } from './cache-mark.ts';
import { fileAt, fileOf } from './files.ts';
import type { Losses } from './losses.ts';
import type { OpenAIMessage } from './openai-schema.ts';
import { Prompt } from './prompt.ts';
import type { AssistantPart, PromptMessage, UserPart } from './sdk-types.ts';
import { laterSystemMessages, type SystemText, systemMessages } from './system-messages.ts';
import type { Target } from './target.ts';
import { unmappable } from './unmappable.ts';

type Path = readonly PropertyKey[];
type OpenAIRole<Role> = Extract<OpenAIMessage, { role: Role }>;
type UserContentPart = Exclude<NonNullable<OpenAIRole<'user'>['content']>, string>[number];

interface Mapping {
  readonly target: Target;
  readonly losses: Losses;
  readonly prompt: Prompt;
  /** Of the arguments of all calls, which are JSON inside a text. */
  readonly parsedArguments: { values: number };
}

/** As for bodies: what is expensive to parse. */
const ARGUMENTS = { maxDepth: 1_000, maxValues: 400_000 };

/** Calls and results of the older function calling have no ids: a result belongs to the call before it. */
const FUNCTION_CALL = 'function_call';

/** The conversation of a chat completion as the SDK's prompt. @param first - what goes before the client's own system prompt ends */
export function openaiPrompt(
  messages: readonly OpenAIMessage[],
  target: Target,
  losses: Losses,
  instruction?: string,
): PromptMessage[] {
  const mapping: Mapping = { target, losses, prompt: new Prompt(target), parsedArguments: { values: 0 } };
  const start = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const leading = messages.slice(0, start === -1 ? messages.length : start);
  const system = leading.flatMap((message, index) => systemTexts(message, ['messages', index], mapping));
  mapping.prompt.add(...systemMessages([...system, ...(instruction ? [{ text: instruction }] : [])], target));
  for (const [index, message] of messages.entries()) {
    if (index >= leading.length) addMessage(message, ['messages', index], mapping);
  }
  return mapping.prompt.whole();
}

function systemTexts(message: OpenAIMessage, path: Path, { target, losses }: Mapping): SystemText[] {
  const { content } = message;
  if (typeof content === 'string') return [{ text: content }];
  return (content ?? []).flatMap((part, index) =>
    part.type === 'text'
      ? [{ text: part.text, ...cacheOptions(part, [...path, 'content', index], target, losses) }]
      : [],
  );
}

function addMessage(message: OpenAIMessage, path: Path, mapping: Mapping): void {
  const { prompt, target, losses } = mapping;
  switch (message.role) {
    case 'system':
    case 'developer': {
      const texts = systemTexts(message, path, mapping).map(({ text }) => text);
      prompt.add(...laterSystemMessages(texts, path, target, losses));
      break;
    }
    case 'user':
      prompt.user(userParts(message.content, path, mapping));
      break;
    case 'assistant':
      prompt.beginTurn();
      prompt.assistant(assistantParts(message, path, mapping));
      break;
    case 'tool':
      addResult(message.tool_call_id, [...path, 'tool_call_id'], message, mapping);
      break;
    case 'function':
      addResult(FUNCTION_CALL, [...path, 'name'], message, mapping);
      break;
  }
}

function userParts(content: OpenAIRole<'user'>['content'], path: Path, mapping: Mapping): UserPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (content ?? []).map((part, index) => {
    const at = [...path, 'content', index];
    return { ...userPart(part, at, mapping), ...cacheOptions(part, at, mapping.target, mapping.losses) };
  });
}

function userPart(part: UserContentPart, path: Path, { target, losses }: Mapping): UserPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image_url': {
      const { url, detail } = part.image_url;
      if (detail && detail !== 'auto')
        losses.drop([...path, 'image_url', 'detail'], "the chosen model's provider has no place for it");
      return fileAt(url, 'image/*', target, [...path, 'image_url', 'url']);
    }
    case 'input_audio': {
      const { data, format } = part.input_audio;
      if (!target.audio)
        throw unmappable([...path, 'input_audio'], "the chosen model's provider takes no sound");
      return fileOf(`audio/${format}`, data);
    }
    case 'file': {
      const { file_data: data, filename } = part.file;
      const file = fileAt(data, 'application/pdf', target, [...path, 'file', 'file_data']);
      return { ...file, ...(filename && target.fileNames && { filename }) };
    }
  }
}

function assistantParts(message: OpenAIRole<'assistant'>, path: Path, mapping: Mapping): AssistantPart[] {
  const { content, refusal, tool_calls: calls, function_call: older } = message;
  const texts =
    typeof content === 'string'
      ? [content]
      : (content ?? []).map((part) => (part.type === 'text' ? part.text : part.refusal));
  if (refusal) texts.push(refusal);
  const made = (calls ?? []).map((call, index) => ({
    id: call.id ?? '',
    ...call.function,
    path: [...path, 'tool_calls', index, 'id'],
  }));
  if (older) made.push({ id: FUNCTION_CALL, ...older, path: [...path, 'function_call'] });
  return [
    ...texts.map((text): AssistantPart => ({ type: 'text', text })),
    ...made.map(({ arguments: input, ...call }) =>
      mapping.prompt.call({ ...call, input: inputOf(input, path, mapping) }),
    ),
  ];
}

/**
 * Other dialects carry the arguments as an object. A tool without parameters may have been called with an empty text, and a model may have
 * written what is no JSON object: then it says so, since the reply that the client sends back is not the client's fault.
 */
function inputOf(text: string, path: Path, { parsedArguments }: Mapping): unknown {
  if (text.trim() === '') return {};
  const { maxDepth, maxValues } = ARGUMENTS;
  const scan = new JsonScan({ maxDepth, maxValues: maxValues - parsedArguments.values });
  if (scan.push(Buffer.from(text)) !== undefined) {
    throw unmappable(
      path,
      `the arguments of the tool calls have more than ${maxValues} JSON values, or ${maxDepth} levels`,
    );
  }
  parsedArguments.values += scan.values;
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Said below, together with what is JSON but no object.
  }
  return { invalid_arguments: text };
}

function addResult(
  id: string,
  path: Path,
  { content }: OpenAIRole<'tool'> | OpenAIRole<'function'>,
  { prompt }: Mapping,
): void {
  const value = typeof content === 'string' ? content : (content ?? []).map(({ text }) => text).join('\n');
  const output = { type: 'text', value } as const;
  prompt.add({ role: 'tool', content: [{ type: 'tool-result', ...prompt.calledAs(id, path), output }] });
}
