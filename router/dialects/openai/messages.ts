import { z } from 'zod';
import {
  addedByClient,
  cacheControlSchema,
  cacheOptions,
  emptyFieldSchema,
  filePart,
  filePartAt,
  laterSystemMessages,
  nullableText,
  Prompt,
  type SystemText,
  systemMessages,
} from '../../sdk-terms/index.ts';
import {
  type AssistantPart,
  type CountedValues,
  type Losses,
  NO_COUNTERPART,
  type Path,
  type PictureDetail,
  type PromptMessage,
  type Target,
  toolInput,
  type UserPart,
  unmappable,
} from '../../targets/index.ts';

const textSchema = z.strictObject({
  type: z.literal('text'),
  text: nullableText,
  cache_control: cacheControlSchema,
});

const imageSchema = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: z.string(), detail: z.string().nullish() }),
  cache_control: cacheControlSchema,
});

const audioSchema = z.strictObject({
  type: z.literal('input_audio'),
  input_audio: z.strictObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
  cache_control: cacheControlSchema,
});

const fileSchema = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({ file_data: z.string(), filename: z.string().nullish() }),
  cache_control: cacheControlSchema,
});

const textsSchema = z.union([z.string(), z.array(textSchema)]);

const systemSchema = z.strictObject({
  role: z.enum(['system', 'developer']),
  content: textsSchema.nullish(),
});

const userPartSchema = z.discriminatedUnion('type', [textSchema, imageSchema, audioSchema, fileSchema]);

const userSchema = z.strictObject({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(userPartSchema)]).nullish(),
});

/** Some servers write the arguments as an object, and their clients send it back. */
const calledSchema = z.strictObject({
  name: z.string(),
  arguments: z
    .unknown()
    .optional()
    .transform((written) => (typeof written === 'string' ? written : JSON.stringify(written ?? {}))),
  parsed_arguments: addedByClient,
});

const toolCallSchema = z.strictObject({
  id: z.string().nullish(),
  type: z.literal('function').nullish(),
  index: addedByClient,
  function: calledSchema,
});

/** A text of the Responses API. */
const outputTextSchema = z.object({ type: z.literal('output_text'), text: nullableText });

const refusalSchema = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });

const assistantSchema = z.strictObject({
  role: z.literal('assistant'),
  content: z
    .union([z.string(), z.array(z.discriminatedUnion('type', [textSchema, outputTextSchema, refusalSchema]))])
    .nullish(),
  // Calls that a stream numbered from 1 come back behind null.
  tool_calls: z.array(toolCallSchema.nullable()).nullish(),
  function_call: z.union([calledSchema, z.strictObject({}).transform(() => undefined)]).nullish(),
  refusal: z.string().nullish(),
  // Only fields with content are reported as dropped.
  annotations: emptyFieldSchema,
  audio: emptyFieldSchema,
  reasoning_content: emptyFieldSchema,
  reasoning: emptyFieldSchema,
  parsed: addedByClient,
});

const toolSchema = z.strictObject({
  role: z.literal('tool'),
  content: textsSchema.nullish(),
  tool_call_id: z.string().nullable(),
  name: addedByClient.describe('Repeats the name of the tool that was called.'),
});

const functionSchema = z.strictObject({
  role: z.literal('function'),
  name: z.string(),
  content: textsSchema.nullish(),
});

export const openaiMessageSchema = z.discriminatedUnion('role', [
  systemSchema,
  userSchema,
  assistantSchema,
  toolSchema,
  functionSchema,
]);

type OpenAIMessage = z.infer<typeof openaiMessageSchema>;
type User = z.infer<typeof userSchema>;
type Assistant = z.infer<typeof assistantSchema>;

interface Mapping {
  readonly target: Target;
  readonly losses: Losses;
  readonly prompt: Prompt;
  /** Detail of all pictures, if an option sets it. */
  readonly pictureDetail: PictureDetail | undefined;
  /** Counts the JSON values in the arguments of all calls, which are JSON inside a text. */
  readonly parsedArguments: CountedValues;
}

/** Calls and results of the older function calling have no ids: a result belongs to the call before it. */
const FUNCTION_CALL = 'function_call';

/**
 * The detail that all pictures of a conversation ask for. Undefined if they differ, or if there are other files: an option for the whole
 * request would look at those less closely, or at a higher price.
 */
export function commonPictureDetail(messages: readonly OpenAIMessage[]): PictureDetail | undefined {
  const details = messages.flatMap(({ role, content }) =>
    role === 'user' && Array.isArray(content) ? content.flatMap(detailOf) : [],
  );
  const [first] = details;
  if (first !== 'low' && first !== 'high') return undefined;
  return details.every((detail) => detail === first) ? first : undefined;
}

