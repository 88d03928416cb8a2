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
  resultOutput,
} from '../../sdk-terms/index.ts';
import {
  type AssistantPart,
  type CountedValues,
  type FilePart,
  type Losses,
  type Path,
  type PromptMessage,
  type Target,
  toolInput,
  type UserPart,
} from '../../targets/index.ts';

/** What libraries add to the blocks of a reply: the place in its stream, and the text or input once more. */
export const addedToBlocks = {
  index: addedByClient,
  partial_json: addedByClient,
  parsed_output: addedByClient,
};

export const anthropicTextSchema = z.strictObject({
  type: z.literal('text'),
  text: nullableText,
  citations: emptyFieldSchema,
  cache_control: cacheControlSchema,
  ...addedToBlocks,
});

const urlSourceSchema = z.strictObject({ type: z.literal('url'), url: z.string() });

const imageSchema = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('base64'), media_type: z.string().regex(/^image\//), data: z.string() }),
    urlSourceSchema,
  ]),
  cache_control: cacheControlSchema,
});

const documentSchema = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('base64'), media_type: z.literal('application/pdf'), data: z.string() }),
    urlSourceSchema,
    z.strictObject({
      type: z.literal('text'),
      media_type: z.literal('text/plain').optional(),
      data: z.string(),
    }),
    z.strictObject({
      type: z.literal('content'),
      content: z.union([z.string(), z.array(anthropicTextSchema)]),
    }),
  ]),
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.strictObject({ enabled: z.literal(false).optional() }).nullish(),
  cache_control: cacheControlSchema,
});

const searchResultSchema = z.strictObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(anthropicTextSchema),
  citations: z.strictObject({ enabled: z.literal(false).optional() }).nullish(),
  cache_control: cacheControlSchema,
});

/** What a search among tools of the client's own found: one of the `tools`, which every other API gets from the start. */
const toolReferenceSchema = z.strictObject({
  type: z.literal('tool_reference'),
  tool_name: z.string(),
  cache_control: cacheControlSchema,
});

const resultBlockSchema = z.discriminatedUnion('type', [
  anthropicTextSchema,
  imageSchema,
  documentSchema,
  searchResultSchema,
  toolReferenceSchema,
]);

const toolResultSchema = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().nullable(),
  content: z.union([z.string(), z.array(resultBlockSchema)]).nullish(),
  is_error: z.boolean().nullish(),
  cache_control: cacheControlSchema,
});

const toolUseSchema = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().nullish(),
  name: z.string(),
  input: addedByClient.describe('An object; what is none is read as text, which LangChain keeps in it.'),
  caller: z.strictObject({ type: z.literal('direct') }).nullish(),
  cache_control: cacheControlSchema,
  ...addedToBlocks,
});

/** What a whole reply has beside its content; clients send all of it back. */
export const FIELDS_OF_REPLY: readonly string[] = [
  ...['id', 'type', 'model', 'stop_reason', 'stop_sequence', 'stop_details', 'usage', 'container'],
  'context_management',
];

const userBlockSchema = z.discriminatedUnion('type', [
  anthropicTextSchema,
  imageSchema,
  documentSchema,
  searchResultSchema,
  toolResultSchema,
]);

const assistantBlockSchema = z.discriminatedUnion('type', [anthropicTextSchema, toolUseSchema]);

const userSchema = z.strictObject({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(userBlockSchema)]).nullable(),
});

const assistantSchema = z.strictObject({
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(assistantBlockSchema)]).nullish(),
  ...Object.fromEntries(FIELDS_OF_REPLY.map((name) => [name, addedByClient])),
});

const systemSchema = z.strictObject({
  role: z.literal('system'),
  content: z.union([z.string(), z.array(anthropicTextSchema)]),
});

export const anthropicMessageSchema = z.discriminatedUnion('role', [
  userSchema,
  assistantSchema,
  systemSchema,
]);

type AnthropicMessage = z.infer<typeof anthropicMessageSchema>;
type TextBlock = z.infer<typeof anthropicTextSchema>;
type ImageBlock = z.infer<typeof imageSchema>;
type DocumentBlock = z.infer<typeof documentSchema>;
type ResultBlock = z.infer<typeof resultBlockSchema>;
type ToolResult = z.infer<typeof toolResultSchema>;

interface Mapping {
  readonly target: Target;
  readonly losses: Losses;
  readonly prompt: Prompt;
  readonly inputs: CountedValues;
}

/** The conversation of a request to Messages as the SDK's prompt. @param system - the system prompt, which goes before it */
export function anthropicPrompt(
  messages: readonly AnthropicMessage[],
  system: readonly PromptMessage[],
  target: Target,
  losses: Losses,
): PromptMessage[] {
  if (messages.at(-1)?.role === 'assistant' && !target.continuesReplies) {
    losses.drop(
      ['messages', messages.length - 1, 'role'],
      "the chosen model's provider cannot continue an assistant's message",
    );
  }
  // Without any other message they are what the user says: most APIs want a message of the user.
  const systemAnywhere = target.systemAnywhere && messages.some(({ role }) => role !== 'system');
  const mapping: Mapping = {
    target: { ...target, systemAnywhere },
    losses,
    prompt: new Prompt(target),
    inputs: { values: 0 },
  };
  mapping.prompt.add(...system);
  for (const [index, message] of messages.entries()) addMessage(message, ['messages', index], mapping);
  return mapping.prompt.finish();
}

