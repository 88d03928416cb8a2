import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { OpenIdSignIn } from '../../router/dashboard/open-id.ts';
import { Sessions } from '../../router/dashboard/sessions.ts';
import { type DashboardServer, dashboardServer, formToken, sendForm, visit } from './dashboard-client.ts';

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  ann: ['staff', 'platform-admins'],
  bob: ['staff'],
  eve: ['guests'],
};
const SECRET = 'a-secret-of-the-client-that-nobody-prints';
const SECRET_VARIABLE = 'PLIMSOLL_TEST_OIDC_SECRET';
/** What browsers call the server; a proxy would lead it to the real address. */
const PUBLIC = 'https://plimsoll.example.com';

let issuer: string;
let listener: Server;

beforeAll(async () => {
  process.env[SECRET_VARIABLE] = SECRET;
  listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const client = {
    redirect_uris: [`${PUBLIC}/dashboard/oidc/callback`],
    grant_types: ['authorization_code'],
  };
  const provider = new Provider(issuer, {
    clients: [
      {
        ...client,
        client_id: 'plimsoll',
        client_secret: SECRET,
        token_endpoint_auth_method: 'client_secret_post',
      },
      { ...client, client_id: 'public', token_endpoint_auth_method: 'none' },
    ],
    // groups are at the userinfo endpoint alone, as most providers have them
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: true,
        groups: [...(GROUPS[id] ?? [])],
      }),
    }),
    cookies: { keys: ['of-this-test'] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  });
  listener.on('request', provider.callback());
});
afterAll(() => {
  delete process.env[SECRET_VARIABLE];
  return new Promise((resolve) => listener.close(resolve));
});

const oidc = (changes: object = {}) => ({
  issuer,
  client_id: 'plimsoll',
  client_secret_env: SECRET_VARIABLE,
  url: PUBLIC,
  scopes: ['openid', 'email', 'groups'],
  roles: { view: ['staff'], admin: ['platform-admins'] },
  ...changes,
});

/** What a browser has of one site. */
class Cookies {
  readonly #held = new Map<string, string>();
  keep(response: Response): void {
    for (const one of response.headers.getSetCookie()) {
      const [pair = ''] = one.split(';');
      this.#held.set(pair.slice(0, pair.indexOf('=')), pair);
    }
  }
  get header(): string {
    return Array.from(this.#held.values()).join('; ');
  }
}

/** A browser that leaves for the provider, signs in there and consents. @returns the query that it is led back with, and its cookies */
async function atProvider(server: string, account: string): Promise<{ search: string; cookie: string }> {
  const own = new Cookies();
  const left = await visit(`${server}/dashboard/oidc`);
  expect(left.status).toBe(303);
  expect(left.headers.getSetCookie()[0]).toMatch(/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/);
  own.keep(left);
  const cookies = new Cookies();
  let place = left.headers.get('location')!;
  let form: string | undefined;
  for (let steps = 0; steps < 20; steps++) {
    if (place.startsWith(PUBLIC)) return { search: new URL(place).search, cookie: own.header };
    const headers = { cookie: cookies.header, 'content-type': 'application/x-www-form-urlencoded' };
    const response = await visit(place, {
      headers,
      ...(form !== undefined && { method: 'POST', body: form }),
    });
    cookies.keep(response);
    const text = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1];
    const next = response.headers.get('location') ?? /<form[^>]* action="([^"]+)"/.exec(text)?.[1];
    if (next === undefined) throw new Error(`the provider said ${response.status}: ${text.slice(0, 500)}`);
    form = prompt === undefined ? undefined : `prompt=${prompt}&login=${account}&password=any`;
    place = new URL(next, place).href;
  }
  throw new Error('the provider leads nowhere');
}

async function comeBack(
  { url }: DashboardServer,
  { search, cookie }: { search: string; cookie: string },
): Promise<Response> {
  return visit(`${url}/dashboard/oidc/callback${search}`, { headers: { cookie } });
}

const cookieOf = (response: Response) => ({ cookie: response.headers.getSetCookie()[0]!.split(';')[0]! });

