import type { Effort } from '../catalog/index.ts';
import {
  type CallOptions,
  canReason,
  type FunctionTool,
  type JsonSchema,
  type Losses,
  mergeProviderOptions,
  NO_COUNTERPART,
  type Path,
  type ProviderOptions,
  type ResponseFormat,
  reasoningOptions,
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

/** The options with an effort to think with. @param path - of the effort */
export function withEffort(
  options: CallOptions,
  effort: Effort | undefined,
  path: Path,
  { model }: Target,
  losses: Losses,
): CallOptions {
  if (effort === undefined) return options;
  const reasoning = reasoningOptions({ effort }, model, options);
  if (reasoning)
    return { ...options, providerOptions: mergeProviderOptions([options.providerOptions, reasoning])! };
  // `none` loses nothing on a model that does not reason.
  if (effort !== 'none' || canReason(model))
    losses.drop(path, 'the chosen model cannot be told how hard to think');
  return options;
}

interface UserFields {
  readonly user?: string | undefined;
  readonly safety_identifier?: string | undefined;
}

/** Options with the end user's id, which has two fields. */
export function userOptions(
  { user, safety_identifier: identifier }: UserFields,
  target: Target,
  losses: Losses,
): ProviderOptions | undefined {
  const id = identifier ?? user;
  if (id === undefined) return undefined;
  if (identifier !== undefined && !target.user) losses.drop(['safety_identifier'], NO_COUNTERPART);
  if (user !== undefined && (user !== id || !target.user)) losses.drop(['user'], NO_COUNTERPART);
  return target.user?.(id);
}

/** Options for `parallel_tool_calls: false`. */
export function oneToolCall(target: Target, losses: Losses): ProviderOptions | undefined {
  if (target.oneToolCall) return target.oneToolCall;
  losses.drop(['parallel_tool_calls'], "the chosen model's provider cannot be held to one tool call");
  return undefined;
}
