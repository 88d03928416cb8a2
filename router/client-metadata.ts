import { invalidField, quoted } from './errors.ts';
import { isObject, type JsonObject } from './json/index.ts';

// OpenAI's limits: https://platform.openai.com/docs/api-reference/conversations/create
const MAX_METADATA = 16;
const MAX_KEY_CHARACTERS = 64;
const MAX_VALUE_CHARACTERS = 512;

/** What a client notes of a thing of its own; empty if it notes nothing. @throws PlimsollError `invalid-input` */
export function metadataOf({ metadata }: JsonObject): JsonObject {
  if (metadata === undefined || metadata === null) return {};
  if (!isObject(metadata)) throw invalidField('metadata', 'must be an object of strings');
  const pairs = Object.entries(metadata);
  if (pairs.length > MAX_METADATA) {
    throw invalidField('metadata', `has ${pairs.length} keys, and may have ${MAX_METADATA} at most`);
  }
  for (const [key, value] of pairs) {
    if (key.length > MAX_KEY_CHARACTERS) {
      throw invalidField('metadata', `has a key that is longer than ${MAX_KEY_CHARACTERS} characters`);
    }
    if (typeof value !== 'string' || value.length > MAX_VALUE_CHARACTERS) {
      const field = `metadata.${quoted(key)}`;
      throw invalidField(field, `must be a string of at most ${MAX_VALUE_CHARACTERS} characters`);
    }
  }
  return metadata;
}
