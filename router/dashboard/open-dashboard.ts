import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Role } from '../access/index.ts';
import { PlimsollError } from '../errors.ts';
import { openResultsDesk } from '../experiment-results/index.ts';
import { isSameOrigin } from '../loopback-host.ts';
import { html } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { recordedChange } from './change-log.ts';
import type { DashboardParts, PageListener } from './dashboard-parts.ts';
import { cookieIn, readForm } from './form.ts';
import { type Look, layout, messagePage, pageUrl, THEMES, type Theme } from './layout.ts';
import { filterFrom } from './live-rows.ts';
import { LiveStreams, MAX_STREAMS } from './live-stream.ts';
import { OPEN_ID_MS, OPEN_ID_PATH, OpenIdSignIn } from './open-id.ts';
import type { PageContext } from './page.ts';
import { type PageResponse, redirect, sendPage } from './page-response.ts';
import { CHANGES, PAGES } from './pages.ts';
import { Runs } from './playground-runs.ts';
import { streamRun } from './playground-stream.ts';
import {
  ANYBODY,
  isOwnForm,
  mayDo,
  mayUse,
  type Outcome,
  SESSION_MS,
  Sessions,
  type SignedInBy,
  type Visitor,
} from './sessions.ts';
import { LinkCheck } from './sign-in-link.ts';
import { signInPage } from './sign-in-page.ts';
import { staticFile } from './static-files.ts';

