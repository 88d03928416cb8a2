import { PlimsollError, quoted } from './errors.ts';

/** The header by which a client names the tags of a request, separated by commas. It stays here: no provider gets it. */
export const TAGS_HEADER = 'x-plimsoll-tags';

export const MAX_TAGS = 10;
export const TAG = /^[\w.-]{1,64}$/;
export const TAG_RULE = 'a tag has 1 to 64 letters, digits, dots, dashes and underscores';

/** The header by which a client says which task a request is, such as `sql`. It stays here too. */
export const TASK_HEADER = 'x-plimsoll-task';

/** What most requests have. */
export const NO_TAGS: readonly string[] = [];

/**
 * The tags of a request, by its header and, where a route has one, a field of its body: in lower case, each once, in the order given.
 * @param header a header with nothing in it names none
 * @param field tags from the body, whose form was checked
 * @throws PlimsollError `invalid-input` that says which tag is wrong, or `too-many-entries`
 */
export function requestTags(
  header: string | readonly string[] | undefined,
  field: readonly string[] = NO_TAGS,
): readonly string[] {
  if (header === undefined && field.length === 0) return NO_TAGS;
  const tags = new Set<string>();
  for (const tag of headerTags(header)) tags.add(tag);
  for (const tag of field) tags.add(tag.toLowerCase());
  if (tags.size <= MAX_TAGS) return [...tags];
  throw new PlimsollError(
    'too-many-entries',
    `A request may have ${MAX_TAGS} tags, and this one has ${tags.size}. Leave some out of ${TAGS_HEADER}.`,
    { place: { field: TAGS_HEADER } },
  );
}

function headerTags(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header?.join(',') ?? '');
  if (text.trim() === '') return NO_TAGS;
  return text.split(',').map((part, index) => {
    const tag = part.trim();
    if (TAG.test(tag)) return tag.toLowerCase();
    throw new PlimsollError(
      'invalid-input',
      `${TAGS_HEADER}: tag ${index + 1}, "${quoted(tag)}", is none: ${TAG_RULE}.`,
      { place: { field: TAGS_HEADER } },
    );
  });
}

/**
 * The task of a request, by its header or a field of its body, which comes first: in lower case; undefined if it names none.
 * @param field from the body, whose form was checked
 * @throws PlimsollError `invalid-input` if the header is no name of a task
 */
export function requestTask(
  header: string | readonly string[] | undefined,
  field?: string | undefined,
): string | undefined {
  if (field !== undefined) return field.toLowerCase();
  if (header === undefined) return undefined;
  const task = String(header).trim();
  if (task === '') return undefined;
  if (TAG.test(task)) return task.toLowerCase();
  throw new PlimsollError(
    'invalid-input',
    `${TASK_HEADER}: "${quoted(task)}" is no name of a task, which is formed as a tag: ${TAG_RULE}.`,
    { place: { field: TASK_HEADER } },
  );
}
