import { z } from 'zod';
import {
  addedByClient,
  filePart,
  filePartAt,
  laterSystemMessages,
  nameWithin,
  nullableText,
  Prompt,
  resultOutput,
  type SystemText,
  systemMessages,
} from '../sdk-terms/index.ts';
import {
  type AssistantPart,
  type CountedValues,
  type Losses,
  NO_COUNTERPART,
  type Path,
  type PromptMessage,
  type ProviderOptions,
  type Target,
  toolInput,
  type UserPart,
  unmappable,
} from '../targets/index.ts';
import { readProof } from './reasoning.ts';
import { customInput } from './tools.ts';

const inputTextSchema = z.strictObject({ type: z.literal('input_text'), text: nullableText });

const imageSchema = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string(),
  detail: z.string().nullish(),
});

const fileSchema = z
  .strictObject({
    type: z.literal('input_file'),
    file_data: z.string().nullish(),
    file_url: z.string().nullish(),
    filename: z.string().nullish(),
    detail: z.string().nullish(),
  })
  .refine(({ file_data: data, file_url: url }) => (data ?? url) != null);

const audioSchema = z.strictObject({
  type: z.literal('input_audio'),
  input_audio: z.strictObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
});

const userPartSchema = z.discriminatedUnion('type', [inputTextSchema, imageSchema, fileSchema, audioSchema]);
type UserContent = z.infer<typeof userPartSchema>;

const outputTextSchema = z.strictObject({
  type: z.enum(['output_text', 'input_text', 'text']),
  text: nullableText,
  annotations: addedByClient,
  logprobs: addedByClient,
  parsed: addedByClient,
});

const refusalSchema = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });

/** What replies have beside their content, and clients send back. */
const ECHOED = { id: addedByClient, status: addedByClient, phase: addedByClient };

const message = <Role extends string, Part extends z.ZodType>(role: readonly Role[], part: Part) =>
  z.strictObject({
    type: z.literal('message').nullish(),
    role: z.enum(role),
    content: z.union([z.string(), z.array(part)]).nullish(),
    ...ECHOED,
  });

const messageSchema = z.discriminatedUnion('role', [
  message(['system', 'developer'], inputTextSchema),
  message(['user'], userPartSchema),
  message(['assistant'], z.discriminatedUnion('type', [outputTextSchema, refusalSchema])),
]);

const callFields = { call_id: z.string(), name: z.string(), namespace: z.string().nullish(), ...ECHOED };
const resultFields = {
  call_id: z.string(),
  output: z.union([z.string(), z.array(userPartSchema)]),
  ...ECHOED,
};

const itemSchema = z.discriminatedUnion('type', [
  messageSchema,
  z.strictObject({
    type: z.literal('function_call'),
    arguments: z.string(),
    parsed_arguments: addedByClient,
    ...callFields,
  }),
  z.strictObject({ type: z.literal('custom_tool_call'), input: z.string(), ...callFields }),
  z.strictObject({ type: z.literal('function_call_output'), ...resultFields }),
  z.strictObject({ type: z.literal('custom_tool_call_output'), ...resultFields }),
  z.strictObject({
    type: z.literal('reasoning'),
    summary: z.array(z.looseObject({ text: nullableText })).nullish(),
    content: z.array(z.looseObject({ text: nullableText })).nullish(),
    encrypted_content: z.string().nullish(),
    ...ECHOED,
  }),
]);

export const responsesInputSchema = z.union([z.string(), z.array(itemSchema)]);

type Item = z.infer<typeof itemSchema>;
type Reasoning = Extract<Item, { type: 'reasoning' }>;

interface Mapping {
  readonly target: Target;
  readonly losses: Losses;
  readonly prompt: Prompt;
  readonly inputs: CountedValues;
}

/** The input of a request to the Responses API as the SDK's prompt. @param instructions - texts that go before the client's system prompt */
export function responsesPrompt(
  input: string | readonly Item[],
  instructions: readonly (string | undefined)[],
  target: Target,
  losses: Losses,
): PromptMessage[] {
  const prompt = new Prompt(target);
  const mapping: Mapping = { target, losses, prompt, inputs: { values: 0 } };
  const items: readonly Item[] =
    typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
  // Without any other message there is none for them to lead, and most APIs want one of the user.
  const start = Math.max(
    0,
    items.findIndex((item) => !isSystem(item)),
  );
  const leading = items.slice(0, start).flatMap(systemTexts);
  const given: SystemText[] = instructions.flatMap((text) => (text ? [{ text }] : []));
  prompt.add(...systemMessages([...given, ...leading], target));
  addItems(items, start, mapping);
  return prompt.finish();
}

function isSystem(item: Item): boolean {
  return 'role' in item && (item.role === 'system' || item.role === 'developer');
}

function systemTexts(item: Item): SystemText[] {
  if (!('role' in item)) return [];
  const { content } = item;
  if (typeof content === 'string') return [{ text: content }];
  return (content ?? []).flatMap((part) => ('text' in part ? [{ text: part.text }] : []));
}