/** Signs people in, and leads requests to the pages. */
export function openDashboard(parts: DashboardParts): PageListener {
  const access = parts.gateway?.access;
  const sessions = new Sessions(access);
  const streams = new LiveStreams();
  const state = parts.gateway?.state;
  const results = state && openResultsDesk(state);
  const runs = new Runs(parts.budget);
  const { oidc } = parts.config();
  const openId = oidc && new OpenIdSignIn(oidc);
  const signInWays = { withKeys: access !== undefined, withOpenId: openId !== undefined };
  const isPublicOverTls = oidc?.url.startsWith('https:') === true;
  const isOpen = parts.isOpen && openId === undefined;
  const links = new LinkCheck(Date.now() - process.uptime() * 1_000);

  function lookOf(request: IncomingMessage): Look {
    return { theme: themeOf(request), banner: parts.banner };
  }

  async function respond(request: IncomingMessage): Promise<PageResponse> {
    const look = lookOf(request);
    const { pathname } = addressOf(request);
    const steps = pathname.replace(/\/$/, '').split('/').slice(2).map(decodeURIComponent);
    const [first = '', second = '', third = ''] = steps;
    if (pathname === '/') return redirect('/dashboard');
    const refused = refusal(request, look);
    if (refused !== undefined) return refused;
    const isPost = request.method === 'POST';
    if (first === 'files' && !isPost) return staticFile(second, third) ?? missing({ look });
    if (first === 'enter' && !isPost) return enter(request, second, look);
    if (first === OPEN_ID_PATH && !isPost && openId !== undefined && ['', 'callback'].includes(second))
      return second === 'callback' ? comeBack(request, openId, look) : leave(request, openId);
    if (first === 'sign-in' && isPost) return signIn(request, look);
    const held = cookieIn(request, cookieName(request));
    const visitor = sessions.find(held, Date.now()) ?? (isOpen ? ANYBODY : undefined);
    if (visitor === undefined) return page(401, signInPage(signInWays, look));
    if (
      visitor === ANYBODY &&
      !isPost &&
      PAGES.some(({ path, isForAnybody }) => path === first && isForAnybody)
    )
      return showAnybody(request, first, steps.slice(1), look);
    const signed = { visitor, look, held };
    return isPost ? change(request, first, signed) : show(request, first, steps.slice(1), signed);
  }

  async function signIn(request: IncomingMessage, look: Look): Promise<PageResponse> {
    const form = await readForm(request);
    if (form === undefined) return tooLong({ look });
    const key = form.get('key')?.trim();
    const found = access?.authenticate({ authorization: `Bearer ${key || 'none'}` });
    if (found?.kind !== 'ok') {
      const fault =
        found?.kind === 'expired' ? 'This API key has expired.' : 'This API key is not valid here.';
      return page(401, signInPage(signInWays, look, fault));
    }
    if (access?.roleOf(found.keyId) === undefined) {
      const fault = `This API key calls models, and opens no page: it has no role. Make one with ${COMMAND} keys create --role view.`;
      return page(403, signInPage(signInWays, look, fault));
    }
    parts.onSignIn(`key ${found.keyId} signed in`);
    return redirect('/dashboard', begun(request, { keyId: found.keyId }));
  }

  /** A browser that comes from elsewhere sends the cookie only from the next page on: this one leads there. */
  function enter(request: IncomingMessage, token: string, look: Look): PageResponse {
    if (!links.use(token, Date.now())) {
      const lines = [`It works once, within ten minutes. Run ${COMMAND} dashboard link for another one.`];
      return page(403, messagePage('This link is over', lines, { look }));
    }
    parts.onSignIn('somebody signed in by a link');
    return signedIn(request, 'link', look);
  }

  function signedIn(
    request: IncomingMessage,
    by: SignedInBy,
    look: Look,
    isSecure = isOverTls(request),
  ): PageResponse {
    const main = html`<div class="message"><h1>Signed in</h1><p><a href="/dashboard">Go on</a></p></div>`;
    const body = layout({ title: 'Signed in', look, forwardTo: '/dashboard', main });
    return { status: 200, body, headers: begun(request, by, isSecure) };
  }

  async function leave(request: IncomingMessage, provider: OpenIdSignIn): Promise<PageResponse> {
    const begun = await provider.begin(Date.now()).catch((error) => {
      parts.onSignInTrouble(`nobody can sign in with an account: ${reasonIn(error)}`);
      throw error;
    });
    return redirect(begun.address, { 'set-cookie': openIdCookie(request, begun.cookie, isPublicOverTls) });
  }

  async function comeBack(
    request: IncomingMessage,
    provider: OpenIdSignIn,
    look: Look,
  ): Promise<PageResponse> {
    const held = cookieIn(request, openIdCookieName(request));
    const outcome = await provider.end(held, addressOf(request).search, Date.now()).catch((error) => {
      parts.onSignInTrouble(`an account was not let in: ${reasonIn(error)}`);
      if (error instanceof PlimsollError && error.code === 'forbidden') return error.message;
      throw error;
    });
    if (typeof outcome === 'string') return page(403, signInPage(signInWays, look, outcome));
    parts.onSignIn(`${outcome.name} signed in with an account, with the role ${outcome.role}`);
    return signedIn(request, { person: outcome }, look, isPublicOverTls);
  }

  function begun(
    request: IncomingMessage,
    by: SignedInBy,
    isSecure = isOverTls(request),
  ): Record<string, string> {
    const value = sessions.begin(by, Date.now());
    return { 'set-cookie': cookie(request, value, SESSION_MS / 1_000, isSecure) };
  }

  async function change(request: IncomingMessage, path: string, signed: Signed): Promise<PageResponse> {
    const { visitor, held } = signed;
    const wanted = CHANGES.find((one) => one.path === path);
    const form = await readForm(request, wanted?.longestForm);
    if (form === undefined) return tooLong(signed);
    if (!isOwnForm(visitor, form.get('form') ?? undefined)) {
      const lines = ['This form was not made for this session. Nothing was changed. Load the page again.'];
      return page(403, messagePage('Not changed', lines, signed));
    }
    if (path === 'sign-out') {
      sessions.end(held);
      return redirect('/dashboard', { 'set-cookie': cookie(request, '', 0, isOverTls(request)) });
    }
    if (wanted === undefined) return missing(signed);
    if (!mayUse(visitor, wanted)) return forbidden(wanted.role, signed);
    const fault = wanted.malformed?.(form);
    if (fault !== undefined) return page(400, messagePage('Not changed', [fault], signed));
    const run = () => outcomeOf(() => wanted.run(form, contextOf(request, signed, [])));
    const outcome = await recordedChange({ wanted, form, visitor, parts, run });
    sessions.keep(held, outcome);
    const { back } = wanted;
    return redirect(pageUrl(outcome.at ?? (typeof back === 'string' ? back : back(form))));
  }

  /** With a session, so that the forms of the page have a token that other pages cannot know. */
  async function showAnybody(
    request: IncomingMessage,
    path: string,
    rest: readonly string[],
    look: Look,
  ): Promise<PageResponse> {
    const held = sessions.begin('anybody', Date.now());
    const visitor = sessions.find(held, Date.now()) ?? ANYBODY;
    const shown = await show(request, path, rest, { visitor, look, held });
    const own = cookie(request, held, SESSION_MS / 1_000, isOverTls(request));
    return { ...shown, headers: { ...shown.headers, 'set-cookie': own } };
  }

  async function show(
    request: IncomingMessage,
    path: string,
    rest: readonly string[],
    signed: Signed,
  ): Promise<PageResponse> {
    const { visitor, look, held } = signed;
    const wanted = PAGES.find((one) => one.path === path);
    const role =
      wanted === undefined ? STREAMS[`/dashboard/${path}`] : (rest.length > 0 && wanted.below) || wanted.role;
    if (role !== undefined && !mayUse(visitor, { ...wanted, role })) return forbidden(role, signed);
    if (wanted === undefined) return missing(signed);
    const outcome = sessions.take(held);
    const main = await wanted.render({ ...contextOf(request, signed, rest), outcome });
    if (main === undefined) return missing(signed);
    const { name: title, script, style } = wanted;
    return page(
      200,
      layout({
        title,
        at: path,
        visitor,
        look,
        main,
        outcome,
        ...(script && { script }),
        ...(style && { style }),
      }),
    );
  }

  function contextOf(request: IncomingMessage, { visitor }: Signed, steps: readonly string[]): PageContext {
    const { searchParams: query } = addressOf(request);
    return { parts, visitor, results, runs, query, steps, serverUrl: serverUrl(request), nowMs: Date.now() };
  }

  /** Whether the request is for a stream, which no page is; then it is responded to. */
  function stream(request: IncomingMessage, response: ServerResponse): boolean {
    const { pathname, searchParams } = addressOf(request);
    const { gateway } = parts;
    const role = STREAMS[pathname];
    if (role === undefined || request.method !== 'GET' || gateway === undefined) return false;
    if (refusal(request, lookOf(request)) !== undefined) return false;
    const held = cookieIn(request, cookieName(request));
    const visitor = () => sessions.find(held, Date.now()) ?? (isOpen ? ANYBODY : undefined);
    const maySee = (one = visitor()) => one !== undefined && mayDo(one, role);
    if (!maySee()) return false;
    const mayGoOn = () => !parts.isDraining() && maySee();
    if (pathname !== LIVE_EVENTS) {
      const run = runs.find(visitor()?.formToken, searchParams.get('run') ?? '', Date.now());
      if (run === undefined) return false;
      streamRun(run, request, response, mayGoOn);
      return true;
    }
    const options = { activity: gateway.activity, filter: filterFrom(searchParams), mayGoOn };
    if (!streams.start(request, response, options)) sendPage(request, response, TOO_MANY_STREAMS);
    return true;
  }

  return (request, response) => {
    if (stream(request, response)) return;
    void respond(request)
      .catch((error) => failurePage(error, { look: lookOf(request) }))
      .then((sent) => sendPage(request, response, sent));
  };
}