test('people sign in with their accounts, with the role of their groups, and out again', async () => {
  const server = await dashboardServer({ oidc: oidc() });
  expect(await (await visit(`${server.url}/dashboard`)).text()).toContain('href="/dashboard/oidc"');
  const back = await comeBack(server, await atProvider(server.url, 'ann'));
  expect(back.status).toBe(200);
  expect(back.headers.getSetCookie()[0]).toMatch(/; SameSite=Strict; Max-Age=43200; Secure$/);
  const ann = cookieOf(back);
  const keys = await visit(`${server.url}/dashboard/keys`, { headers: ann });
  expect(keys.status).toBe(200);
  expect(await keys.text()).toContain('admin, ann@example.com');
  const form = await formToken(server.url, ann);
  expect((await sendForm(server.url, '/dashboard/sign-out', { form }, ann)).status).toBe(303);
  expect((await visit(`${server.url}/dashboard`, { headers: ann })).status).toBe(401);
  const bob = cookieOf(await comeBack(server, await atProvider(server.url, 'bob')));
  expect((await visit(`${server.url}/dashboard`, { headers: bob })).status).toBe(200);
  expect((await visit(`${server.url}/dashboard/keys`, { headers: bob })).status).toBe(403);
  const log = server.log.join('\n');
  expect(log).not.toContain(SECRET);
  expect(log).toContain('ann@example.com signed in with an account, with the role admin');
  expect((await visit(`${server.url}/dashboard/oidc/other`, { headers: bob })).status).toBe(404);
});

test('a public client, without a secret', async () => {
  const server = await dashboardServer({
    oidc: oidc({ client_id: 'public', client_secret_env: undefined }),
  });
  expect((await comeBack(server, await atProvider(server.url, 'bob'))).status).toBe(200);
});

test('who has no role, another browser, a second time, a changed state and a refusal are not let in', async () => {
  const server = await dashboardServer({ oidc: oidc() });
  const refused = async (given: { search: string; cookie: string }, text: RegExp) => {
    const response = await comeBack(server, given);
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).toMatch(text);
  };
  await refused(
    await atProvider(server.url, 'eve'),
    /eve@example.com may not open this page: the claim groups/,
  );
  const begun = await atProvider(server.url, 'ann');
  await refused({ ...begun, cookie: '' }, /was not begun by this browser/);
  expect((await comeBack(server, begun)).status).toBe(200);
  await refused(begun, /was not begun by this browser/);
  const [content = ''] = begun.cookie.split(/\.[^.]*$/);
  await refused({ ...begun, cookie: `${content}.${'A'.repeat(43)}` }, /was not begun by this browser/);
  const other = await atProvider(server.url, 'ann');
  await refused(
    { ...other, search: other.search.replace(/state=[^&]+/, 'state=another') },
    /The sign-in was refused/,
  );
  const denied = await atProvider(server.url, 'ann');
  const state = /state=[^&]+/.exec(denied.search)![0];
  const said = `?error=access_denied&error_description=%3Cscript%3E&${state}&iss=${encodeURIComponent(issuer)}`;
  await refused({ ...denied, search: said }, /The sign-in was refused \(access_denied\)/);
  expect(server.log.join('\n')).toContain(
    'an account was not let in: The sign-in was refused (access_denied)',
  );
});

test('a sign-in is over after ten minutes', async () => {
  const { oidc: options } = configSchema.parse({ oidc: oidc() });
  const signIn = new OpenIdSignIn(options!);
  const { cookie } = await signIn.begin(0);
  await expect(signIn.end(cookie, '?code=x', 600_000)).rejects.toThrow(/is over/);
});

test('a provider that is away, and a secret that is not set, are said; keys still work', async () => {
  const away = await dashboardServer({ oidc: oidc({ issuer: 'http://127.0.0.1:4' }) });
  const response = await visit(`${away.url}/dashboard/oidc`);
  expect(response.status).toBe(500);
  expect(await response.text()).toContain('cannot be asked for its OpenID configuration (ECONNREFUSED)');
  const signedIn = await sendForm(away.url, '/dashboard/sign-in', { key: away.keys.view.key });
  expect(signedIn.status).toBe(303);
  const unset = await dashboardServer({ oidc: oidc({ client_secret_env: 'PLIMSOLL_TEST_UNSET' }) });
  const text = await (await visit(`${unset.url}/dashboard/oidc`)).text();
  expect(text).toContain('the environment variable PLIMSOLL_TEST_UNSET is empty');
});

