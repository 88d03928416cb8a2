import { isMappedProof } from '../dialects/index.ts';
import { isObject, type JsonEdit, jsonSplices, spliced } from '../json/index.ts';
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
  const { input } = request.body;
  if (Array.isArray(input)) {
    for (let at = 0; at < input.length; at++) if (isForeign(input[at])) remove(['input', at]);
  }
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

function isForeign(item: unknown): boolean {
  return isObject(item) && item['type'] === 'reasoning' && isMappedProof(item['encrypted_content']);
}
