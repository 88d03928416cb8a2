import type { IncomingMessage, RequestListener } from 'node:http';

const GOOGLE_PATHS =
  /^\/(?:v1beta(?:[/?]|$)|v1\/models\/[^?]*:(?:generateContent|streamGenerateContent|countTokens)(?:\?|$))/i;
/** Which path OpenAI's and Anthropic's API have too. */
const SHARED_PATHS = /^\/v1\/models(?:[/?]|$)/i;
const KEY_HEADER = 'x-goog-api-key';

/** Whether a client speaks Google's API. Express takes off the beginning of `url`. */
export function speaksGoogle(request: IncomingMessage & { readonly originalUrl?: string }): boolean {
  const path = request.originalUrl ?? request.url ?? '';
  if (GOOGLE_PATHS.test(path)) return true;
  return request.headers[KEY_HEADER] !== undefined && SHARED_PATHS.test(path);
}

/**
 * Google's clients send their key as `x-goog-api-key` or as `?key=`. It is put where the others have it, and taken out of the URL, so that no
 * log and no provider sees it.
 */
export function readingGoogleKey(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (speaksGoogle(request)) moveKey(request);
    listener(request, response);
  };
}

function moveKey(request: IncomingMessage): void {
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const key = request.headers[KEY_HEADER] ?? parameters.get('key') ?? undefined;
  if (parameters.has('key')) {
    parameters.delete('key');
    request.url = parameters.size > 0 ? `${path}?${parameters}` : path;
  }
  if (key !== undefined) request.headers['x-api-key'] ??= String(key);
}
