import { isObject } from '../json/index.ts';
import { estimateTokens } from './token-estimate.ts';

/** Of the braces, quotes and commas round a name or a value. */
const TOKENS_AROUND = 1;

/**
 * About how many tokens a value of JSON is when it is written into a prompt, as tools and their arguments are. Works through it without
 * recursion: JSON.parse lets pass what is nested a hundred thousand deep.
 */
export function jsonTokens(value: unknown): number {
  let tokens = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    tokens += TOKENS_AROUND;
    if (typeof next === 'string') tokens += estimateTokens(next);
    else if (typeof next === 'number') tokens += estimateTokens(String(next));
    else if (Array.isArray(next)) for (const item of next) open.push(item);
    else if (isObject(next)) {
      for (const name of Object.keys(next)) {
        tokens += estimateTokens(name) + TOKENS_AROUND;
        open.push(next[name]);
      }
    }
  }
  return tokens;
}