/** What the model said without a break, over several items, is one message. */
function addItems(items: readonly Item[], start: number, mapping: Mapping): void {
  let turn: AssistantPart[] | undefined;
  const endTurn = () => {
    if (turn?.some(({ type }) => type !== 'reasoning')) mapping.prompt.addAssistant(turn);
    turn = undefined;
  };
  let next: ProviderOptions | undefined;
  for (const [offset, item] of items.slice(start).entries()) {
    const path = ['input', start + offset];
    if (!isOfModel(item)) {
      endTurn();
      addOther(item, path, mapping);
      continue;
    }
    if (turn === undefined) mapping.prompt.beginTurn();
    turn ??= [];
    const { parts, ofNext } = modelParts(item, path, mapping);
    next = ofNext ?? next;
    const [first, ...rest] = parts;
    if (first === undefined) continue;
    turn.push(next === undefined ? first : { ...first, providerOptions: next }, ...rest);
    next = undefined;
  }
  endTurn();
}

type ModelItem = Extract<
  Item,
  { readonly role: 'assistant' } | { readonly type: 'function_call' | 'custom_tool_call' | 'reasoning' }
>;

function isOfModel(item: Item): item is ModelItem {
  if ('role' in item) return item.role === 'assistant';
  return item.type === 'function_call' || item.type === 'custom_tool_call' || item.type === 'reasoning';
}

interface ModelParts {
  readonly parts: readonly AssistantPart[];
  /** Options for the part that follows. */
  readonly ofNext?: ProviderOptions;
}

function modelParts(item: ModelItem, path: Path, mapping: Mapping): ModelParts {
  if ('role' in item) return { parts: textParts(item) };
  if (item.type === 'reasoning') return reasoningParts(item, path, mapping);
  const input =
    item.type === 'custom_tool_call'
      ? customInput(item.input)
      : toolInput(item.arguments, path, mapping.inputs);
  const name = nameWithin(item.namespace, item.name);
  return { parts: [mapping.prompt.toolCall({ id: item.call_id, name, input, path: [...path, 'call_id'] })] };
}

function textParts({ content }: Extract<Item, { role: 'assistant' }>): AssistantPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (content ?? []).map((part) => ({
    type: 'text',
    text: part.type === 'refusal' ? part.refusal : part.text,
  }));
}

/** Only a provider's own reasoning goes back to it, with its signature: another family would refuse it, or take it for its own. */
function reasoningParts(
  { summary, encrypted_content: encrypted }: Reasoning,
  path: Path,
  { target, losses }: Mapping,
): ModelParts {
  const proof = readProof(encrypted);
  if (proof === undefined || proof.kind !== target.model.provider.kind) {
    losses.drop(path, 'it is the reasoning of another family of models');
    return { parts: [] };
  }
  if (proof.ofNext) return { parts: [], ofNext: proof.metadata };
  const text = (summary ?? []).map((one) => one.text).join('\n\n');
  return { parts: [{ type: 'reasoning', text, providerOptions: proof.metadata }] };
}

function addOther(item: Item, path: Path, mapping: Mapping): void {
  const { prompt, target, losses } = mapping;
  if ('role' in item) {
    if (item.role !== 'user') {
      const texts = systemTexts(item).map(({ text }) => text);
      prompt.add(...laterSystemMessages(texts, path, target, losses));
    } else if (typeof item.content === 'string') prompt.addUser([{ type: 'text', text: item.content }]);
    else
      prompt.addUser(
        userParts((item.content ?? []) as readonly UserContent[], [...path, 'content'], mapping),
      );
    return;
  }
  if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return;
  const call = prompt.resolveCall(item.call_id, [...path, 'call_id']);
  const parts: UserPart[] =
    typeof item.output === 'string'
      ? [{ type: 'text', text: item.output }]
      : userParts(item.output, [...path, 'output'], mapping);
  const { output, after } = resultOutput(parts, false, target);
  prompt.addToolResult({ ...call, output });
  prompt.addUser(after);
}

function userParts(content: readonly UserContent[], path: Path, mapping: Mapping): UserPart[] {
  return content.map((part, index) => userPart(part, [...path, index], mapping));
}

function userPart(part: UserContent, path: Path, { target, losses }: Mapping): UserPart {
  switch (part.type) {
    case 'input_text':
      return { type: 'text', text: part.text };
    case 'input_image':
      if (part.detail && part.detail !== 'auto') losses.drop([...path, 'detail'], NO_COUNTERPART);
      return filePartAt(part.image_url, 'image/*', target, [...path, 'image_url']);
    case 'input_file': {
      const { file_data: data, file_url: url, filename } = part;
      const field = data == null ? 'file_url' : 'file_data';
      const file = filePartAt((data ?? url)!, 'application/pdf', target, [...path, field]);
      return { ...file, ...(filename && target.fileNames && { filename }) };
    }
    case 'input_audio':
      if (!target.audio)
        throw unmappable([...path, 'input_audio'], "the chosen model's provider takes no sound");
      return filePart(`audio/${part.input_audio.format}`, part.input_audio.data);
  }
}