function detailOf(part: z.infer<typeof userPartSchema>): (string | null | undefined)[] {
  if (part.type === 'image_url') return [part.image_url.detail];
  return part.type === 'file' ? [undefined] : [];
}

interface PromptOptions {
  /** Appended to the client's own system prompt. */
  readonly instruction: string | undefined;
  /** Detail of all pictures, if an option of the request sets it. */
  readonly pictureDetail: PictureDetail | undefined;
}

/** The conversation of a chat completion as the SDK's prompt. */
export function openaiPrompt(
  messages: readonly OpenAIMessage[],
  target: Target,
  losses: Losses,
  { instruction, pictureDetail }: PromptOptions,
): PromptMessage[] {
  const prompt = new Prompt(target);
  const mapping: Mapping = { target, losses, prompt, pictureDetail, parsedArguments: { values: 0 } };
  // Without any other message there is none for them to lead, and most APIs want one of the user.
  const start = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const leading = messages.slice(0, Math.max(0, start));
  const system = leading.flatMap((message, index) => systemTexts(message, ['messages', index], mapping));
  mapping.prompt.add(...systemMessages([...system, ...(instruction ? [{ text: instruction }] : [])], target));
  for (const [index, message] of messages.entries()) {
    if (index >= leading.length) addMessage(message, ['messages', index], mapping);
  }
  return mapping.prompt.finish();
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
      prompt.addUser(userParts(message.content, path, mapping));
      break;
    case 'assistant':
      prompt.beginTurn();
      prompt.addAssistant(assistantParts(message, path, mapping));
      break;
    case 'tool':
      addToolResult(message.tool_call_id ?? '', [...path, 'tool_call_id'], message, prompt);
      break;
    case 'function':
      addToolResult(FUNCTION_CALL, [...path, 'name'], message, prompt);
      break;
  }
}

function userParts(content: User['content'], path: Path, mapping: Mapping): UserPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (content ?? []).map((part, index) => {
    const at = [...path, 'content', index];
    return { ...userPart(part, at, mapping), ...cacheOptions(part, at, mapping.target, mapping.losses) };
  });
}

function userPart(
  part: z.infer<typeof userPartSchema>,
  path: Path,
  { target, losses, pictureDetail }: Mapping,
): UserPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image_url': {
      const { url, detail } = part.image_url;
      if (detail && detail !== 'auto' && detail !== pictureDetail)
        losses.drop([...path, 'image_url', 'detail'], NO_COUNTERPART);
      return filePartAt(url, 'image/*', target, [...path, 'image_url', 'url']);
    }
    case 'input_audio': {
      const { data, format } = part.input_audio;
      if (!target.audio)
        throw unmappable([...path, 'input_audio'], "the chosen model's provider takes no sound");
      return filePart(`audio/${format}`, data);
    }
    case 'file': {
      const { file_data: data, filename } = part.file;
      const file = filePartAt(data, 'application/pdf', target, [...path, 'file', 'file_data']);
      return { ...file, ...(filename && target.fileNames && { filename }) };
    }
  }
}

function assistantParts(message: Assistant, path: Path, mapping: Mapping): AssistantPart[] {
  const { content, refusal, tool_calls: toolCalls, function_call: older } = message;
  const texts =
    typeof content === 'string'
      ? [content]
      : (content ?? []).map((part) => (part.type === 'refusal' ? part.refusal : part.text));
  if (refusal) texts.push(refusal);
  const calls = (toolCalls ?? []).flatMap((call, index) =>
    call === null
      ? []
      : [{ ...call.function, id: call.id ?? '', path: [...path, 'tool_calls', index, 'id'] }],
  );
  if (older) calls.push({ ...older, id: FUNCTION_CALL, path: [...path, 'function_call'] });
  return [
    ...texts.map((text): AssistantPart => ({ type: 'text', text })),
    ...calls.map(({ arguments: input, ...call }) =>
      mapping.prompt.toolCall({ ...call, input: toolInput(input, path, mapping.parsedArguments) }),
    ),
  ];
}

function addToolResult(
  id: string,
  path: Path,
  { content }: { readonly content?: z.infer<typeof textsSchema> | null | undefined },
  prompt: Prompt,
): void {
  const value = typeof content === 'string' ? content : (content ?? []).map(({ text }) => text).join('\n');
  prompt.addToolResult({ ...prompt.resolveCall(id, path), output: { type: 'text', value } });
}