const LIVE_EVENTS = '/dashboard/live-events';
/** Whom each stream is for. */
const STREAMS: Readonly<Record<string, Role>> = {
  [LIVE_EVENTS]: 'view',
  '/dashboard/playground-events': 'operate',
};

interface Signed {
  readonly visitor: Visitor;
  readonly look: Look;
  /** The value of the cookie. */
  readonly held: string | undefined;
}

function addressOf({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'http://here');
}

/** Cookies of a host are shared by its ports. */
function cookieName({ socket }: IncomingMessage): string {
  return `plimsoll_dashboard_${socket.localPort}`;
}

function cookie(request: IncomingMessage, value: string, seconds: number, isSecure: boolean): string {
  return `${cookieName(request)}=${value}; Path=/dashboard; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isSecure ? '; Secure' : ''}`;
}

/** As the page's origin says, or a proxy in front. */
function isOverTls({ headers }: IncomingMessage): boolean {
  return headers.origin?.startsWith('https:') === true || headers['x-forwarded-proto'] === 'https';
}

function openIdCookieName(request: IncomingMessage): string {
  return `${cookieName(request)}_oidc`;
}

/** Lax: the provider, which is another site, leads back. */
function openIdCookie(request: IncomingMessage, value: string, isSecure: boolean): string {
  return `${openIdCookieName(request)}=${value}; Path=/dashboard/${OPEN_ID_PATH}; HttpOnly; SameSite=Lax; Max-Age=${OPEN_ID_MS / 1_000}${isSecure ? '; Secure' : ''}`;
}

