import { isMappedProof } from '../dialects/index.ts';
import { isObject, type JsonEdit, type JsonObject, jsonSplices, spliced } from '../json/index.ts';
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
 * other families of models.
 */
export function responsesInput(body: JsonObject, bodyText: string): NativeBody {
  const paths = foreignReasoning(body);
  if (paths.length === 0) return { text: bodyText, dropped: [] };
  const edits = paths.map((path) => ({ path, value: undefined }));
  return { text: spliced(bodyText, jsonSplices(bodyText, edits)), dropped: paths.map(fieldName) };
}

/** Places of the reasoning that another family of models gave. */
function foreignReasoning({ input }: JsonObject): JsonEdit['path'][] {
  if (!Array.isArray(input)) return [];
  return [...input.keys()].filter((at) => isForeign(input[at])).map((at) => ['input', at]);
}

function isForeign(item: unknown): boolean {
  return isObject(item) && item['type'] === 'reasoning' && isMappedProof(item['encrypted_content']);
}
