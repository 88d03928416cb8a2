import type {
  AnthropicDocument,
  AnthropicImage,
  AnthropicMessage,
  AnthropicText,
} from './anthropic-schema.ts';
import { cacheOptions } from './cache-mark.ts';
import { fileAt, fileOf } from './files.ts';
import type { Losses } from './losses.ts';
import { Prompt } from './prompt.ts';
import type { AssistantPart, FilePart, PromptMessage, ToolOutput, UserPart } from './sdk-types.ts';
import { laterSystemMessages } from './system-messages.ts';
import type { Target } from './target.ts';

type Path = readonly PropertyKey[];
type Content<Role> = NonNullable<Extract<AnthropicMessage, { role: Role }>['content']>;
type UserBlock = Exclude<Content<'user'>, string>[number];
type ToolResult = Extract<UserBlock, { type: 'tool_result' }>;
type AssistantBlock = Exclude<Content<'assistant'>, string>[number];
type ResultBlock = Exclude<NonNullable<ToolResult['content']>, string>[number];

interface Mapping {
  readonly target: Target;
  readonly losses: Losses;
  readonly prompt: Prompt;
}

/** The conversation of a request to Messages as the SDK's prompt. @param system - the system prompt, which goes before it */
export function anthropicPrompt(
  messages: readonly AnthropicMessage[],
  system: readonly PromptMessage[],
  target: Target,
  losses: Losses,
): PromptMessage[] {
  const last = messages.length - 1;
  if (messages[last]?.role === 'assistant' && !target.continuesAnswers) {
    losses.drop(
      ['messages', last, 'role'],
      "the chosen model's provider cannot continue an assistant's message",
    );
  }
  const mapping: Mapping = { target, losses, prompt: new Prompt(target) };
  mapping.prompt.add(...system);
  for (const [index, message] of messages.entries()) addMessage(message, ['messages', index], mapping);
  return mapping.prompt.whole();
}

function addMessage(message: AnthropicMessage, path: Path, mapping: Mapping): void {
  const { prompt, target, losses } = mapping;
  const content = message.content ?? [];
  const at = [...path, 'content'];
  switch (message.role) {
    case 'system': {
      const texts =
        typeof content === 'string' ? [content] : textsOf(content as AnthropicText[], at, mapping);
      prompt.add(...laterSystemMessages(texts, path, target, losses));
      break;
    }
    case 'user':
      if (typeof content === 'string') prompt.user([{ type: 'text', text: content }]);
      else addUserBlocks(content as UserBlock[], at, mapping);
      break;
    case 'assistant': {
      prompt.beginTurn();
      if (typeof content === 'string') prompt.assistant([{ type: 'text', text: content }]);
      else {
        const blocks = content as AssistantBlock[];
        prompt.assistant(blocks.map((block, index) => assistantPart(block, [...at, index], mapping)));
      }
    }
  }
}

/** Cache marks of later system messages have no place anywhere. */
function textsOf(blocks: readonly AnthropicText[], path: Path, { losses }: Mapping): string[] {
  return blocks.map((block, index) => {
    cacheOptions(block, [...path, index], { cache: undefined }, losses);
    return block.text;
  });
}

/** Results of tools are messages of their own in the SDK. Pictures that the target does not take in them follow as the user's. */
function addUserBlocks(blocks: readonly UserBlock[], path: Path, mapping: Mapping): void {
  const parts: UserPart[] = [];
  for (const [index, block] of blocks.entries()) {
    const at = [...path, index];
    if (block.type === 'tool_result') parts.push(...addToolResult(block, at, mapping));
    else parts.push(...userParts(block, at, mapping));
  }
  mapping.prompt.user(parts);
}

