import { type CatalogModel, requirementsOf, unmetRequirements } from '../catalog/index.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { isObject } from '../json/index.ts';
import { type Rule, rungNamed } from '../rules/index.ts';

/** What a conversation wants that people cannot give: they read and write text. Empty if they can answer it. */
export function lacksOfPeople(
  people: CatalogModel,
  { body, dialect }: Pick<UnroutedCall, 'body' | 'dialect'>,
): readonly string[] {
  const lacks: string[] = [...unmetRequirements(people, requirementsOf(body, dialect))];
  const { n, text } = body;
  const format = dialect === 'responses' ? isObject(text) && text['format'] : body['response_format'];
  if (isObject(format) && format['type'] === 'json_object') lacks.push('JSON');
  if (typeof n === 'number' && n > 1) lacks.push('several replies');
  return lacks;
}

/**
 * The model that a rule asks for: the one that it names, or that of the rung that it names or begins with; undefined if it names neither.
 * @param ladder cheapest first
 */
export function modelOfRule(
  { action }: Rule,
  ladder: readonly { readonly candidate: string; readonly model: string }[],
): string | undefined {
  if (action.kind === 'model') return action.model;
  if (action.kind !== 'rung' && action.kind !== 'at-least') return undefined;
  const candidates = ladder.map(({ candidate }) => candidate);
  return ladder[rungNamed(action.rung, candidates)]?.model;
}
