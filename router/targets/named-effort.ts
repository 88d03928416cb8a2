import type { Effort } from '../catalog/index.ts';
import { isObject, type JsonEdit, type JsonObject, jsonSplices, objectIn, spliced } from '../json/index.ts';
import type { ModelRequest } from './target.ts';

/** A request whose body may be there as text too. */
interface TextRequest extends ModelRequest {
  readonly bodyText?: string | undefined;
}

/** A field of the body, and what it becomes; undefined: it is left out. */
type Change = readonly [path: readonly [string, ...string[]], value: unknown];

/**
 * The request with the effort that the model's name has. The name wins: what the client says about effort and thinking itself is for another
 * choice than this one.
 * @returns the same request if its model has no effort in its name
 */
export function withNamedEffort<Request extends TextRequest>(request: Request): Request {
  const { effort } = request.model;
  if (effort === undefined) return request;
  const changes = changesFor(effort, request);
  const { bodyText } = request;
  let { body } = request;
  for (const change of changes) body = changed(body, change);
  const edits = changes.map((change) => editOf(change, request.body));
  return {
    ...request,
    body,
    ...(bodyText !== undefined && { bodyText: spliced(bodyText, jsonSplices(bodyText, edits)) }),
  };
}

/** Paths of what the client says about effort, and the model does not get because its name says something else. */
export function overruledEfforts({ model, dialect, body }: ModelRequest): readonly string[] {
  const { effort } = model;
  if (effort === undefined) return NONE;
  if (dialect === 'openai') return differs(body['reasoning_effort'], effort) ? ['reasoning_effort'] : NONE;
  if (dialect === 'responses')
    return differs(objectIn(body, 'reasoning')['effort'], effort) ? ['reasoning.effort'] : NONE;
  const { type } = objectIn(body, 'thinking');
  return [
    ...(differs(objectIn(body, 'output_config')['effort'], effort) ? ['output_config.effort'] : []),
    ...(type !== undefined && type !== thinkingFor(effort) ? ['thinking'] : []),
    ...(startsToThink(effort, body) ? samplingIn(body) : []),
  ];
}

const NONE: readonly string[] = [];

function differs(said: unknown, effort: Effort): boolean {
  return said != null && said !== effort;
}

function thinkingFor(effort: Effort): 'disabled' | 'adaptive' {
  return effort === 'none' ? 'disabled' : 'adaptive';
}

/** One that is forced to call a tool may not think. */
function startsToThink(effort: Effort, body: JsonObject): boolean {
  const isForced = ['any', 'tool'].includes(String(objectIn(body, 'tool_choice')['type']));
  return effort !== 'none' && !isForced && objectIn(body, 'thinking')['type'] !== 'adaptive';
}

/** What Claude does not take while it thinks (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). */
function samplingIn(body: JsonObject): string[] {
  return ['temperature', 'top_p', 'top_k'].filter(
    (name) => body[name] != null && !(name === 'temperature' && body[name] === 1),
  );
}

/** Claude's effort comes with adaptive thinking, as it does in mapped requests. */
function changesFor(effort: Effort, { dialect, body }: ModelRequest): Change[] {
  if (dialect === 'openai') return [[['reasoning_effort'], effort]];
  if (dialect === 'responses') return [[['reasoning', 'effort'], effort]];
  if (effort !== 'none') {
    const setting: Change = [['output_config', 'effort'], effort];
    if (!startsToThink(effort, body)) return [setting];
    const sampling = samplingIn(body).map((name): Change => [[name], undefined]);
    return [setting, [['thinking'], { type: 'adaptive' }], ...sampling];
  }
  const isOff = objectIn(body, 'thinking')['type'] === 'disabled';
  const thinking: Change[] = isOff ? [] : [[['thinking'], { type: 'disabled' }]];
  const { effort: said, ...rest } = objectIn(body, 'output_config');
  if (said === undefined) return thinking;
  const isAlone = Object.keys(rest).length === 0;
  return [[isAlone ? ['output_config'] : ['output_config', 'effort'], undefined], ...thinking];
}

function changed(body: JsonObject, [[name, inside], value]: Change): JsonObject {
  if (inside === undefined) {
    const { [name]: _, ...rest } = body;
    return value === undefined ? rest : { ...body, [name]: value };
  }
  return { ...body, [name]: changed(objectIn(body, name), [[inside], value]) };
}

function editOf([path, value]: Change, body: JsonObject): JsonEdit {
  if (value === undefined) return { path, value };
  const [name, inside] = path;
  if (inside === undefined || isObject(body[name])) return { path, value: JSON.stringify(value), add: true };
  return { path: [name], value: JSON.stringify({ [inside]: value }), add: true };
}
