/** What stands in the place of a provider's key. */
export const KEY_MASK = '[key]';

/** In characters. Keys of providers have 20 and more; what is shorter is a placeholder such as `ollama`, for a server that wants none, and a word in replies. */
const SHORTEST_SECRET = 8;

/** Whether a key is one that nobody may see. */
export function isSecret(key: string | undefined): key is string {
  return key !== undefined && key.length >= SHORTEST_SECRET;
}

/** Takes a provider's key out of a text; without a secret one, the text as it is. */
export function withoutKey(text: string, key: string | undefined): string {
  return isSecret(key) ? text.replaceAll(key, KEY_MASK) : text;
}