function userParts(
  block: AnthropicText | AnthropicImage | AnthropicDocument,
  path: Path,
  { target, losses }: Mapping,
): UserPart[] {
  const cache = cacheOptions(block, path, target, losses);
  if (block.type === 'text') return [{ type: 'text', text: block.text, ...cache }];
  if (block.type === 'image') return [{ ...imagePart(block, path, target), ...cache }];
  const context: UserPart[] = block.context ? [{ type: 'text', text: block.context }] : [];
  return [...context, { ...documentPart(block, path, target), ...cache }];
}

function imagePart({ source }: AnthropicImage, path: Path, target: Target): FilePart {
  if (source.type === 'url') return fileAt(source.url, 'image/*', target, [...path, 'source', 'url']);
  return fileOf(source.media_type, source.data);
}

function documentPart({ source, title }: AnthropicDocument, path: Path, target: Target): UserPart {
  const named = title && target.fileNames ? { filename: title } : {};
  switch (source.type) {
    case 'base64':
      return { ...fileOf(source.media_type, source.data), ...named };
    case 'url':
      return { ...fileAt(source.url, 'application/pdf', target, [...path, 'source', 'url']), ...named };
    case 'text':
      return { type: 'text', text: titled(title, source.data) };
    case 'content': {
      const { content } = source;
      const text = typeof content === 'string' ? content : content.map((block) => block.text).join('\n');
      return { type: 'text', text: titled(title, text) };
    }
  }
}

function titled(title: string | null | undefined, text: string): string {
  return title ? `${title}\n\n${text}` : text;
}

function assistantPart(
  block: AssistantBlock,
  path: Path,
  { target, losses, prompt }: Mapping,
): AssistantPart {
  const cache = cacheOptions(block, path, target, losses);
  if (block.type === 'text') return { type: 'text', text: block.text, ...cache };
  return { ...prompt.call({ ...block, path: [...path, 'id'] }), ...cache };
}

/** @returns what has to follow the result, because the target takes it nowhere else */
function addToolResult(block: ToolResult, path: Path, { target, losses, prompt }: Mapping): UserPart[] {
  const called = prompt.calledAs(block.tool_use_id, [...path, 'tool_use_id']);
  const { content } = block;
  const blocks: readonly ResultBlock[] =
    typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  const found = blocks.flatMap((inner, index) =>
    resultParts(inner, [...path, 'content', index], target, losses),
  );
  const texts = found.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const files = found.flatMap((part) => (part.type === 'file' ? [part] : []));
  const failed = block.is_error ?? false;
  const within = files.length > 0 && target.imagesInToolResults && files.every(isImageData);
  const output = within ? contentOutput(found, failed) : textOutput(texts.join('\n'), failed, target);
  const cache = cacheOptions(block, path, target, losses);
  prompt.add({ role: 'tool', content: [{ type: 'tool-result', ...called, output, ...cache }] });
  return within ? [] : files;
}

function resultParts(block: ResultBlock, path: Path, target: Target, losses: Losses): UserPart[] {
  cacheOptions(block, path, { cache: undefined }, losses);
  if (block.type === 'text') return [{ type: 'text', text: block.text }];
  return [block.type === 'image' ? imagePart(block, path, target) : documentPart(block, path, target)];
}

function isImageData({ mediaType, data }: FilePart): boolean {
  return mediaType.startsWith('image/') && typeof data === 'string';
}

/** If a failure cannot be marked the text says it, for the model that reads it. */
function textOutput(text: string, failed: boolean, target: Target): ToolOutput {
  const said = text === '' && !target.blankTexts ? '(no output)' : text;
  if (!failed) return { type: 'text', value: said };
  return { type: 'error-text', value: target.marksToolErrors ? said : `Error: ${said}` };
}

function contentOutput(parts: readonly UserPart[], failed: boolean): ToolOutput {
  const value = parts.map((part) =>
    part.type === 'text'
      ? { type: 'text' as const, text: part.text }
      : { type: 'image-data' as const, mediaType: part.mediaType, data: part.data as string },
  );
  return { type: 'content', value: failed ? [{ type: 'text', text: 'Error:' }, ...value] : value };
}