/** A provider whose discovery document and token reply are ours to choose. */
async function oddProvider(metadata: object, tokenReply: () => string = () => '{}'): Promise<string> {
  const odd = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    const isDiscovery = request.url!.startsWith('/.well-known/');
    response.end(isDiscovery ? JSON.stringify({ ...whole(), ...metadata }) : tokenReply());
  });
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void odd.close());
  const own = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
  const whole = () => ({
    issuer: own,
    authorization_endpoint: `${own}/authorize`,
    token_endpoint: `${own}/token`,
    jwks_uri: `${own}/jwks`,
    response_types_supported: ['code'],
  });
  return own;
}

test.each<[object, string]>([
  [{ authorization_endpoint: undefined }, 'INVALID_ENDPOINTS'],
  [{ authorization_endpoint: 'javascript:alert(1)' }, 'INVALID_ENDPOINTS'],
  [{ authorization_endpoint: '/auth' }, 'INVALID_ENDPOINTS'],
  [{ token_endpoint: 5 }, 'INVALID_ENDPOINTS'],
  [{ padding: 'x'.repeat(1_000_001) }, 'TOO_LONG'],
])('a provider whose document is wrong is named, and asked again: %#', async (metadata, code) => {
  const found = { ...metadata };
  const server = await dashboardServer({ oidc: oidc({ issuer: await oddProvider(found) }) });
  const response = await visit(`${server.url}/dashboard/oidc`);
  expect(response.status).toBe(500);
  expect(await response.text()).toContain(`cannot be asked for its OpenID configuration (${code})`);
  for (const name of Object.keys(found)) delete (found as Record<string, unknown>)[name];
  expect((await visit(`${server.url}/dashboard/oidc`)).status).toBe(303);
});

/** An ID token that nobody signed. */
function unsigned(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'x' })}.${part(claims)}.${'A'.repeat(342)}`;
}

test('a token with a wrong signature, and a reply without an end, let nobody in', async () => {
  let reply = '{}';
  const odd = await oddProvider({}, () => reply);
  const server = await dashboardServer({ oidc: oidc({ issuer: odd, client_id: 'plimsoll' }) });
  const tries: (readonly [code: RegExp, body: (nonce: string) => string])[] = [
    [
      /was refused \(OAUTH_[A-Z_]+\)/,
      (nonce) => {
        const iat = Math.floor(Date.now() / 1_000);
        const id_token = unsigned({ iss: odd, aud: 'plimsoll', sub: 'ann', exp: iat + 60, iat, nonce });
        return JSON.stringify({ access_token: 'x', token_type: 'bearer', id_token });
      },
    ],
    [/was refused \(TOO_LONG\)/, () => JSON.stringify({ padding: 'x'.repeat(2_000_000) })],
  ];
  for (const [code, body] of tries) {
    const left = await visit(`${server.url}/dashboard/oidc`);
    const { searchParams } = new URL(left.headers.get('location')!);
    reply = body(searchParams.get('nonce')!);
    const back = await comeBack(server, {
      search: `?code=x&state=${searchParams.get('state')}`,
      ...cookieOf(left),
    });
    expect(back.status).toBe(403);
    expect(await back.text()).toMatch(code);
  }
});

test('who signs in again and again ends own sessions, and nobody else’s', () => {
  const sessions = new Sessions(undefined);
  const person = (name: string) => ({ person: { name, role: 'view' as const } });
  const other = sessions.begin(person('ann@example.com'), 0);
  const own = Array.from({ length: 1_100 }, () => sessions.begin(person('bob@example.com'), 0));
  expect(sessions.find(other, 1)?.name).toBe('ann@example.com');
  expect(own.filter((cookie) => sessions.find(cookie, 1)).length).toBe(20);
  expect(sessions.find(own.at(-1), 1)).toBeDefined();
});

test.each<[object, RegExp]>([
  [{ issuer: 'http://login.example.com' }, /must begin with https/],
  [{ url: 'ftp://example.com' }, /Invalid URL/],
  [{ url: 'https://example.com/path' }, /scheme, host and port alone/],
  [{ url: 'https://u:p@example.com' }, /scheme, host and port alone/],
  [{ url: 'https://example.com/?a=1' }, /scheme, host and port alone/],
  [{ client_secret_env: 'my-secret' }, /takes the NAME of an environment variable/],
  [{ scopes: ['email'] }, /must have openid in it/],
  [{ roles: {} }, /must name a value for a role/],
  [{ roles: { owner: ['x'] } }, /Unrecognized key/],
])('%o is refused', (changes, message) => {
  const { error } = configSchema.safeParse({
    oidc: { ...oidc(), issuer: 'https://login.example.com', ...changes },
  });
  expect(error?.message).toMatch(message);
});
