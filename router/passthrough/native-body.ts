import { isObject, jsonSplices, spliced } from '../json/index.ts';
import { exceededLimit, type ModelRequest, refusesThinking, type UnmappableRule } from '../targets/index.ts';
import { cacheMarkEdits } from './cache-marks.ts';
import { createWork, remove, removeForeign, set, type Work } from './conversation-edits.ts';
import { editAnthropic, editBlocks } from './edit-anthropic.ts';
import { editOpenai } from './edit-openai.ts';
import { refusedHints } from './refused-hints.ts';
import { type NativeBody, responsesBody } from './responses-body.ts';
import { withResultsInOrder } from './result-order.ts';

/**
 * The client's own text, with its conversation in a form that this kind of provider takes: clients send replies of any model back, with
 * ids that it refuses, empty texts, empty lists and fields of other APIs, and results of tools behind other content. Hints that this model
 * refuses are left out, and a limit above its longest reply is lowered. The rules are those of
 * mapped requests, as far as this kind of provider refuses; what it takes stays, byte for byte. Nothing is changed if no message would be
 * left: then the provider's refusal says why.
 * @param rule with `refuse`, only what says nothing is left out
 */
export function nativeBody(
  { model, dialect, body }: ModelRequest,
  bodyText: string,
  rule: UnmappableRule,
): NativeBody {
  if (dialect === 'responses') return responsesBody({ model, dialect, body }, bodyText, rule);
  const { messages, system } = body;
  const unchanged = { text: bodyText, dropped: [] };
  if (!Array.isArray(messages)) return unchanged;
  const work = createWork(model.provider.kind, rule);
  const edit = dialect === 'anthropic' ? editAnthropic : editOpenai;
  let kept = 0;
  for (let at = 0; at < messages.length; at++) {
    const message: unknown = messages[at];
    const path = ['messages', at];
    if (!isObject(message) || edit(message, path, work) === 'kept') kept++;
    else remove(work, path);
  }
  if (kept === 0) return unchanged;
  if (dialect === 'anthropic' && Array.isArray(system) && system.length > 0) {
    if (editBlocks(system, ['system'], 'system', work) === 0) remove(work, ['system']);
  }
  for (const { path, value } of refusedHints({ model, dialect, body })) removeForeign(work, path, value);
  if (work.kind === 'anthropic') {
    adaptiveThinking({ model, body }, work);
    if (model.cachePrompts) work.edits.push(...cacheMarkEdits(body));
  }
  lowerLimit({ model, dialect, body }, work);
  setSchemaFormat(body['response_format'], work);
  const { edits, dropped, misplaced } = work;
  const text = edits.length > 0 ? spliced(bodyText, jsonSplices(bodyText, edits)) : bodyText;
  return { text: misplaced ? withResultsInOrder(text, dialect) : text, dropped };
}

/** A limit above the longest reply of the model, which its provider would refuse, becomes the latter. */
function lowerLimit(request: ModelRequest, work: Work): void {
  const exceeded = exceededLimit(request);
  if (exceeded === undefined || work.rule === 'refuse') return;
  for (const field of exceeded.fields) {
    set(work, [field], exceeded.most);
    work.dropped.push(field);
  }
}

/** Thinking within a budget, which the newest Claude models refuse, becomes adaptive. */
function adaptiveThinking({ model: { id }, body }: Pick<ModelRequest, 'model' | 'body'>, work: Work): void {
  const { thinking } = body;
  if (!isObject(thinking) || thinking['type'] !== 'enabled' || work.rule === 'refuse') return;
  if (!refusesThinking(id, 'enabled') || refusesThinking(id, 'adaptive')) return;
  set(work, ['thinking', 'type'], 'adaptive');
  removeForeign(work, ['thinking', 'budget_tokens'], thinking['budget_tokens']);
}

/** A schema next to `json_object` is the form of other servers with this API. OpenAI has a format of its own for it. */
function setSchemaFormat(format: unknown, work: Work): void {
  if (work.kind !== 'openai' || !isObject(format) || format['type'] !== 'json_object') return;
  const { schema } = format;
  if (schema === null) remove(work, ['response_format', 'schema']);
  if (!isObject(schema)) return;
  set(work, ['response_format'], { type: 'json_schema', json_schema: { name: 'response', schema } });
}
