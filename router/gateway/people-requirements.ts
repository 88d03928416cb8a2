import { peopleModel, requirementsOf, unmetRequirements } from '../catalog/index.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { isObject } from '../json/index.ts';

type Conversation = Pick<UnroutedCall, 'body' | 'dialect'>;

/** All people can do the same. */
const ANYBODY = peopleModel('anybody', { costPerMinuteUsd: 0, minutes: 0 });

/** What a conversation wants that people cannot give: they read and write text. Empty if they can answer it. */
export function lacksOfPeople(
  { body, dialect }: Conversation,
  requirements = requirementsOf(body, dialect),
): readonly string[] {
  const lacks: string[] = [...unmetRequirements(ANYBODY, requirements)];
  const { n, text } = body;
  const format = dialect === 'responses' ? isObject(text) && text['format'] : body['response_format'];
  if (isObject(format) && format['type'] === 'json_object') lacks.push('JSON');
  if (typeof n === 'number' && n > 1) lacks.push('several replies');
  return lacks;
}

export function isForPeople(conversation: Conversation): boolean {
  return lacksOfPeople(conversation).length === 0;
}
