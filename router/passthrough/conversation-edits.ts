import type { ProviderKind } from '../catalog/index.ts';
import { isObject, type JsonEdit, type JsonObject } from '../json/index.ts';
import {
  acceptsText,
  type CountedValues,
  fieldName,
  nativeIds,
  type Target,
  ToolCallIds,
  targetFeatures,
  type UnmappableRule,
} from '../targets/index.ts';

/** The work on one conversation. */
export interface Work {
  readonly kind: ProviderKind;
  readonly features: Pick<Target, 'blankTexts'>;
  readonly rule: UnmappableRule;
  readonly edits: JsonEdit[];
  readonly dropped: string[];
  /** Each call with the place of its message; undefined before the first one. */
  calls: ToolCallIds<number> | undefined;
  readonly inputs: CountedValues;
  /** The place of the last message of the assistant. */
  turn: number;
  /** Something else than results of tools has come since. */
  interrupted: boolean;
  /** A result does not follow its call directly. */
  misplaced: boolean;
}

export function createWork(kind: ProviderKind, rule: UnmappableRule): Work {
  return {
    kind,
    features: targetFeatures(kind),
    rule,
    edits: [],
    dropped: [],
    calls: undefined,
    inputs: { values: 0 },
    turn: -1,
    interrupted: false,
    misplaced: false,
  };
}

export type EditPath = JsonEdit['path'];
export type Kept = 'kept' | 'empty';

export function eachObject(
  list: unknown,
  path: EditPath,
  edit: (item: JsonObject, path: EditPath) => void,
): void {
  if (!Array.isArray(list)) return;
  for (let at = 0; at < list.length; at++) if (isObject(list[at])) edit(list[at], [...path, at]);
}

export function remove({ edits }: Work, path: EditPath): void {
  edits.push({ path, value: undefined });
}

/** Replaces a value, or adds a field. */
export function set(work: Work, path: EditPath, value: unknown): void {
  work.edits.push({ path, value: JSON.stringify(value), add: true });
}

/** Removes what belongs to another API: it may say something, but nothing to this provider. */
export function removeForeign(work: Work, path: EditPath, value: unknown): void {
  const says = !isNothing(value);
  if (says && work.rule === 'refuse') return;
  remove(work, path);
  if (says) work.dropped.push(fieldName(path));
}

/** An empty text is not among them: DeepSeek and Kimi want a `reasoning_content` in each turn. */
export function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

const NONE: ReadonlySet<string> = new Set();

/** Fields that are null mean the same as no field, but not every API takes them. */
export function removeNulls(holder: JsonObject, path: EditPath, work: Work, allowed = NONE): void {
  for (const name in holder) if (holder[name] === null && !allowed.has(name)) remove(work, [...path, name]);
}

/** @returns how many parts are left */
export function removeEmptyTexts(parts: readonly unknown[], path: EditPath, work: Work): number {
  let kept = 0;
  for (let at = 0; at < parts.length; at++) {
    if (isEmptyText(parts[at], work)) remove(work, [...path, at]);
    else kept++;
  }
  return kept;
}

export function isEmptyText(part: unknown, { features }: Work): boolean {
  if (!isObject(part) || part['type'] !== 'text') return false;
  const { text } = part;
  return text === null || (typeof text === 'string' && !acceptsText(text, features));
}

/** The id of a call in a form that the provider takes. Its path is made only if it changes, which is rare. */
export function editCallId(id: unknown, call: EditPath, work: Work): void {
  work.calls ??= new ToolCallIds(nativeIds(work.kind));
  const valid = work.calls.record(typeof id === 'string' ? id : '', work.turn);
  if (valid !== id) set(work, [...call, 'id'], valid);
}

/** A result gets the id of its call. One without a call stays as it is, for the provider to refuse. */
export function editResultId(result: JsonObject, name: string, path: EditPath, work: Work): void {
  const id = result[name];
  const found = work.calls?.resolve(typeof id === 'string' ? id : '');
  if (found === undefined) return;
  if (found.id !== id) set(work, [...path, name], found.id);
  if (found.call !== work.turn || work.interrupted) work.misplaced = true;
}

export function beginTurn(path: EditPath, work: Work): void {
  work.turn = Number(path[1]);
  work.interrupted = false;
}