function addMessage(message: AnthropicMessage, path: Path, mapping: Mapping): void {
  const { prompt, target, losses } = mapping;
  const at = [...path, 'content'];
  switch (message.role) {
    case 'system': {
      const { content } = message;
      const texts = typeof content === 'string' ? [content] : plainTexts(content, at, losses);
      prompt.add(...laterSystemMessages(texts, path, target, losses));
      break;
    }
    case 'user': {
      const content = message.content ?? [];
      if (typeof content === 'string') prompt.addUser([{ type: 'text', text: content }]);
      else addUserBlocks(content, at, mapping);
      break;
    }
    case 'assistant': {
      const content = message.content ?? [];
      prompt.beginTurn();
      if (typeof content === 'string') prompt.addAssistant([{ type: 'text', text: content }]);
      else {
        prompt.addAssistant(content.map((block, index) => assistantPart(block, [...at, index], mapping)));
      }
    }
  }
}

/** Cache marks of later system messages have no counterpart anywhere. */
function plainTexts(blocks: readonly TextBlock[], path: Path, losses: Losses): string[] {
  return blocks.map((block, index) => {
    cacheOptions(block, [...path, index], { cache: undefined }, losses);
    return block.text;
  });
}

/** Tool results are messages of their own in the SDK. Images that the target does not accept in them follow as the user's. */
function addUserBlocks(
  blocks: readonly z.infer<typeof userBlockSchema>[],
  path: Path,
  mapping: Mapping,
): void {
  const parts: UserPart[] = [];
  for (const [index, block] of blocks.entries()) {
    const at = [...path, index];
    if (block.type === 'tool_result') parts.push(...addToolResult(block, at, mapping));
    else parts.push(...userParts(block, at, mapping));
  }
  mapping.prompt.addUser(parts);
}

/** Blocks that no other API has, as text. */
function plainBlock(
  block: ResultBlock,
): { readonly type: 'text'; readonly text: string } | ImageBlock | DocumentBlock {
  if (block.type === 'tool_reference') return { type: 'text', text: `Tool found: ${block.tool_name}` };
  if (block.type !== 'search_result') return block;
  const { title, source, content } = block;
  return { type: 'text', text: [title, source, '', ...content.map(({ text }) => text)].join('\n') };
}

function userParts(block: ResultBlock, path: Path, { target, losses }: Mapping): UserPart[] {
  const cache = cacheOptions(block, path, target, losses);
  const plain = plainBlock(block);
  if (plain.type === 'text') return [{ type: 'text', text: plain.text, ...cache }];
  if (plain.type === 'image') return [{ ...imagePart(plain, path, target), ...cache }];
  const context: UserPart[] = plain.context ? [{ type: 'text', text: plain.context }] : [];
  return [...context, { ...documentPart(plain, path, target), ...cache }];
}

function imagePart({ source }: ImageBlock, path: Path, target: Target): FilePart {
  if (source.type === 'url') return filePartAt(source.url, 'image/*', target, [...path, 'source', 'url']);
  return filePart(source.media_type, source.data);
}

function documentPart({ source, title }: DocumentBlock, path: Path, target: Target): UserPart {
  const named = title && target.fileNames ? { filename: title } : {};
  switch (source.type) {
    case 'base64':
      return { ...filePart(source.media_type, source.data), ...named };
    case 'url':
      return {
        ...filePartAt(source.url, 'application/pdf', target, [...path, 'source', 'url']),
        ...named,
      };
    case 'text':
      return { type: 'text', text: withTitle(title, source.data) };
    case 'content': {
      const { content } = source;
      const text = typeof content === 'string' ? content : content.map((block) => block.text).join('\n');
      return { type: 'text', text: withTitle(title, text) };
    }
  }
}

function withTitle(title: string | null | undefined, text: string): string {
  return title ? `${title}\n\n${text}` : text;
}

function assistantPart(
  block: z.infer<typeof assistantBlockSchema>,
  path: Path,
  { target, losses, prompt, inputs }: Mapping,
): AssistantPart {
  const cache = cacheOptions(block, path, target, losses);
  if (block.type === 'text') return { type: 'text', text: block.text, ...cache };
  const { id, name } = block;
  const call = { id: id ?? '', name, input: toolInput(block.input, path, inputs), path: [...path, 'id'] };
  return { ...prompt.toolCall(call), ...cache };
}

/** @returns the files that must follow the result */
function addToolResult(
  block: ToolResult,
  path: Path,
  { target, losses, prompt }: Mapping,
): readonly UserPart[] {
  const call = prompt.resolveCall(block.tool_use_id ?? '', [...path, 'tool_use_id']);
  const { content } = block;
  const blocks: readonly ResultBlock[] =
    typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  const parts = blocks.map((inner, index) => resultPart(inner, [...path, 'content', index], target, losses));
  const { output, after } = resultOutput(parts, block.is_error ?? false, target);
  const cache = cacheOptions(block, path, target, losses);
  prompt.addToolResult({ ...call, output, ...cache });
  return after;
}

function resultPart(block: ResultBlock, path: Path, target: Target, losses: Losses): UserPart {
  cacheOptions(block, path, { cache: undefined }, losses);
  const plain = plainBlock(block);
  if (plain.type === 'text') return { type: 'text', text: plain.text };
  return plain.type === 'image' ? imagePart(plain, path, target) : documentPart(plain, path, target);
}
