import type { IncomingMessage, ServerResponse } from 'node:http';

/** A page, a file or a redirect, before it is sent. */
export interface PageResponse {
  readonly status: number;
  readonly body?: string | Uint8Array;
  /** Default: HTML. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Nothing from elsewhere, nothing inline, no frames; forms go to this server alone. `same-origin`, since browsers that send no referrer at
 * all send no Origin with a form either.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  vary: 'accept, cookie',
};

/** No-op if the browser has left. */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: PageResponse): void {
  request.resume(); // lets the browser finish sending and read the response
  if (response.destroyed || response.headersSent) return;
  const { status, body = '', type = 'text/html; charset=utf-8', headers } = page;
  response.writeHead(
    status,
    pageHeaders(type, { 'content-length': String(Buffer.byteLength(body)), ...headers }),
  );
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function pageHeaders(
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...HEADERS, 'content-type': type, ...headers };
}

/** To be loaded with GET, also after a form. */
export function redirect(to: string, headers: Readonly<Record<string, string>> = {}): PageResponse {
  return { status: 303, headers: { location: to, ...headers } };
}
