import type { IncomingMessage } from 'node:http';
import type { Dialect } from '../catalog/index.ts';

/** Everything under them, routes that do not exist included. Express ignores case in paths, so this does. */
const ANTHROPICS_PATHS = /^(?:\/v1)?\/messages(?:[/?]|$)/i;
const OPENAIS_PATHS = /^(?:\/v1)?\/(?:chat\/completions|embeddings)(?:[/?]|$)/i;

/**
 * Which API a client speaks, for the form of what it is told: the path's own; for a path that both APIs have, or none, Anthropic's if the
 * request names a version of it, as Anthropic's clients do.
 */
export function spokenDialect(request: IncomingMessage & { readonly originalUrl?: string }): Dialect {
  const path = request.originalUrl ?? request.url!; // Express takes off the beginning of `url`
  if (ANTHROPICS_PATHS.test(path)) return 'anthropic';
  if (OPENAIS_PATHS.test(path)) return 'openai';
  return request.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
}
