import { z } from 'zod';
import { isObject, parseJson } from '../json/index.ts';
import { functionTool, jsonSchemaSchema, nameWithin } from '../sdk-terms/index.ts';
import type { FunctionTool, JsonSchema, Losses, Path, Target } from '../targets/index.ts';

const functionSchema = z.strictObject({
  type: z.literal('function'),
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchemaSchema.nullish(),
  strict: z.boolean().nullish(),
});

const customSchema = z.strictObject({
  type: z.literal('custom'),
  name: z.string(),
  description: z.string().nullish(),
  format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({
        type: z.literal('grammar'),
        syntax: z.enum(['lark', 'regex']),
        definition: z.string(),
      }),
    ])
    .nullish(),
});

const namespaceSchema = z.strictObject({
  type: z.literal('namespace'),
  name: z.string(),
  description: z.string().nullish(),
  tools: z.array(z.discriminatedUnion('type', [functionSchema, customSchema])),
});

export const responsesToolSchema = z.discriminatedUnion('type', [
  functionSchema,
  customSchema,
  namespaceSchema,
]);

type ResponsesTool = z.infer<typeof responsesToolSchema>;
type SingleTool = Exclude<ResponsesTool, { type: 'namespace' }>;

/** The only argument of a function that stands for a custom tool, which takes a text. */
const CUSTOM_INPUT = 'input';

/**
 * Tools as functions: a custom tool is a function with one text, the tools of a namespace are functions whose names begin with the
 * namespace's.
 */
export function functionTools(
  tools: readonly ResponsesTool[],
  target: Target,
  losses: Losses,
): FunctionTool[] {
  const one = (tool: SingleTool, path: Path) =>
    tool.type === 'function' ? functionTool(tool, path, target, losses) : customTool(tool, path, losses);
  return tools.flatMap((tool, at) => {
    if (tool.type !== 'namespace') return [one(tool, ['tools', at])];
    const { name: namespace, tools: inner } = tool;
    return inner.map((own, index) =>
      one({ ...own, name: nameWithin(namespace, own.name) }, ['tools', at, 'tools', index]),
    );
  });
}

function customTool(
  { name, description, format }: Extract<SingleTool, { type: 'custom' }>,
  path: Path,
  losses: Losses,
): FunctionTool {
  if (format?.type === 'grammar')
    losses.approximate([...path, 'format'], "the chosen model's provider holds no tool to a grammar");
  const described = [description ?? '', grammarText(format)].filter((text) => text !== '').join('\n\n');
  return {
    type: 'function',
    name,
    inputSchema: CUSTOM_SCHEMA,
    ...(described !== '' && { description: described }),
  };
}

const CUSTOM_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    [CUSTOM_INPUT]: { type: 'string', description: 'The whole input of the tool, as plain text.' },
  },
  required: [CUSTOM_INPUT],
  additionalProperties: false,
};

function grammarText(format: Extract<ResponsesTool, { type: 'custom' }>['format']): string {
  if (format?.type !== 'grammar') return '';
  return `The input must match this grammar (${format.syntax}):\n${format.definition}`;
}

/** The text for a custom tool as the input of the function that stands for it. */
export function customInput(text: string): Readonly<Record<string, unknown>> {
  return { [CUSTOM_INPUT]: text };
}

/** The other way. A model that did not keep to the schema gets its input through as it is. */
export function customText(input: string): string {
  const parsed = parseJson(input);
  const text = isObject(parsed) ? parsed[CUSTOM_INPUT] : undefined;
  return typeof text === 'string' ? text : input;
}
