import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PlimsollError, systemErrorCode } from '../../router/errors.ts';
import { GRADING_FILES, gradingFile, type ReviewDesk } from '../../router/grading/index.ts';
import { hostnameOf, isSameOrigin, THIS_MACHINE } from '../../router/loopback-host.ts';
import { messagePage } from './layout.ts';
import { type PageResponse, type RouteContext, routeRequest } from './routes.ts';
import { Sessions } from './sessions.ts';

export interface ReviewServerOptions {
  readonly review: ReviewDesk;
  /** The file of the grades, for the command that the summary shows. */
  readonly out: string;
  /** 0 for any. */
  readonly port: number;
  /** Whether a reply may also have a score. */
  readonly withScores: boolean;
}

export interface ReviewServer {
  readonly url: string;
  /** Each works once. */
  readonly links: { readonly lead: string; readonly reviewers: ReadonlyMap<string, string> };
  /** Requests at work are finished first. */
  close(): Promise<void>;
}

/** No other address: replies are confidential, and there is no TLS. */
const ADDRESS = '127.0.0.1';
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Serves a review to browsers on this machine.
 * @throws PlimsollError `io`: the port is in use, or may not be used
 */
export async function startReviewServer(options: ReviewServerOptions): Promise<ReviewServer> {
  const { review, out, withScores } = options;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS });
  const port = await listen(server, options.port);
  const url = `http://${ADDRESS}:${port}`;
  const sessions = new Sessions();
  const linkFor = (who: Parameters<Sessions['invite']>[0]) => `${url}/enter/${sessions.invite(who)}`;
  const context: RouteContext = {
    review,
    out,
    withScores,
    sessions,
    linkFor,
    cookieName: `plimsoll_review_${port}`, // cookies of a host are shared by its ports
  };
  server.on('request', (request, response) => void handle(request, response, context));
  const reviewers = review.reviewers.map((name) => [name, linkFor({ role: 'reviewer', name })] as const);
  return {
    url,
    links: { lead: linkFor({ role: 'lead' }), reviewers: new Map(reviewers) },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const why =
        systemErrorCode(cause) === 'EADDRINUSE' ? 'is in use' : `cannot be used (${systemErrorCode(cause)})`;
      reject(
        new PlimsollError('io', `Port ${port} on ${ADDRESS} ${why}. Name another with --port, 0 for any.`, {
          cause,
        }),
      );
    });
    server.listen(port, ADDRESS, () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : port);
    });
  });
}

/**
 * Nothing from elsewhere, nothing inline, no frames; forms go to this server alone. `same-origin`, since browsers that send no referrer at
 * all send no Origin with a form either.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<void> {
  let sent: PageResponse;
  try {
    sent = refusal(request) ?? staticFile(request) ?? (await routeRequest(request, context));
  } catch (error) {
    sent = failurePage(error);
  }
  request.resume(); // lets the browser finish sending and read the response
  if (response.destroyed) return;
  const { status, body = '', type = 'text/html; charset=utf-8', headers } = sent;
  response.writeHead(status, {
    ...HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Other names than this machine's, and forms of other pages: a page elsewhere must not read replies or grade in a reviewer's name. */
function refusal({ method, url = '', headers: { host, origin } }: IncomingMessage): PageResponse | undefined {
  if (!url.startsWith('/')) return pageOf(400, 'No page', ['The address of a page begins with a slash.']);
  if (!THIS_MACHINE.includes(hostnameOf(host ?? ''))) {
    return pageOf(421, 'Another host', ['This page answers to 127.0.0.1 and localhost alone.']);
  }
  if (method === 'POST' && (origin === undefined || !isSameOrigin(origin, host))) {
    return pageOf(403, 'Another page', [
      'This form was not sent by a page of this review. Nothing was saved.',
    ]);
  }
  if (method === 'POST' || method === 'GET' || method === 'HEAD') return undefined;
  return {
    ...pageOf(405, 'Not here', ['There is nothing here for this method.']),
    headers: { allow: 'GET, HEAD, POST' },
  };
}

function pageOf(status: number, title: string, lines: readonly string[]): PageResponse {
  return { status, body: messagePage(title, lines) };
}

const FILES: Readonly<Record<string, string>> = {
  'review.css': 'text/css; charset=utf-8',
  'grading.css': 'text/css; charset=utf-8',
  'grading.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

function staticFile({ method, url = '' }: IncomingMessage): PageResponse | undefined {
  const name = url.slice(1);
  const type = method === 'POST' ? undefined : FILES[name];
  if (type === undefined) return undefined;
  const shared = GRADING_FILES.find((one) => one === name);
  if (shared !== undefined) return { status: 200, body: gradingFile(shared), type };
  const body = readFileSync(new URL(`./browser${url}`, import.meta.url), 'utf8');
  return { status: 200, body, type };
}

/** Names no text of a case, and nothing of the machine but what the operator must fix. */
function failurePage(error: unknown): PageResponse {
  if (error instanceof PlimsollError && error.code === 'io') {
    return pageOf(500, 'Not saved', [
      error.message,
      'Nothing of your last answer was saved. Go back and send it again.',
    ]);
  }
  return pageOf(500, 'That failed', ['The page failed on this request. Nothing of it was saved.']);
}
