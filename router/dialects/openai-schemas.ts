import {
  type FunctionTool,
  type JsonSchema,
  type Losses,
  type Path,
  type ResponseFormat,
  relaxedSchema,
  type Target,
  withoutUndefined,
} from '../targets/index.ts';
import { inputSchemaOf } from './tools.ts';

/** A function as both of OpenAI's APIs describe it. */
interface OfferedFunction {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | null | undefined;
  readonly strict?: boolean | null | undefined;
}

/** @param path - of the function, in which its parameters are */
export function functionTool(
  tool: OfferedFunction,
  path: Path,
  { takesKeyword, strictToolKeywords }: Target,
  losses: Losses,
): FunctionTool {
  const given = inputSchemaOf(tool.parameters);
  const inputSchema =
    tool.strict && strictToolKeywords && takesKeyword
      ? relaxedSchema(given as Record<string, unknown>, [...path, 'parameters'], takesKeyword, losses)
      : given;
  const further = { description: tool.description ?? undefined, strict: tool.strict || undefined };
  return { type: 'function', name: tool.name, inputSchema, ...withoutUndefined(further) };
}

interface NamedSchema {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly schema: Record<string, unknown>;
}

/** A reply that follows a schema. @param path - of the schema */
export function schemaFormat(
  { name, description, schema: given }: NamedSchema,
  path: Path,
  target: Target,
  losses: Losses,
): ResponseFormat {
  const { takesKeyword } = target;
  const schema = takesKeyword ? relaxedSchema(given, path, takesKeyword, losses) : given;
  if (!description || target.strictSchema) {
    return { type: 'json', name, schema: schema as JsonSchema, ...(description && { description }) };
  }
  // The SDK ignores a description next to the schema for providers that have no field for it.
  return { type: 'json', name, schema: { description, ...schema } as JsonSchema };
}
