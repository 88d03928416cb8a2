import { isObject, type JsonEdit, type JsonObject, jsonSplices, spliced } from '../json/index.ts';
import { isMappedProof } from '../responses-dialect/index.ts';
import { exceededLimit, fieldName, type ModelRequest, type UnmappableRule } from '../targets/index.ts';
import { refusedHints } from './refused-hints.ts';

/** A client's body for a provider that speaks its dialect. */
export interface NativeBody {
  /** JSON; nearly always the client's own. */
  readonly text: string;
  /** Paths of fields that said something and were left out. */
  readonly dropped: readonly string[];
}

/**
 * The client's own text for a provider with the Responses API. What goes is what that provider would refuse: reasoning of other families of
 * models, which a conversation brings from there, settings that this very model does not take, a limit above its longest reply.
 */
export function responsesBody(request: ModelRequest, bodyText: string, rule: UnmappableRule): NativeBody {
  const edits: JsonEdit[] = [];
  const dropped: string[] = [];
  const remove = (path: JsonEdit['path']) => {
    edits.push({ path, value: undefined });
    dropped.push(fieldName(path));
  };
  for (const path of foreignReasoning(request.body)) remove(path);
  edits.push(...parsedFields(request.body));
  if (rule !== 'refuse') {
    for (const { path } of refusedHints(request)) remove(path);
    const exceeded = exceededLimit(request);
    for (const field of exceeded?.fields ?? []) {
      edits.push({ path: [field], value: JSON.stringify(exceeded?.most) });
      dropped.push(field);
    }
  }
  return { text: edits.length > 0 ? spliced(bodyText, jsonSplices(bodyText, edits)) : bodyText, dropped };
}

/**
 * The client's own text for a route beside the Responses API that takes the same input, such as the count of its tokens, without reasoning of
 * other families of models and what libraries added.
 */
export function responsesInput(body: JsonObject, bodyText: string): NativeBody {
  const paths = foreignReasoning(body);
  const edits = [...paths.map((path) => ({ path, value: undefined })), ...parsedFields(body)];
  if (edits.length === 0) return { text: bodyText, dropped: [] };
  return { text: spliced(bodyText, jsonSplices(bodyText, edits)), dropped: paths.map(fieldName) };
}

/** Places of the reasoning that another family of models gave. */
function foreignReasoning({ input }: JsonObject): JsonEdit['path'][] {
  if (!Array.isArray(input)) return [];
  return [...input.keys()].filter((at) => isForeign(input[at])).map((at) => ['input', at]);
}

/** OpenAI's library adds them to the replies that it streams, programs send them back, and its API refuses them. */
function parsedFields({ input }: JsonObject): JsonEdit[] {
  if (!Array.isArray(input)) return [];
  const places = input.flatMap((item: unknown, at): JsonEdit['path'][] => {
    if (!isObject(item) || isForeign(item)) return [];
    const content = Array.isArray(item['content']) ? item['content'] : [];
    const parsed = [...content.keys()].filter((part) => isObject(content[part]) && 'parsed' in content[part]);
    const own: JsonEdit['path'][] = 'parsed_arguments' in item ? [['input', at, 'parsed_arguments']] : [];
    return [...own, ...parsed.map((part) => ['input', at, 'content', part, 'parsed'])];
  });
  return places.map((path) => ({ path, value: undefined }));
}

function isForeign(item: unknown): boolean {
  return isObject(item) && item['type'] === 'reasoning' && isMappedProof(item['encrypted_content']);
}