function reasonIn(error: unknown): string {
  return error instanceof PlimsollError ? error.message : 'the page failed';
}

function themeOf(request: IncomingMessage): Theme | undefined {
  const wanted = cookieIn(request, 'plimsoll_theme');
  return THEMES.find((one) => one === wanted);
}

const HOST = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i;

/** As the browser names it. */
function serverUrl({ headers }: IncomingMessage): string {
  const { host = '', 'x-forwarded-proto': scheme } = headers;
  return `${scheme === 'https' ? 'https' : 'http'}://${HOST.test(host) ? host : 'localhost:8787'}`;
}

/** Pages elsewhere may lead here, and neither read nor change anything. */
function refusal(request: IncomingMessage, look: Look): PageResponse | undefined {
  const { method = '', headers } = request;
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    const lines = ['There is nothing here for this method.'];
    return { ...page(405, messagePage('Not here', lines, { look })), headers: { allow: 'GET, HEAD, POST' } };
  }
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  const isOwn = origin === undefined ? method !== 'POST' : isOwnOrigin(origin, headers.host);
  const isLed = site === undefined || site === 'same-origin' || site === 'none' || mode === 'navigate';
  if (isOwn && isLed) return undefined;
  const lines = ['This request was not sent by a page of this server. Nothing was changed.'];
  return page(403, messagePage('Another page', lines, { look }));
}

/** Also behind a proxy that ends TLS. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return isSameOrigin(origin.replace(/^https:/, 'http:'), host);
}

type Shown = Pick<Signed, 'look'> & Partial<Pick<Signed, 'visitor'>>;

function page(status: number, body: string): PageResponse {
  return { status, body };
}

function missing(shown: Shown): PageResponse {
  return page(404, messagePage('No such page', [html`<a href="/dashboard">Home</a>`], shown));
}

function tooLong(shown: Shown): PageResponse {
  return page(413, messagePage('Too long', ['No form of these pages is so long.'], shown));
}

/** For a script. */
const TOO_MANY_STREAMS: PageResponse = {
  status: 503,
  type: 'text/plain; charset=utf-8',
  body: `${MAX_STREAMS} pages follow the requests already, which is the most that this server serves. Close one, or reload the page to see the requests of now.\n`,
  headers: { 'retry-after': '30' },
};

function forbidden(role: Role, shown: Shown): PageResponse {
  const lines = [`This takes the role ${role}: ${COMMAND} keys create --role ${role} makes a key with it.`];
  return page(403, messagePage('Not allowed', lines, shown));
}

/** The outcome of a change; an error with a sentence for a person is shown. */
async function outcomeOf(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof PlimsollError && error.code !== 'internal')
      return { kind: 'fault', text: error.message };
    throw error;
  }
}

/** Names nothing of the machine but what the operator must fix. */
function failurePage(error: unknown, shown: Shown): PageResponse {
  if (error instanceof PlimsollError && error.code !== 'internal') {
    return page(
      error.code === 'state-unavailable' ? 503 : 500,
      messagePage('That failed', [error.message], shown),
    );
  }
  if (error instanceof URIError || error instanceof TypeError) return missing(shown);
  return page(
    500,
    messagePage('That failed', ['The page failed on this request. Nothing was changed.'], shown),
  );
}
