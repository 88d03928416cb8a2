import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { revokeKey } from '../../router/access/index.ts';
import { createLink, isForDashboard } from '../../router/dashboard/index.ts';
import { LINK_VALID_MS, LinkCheck } from '../../router/dashboard/sign-in-link.ts';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { serving } from '../server/serving.ts';
import { dashboardServer, formToken, scratch, sendForm, signedIn, visit } from './dashboard-client.ts';

const HTML = { accept: 'text/html,*/*;q=0.8' };

test('browsers are led from / to the page, programs get the list of routes', async () => {
  const { url } = await dashboardServer();
  const led = await visit(url, { headers: HTML });
  expect([led.status, led.headers.get('location')]).toEqual([303, '/dashboard']);
  expect(await (await visit(url)).json()).toMatchObject({ name: 'plimsoll' });
  const page = await visit(`${url}/dashboard`);
  expect(page.status).toBe(401);
  expect(await page.text()).toContain('API key');
});

test('a key with a role signs in; the cookie is for this site and no script, and its page may not be framed', async () => {
  const { url, keys } = await dashboardServer();
  const response = await sendForm(url, '/dashboard/sign-in', { key: ` ${keys.view.key} ` });
  expect([response.status, response.headers.get('location')]).toEqual([303, '/dashboard']);
  const cookie = response.headers.get('set-cookie') ?? '';
  for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/dashboard', 'Max-Age=43200'])
    expect(cookie).toContain(part);
  const page = await visit(`${url}/dashboard`, { headers: { cookie: cookie.split(';')[0]! } });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain(`key ${keys.view.stored.id}`);
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  expect(page.headers.get('cache-control')).toBe('no-store');
});

test('other keys do not: unknown ones, ones without a role, and forms of other pages', async () => {
  const { url, keys } = await dashboardServer();
  const wrong = await sendForm(url, '/dashboard/sign-in', { key: 'plim_0123456789ab_wrong' });
  expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
  const empty = await sendForm(url, '/dashboard/sign-in', {});
  expect(empty.status).toBe(401);
  const roleless = await sendForm(url, '/dashboard/sign-in', { key: keys.none.key });
  expect([roleless.status, roleless.headers.get('set-cookie')]).toEqual([403, null]);
  expect(await roleless.text()).toContain('--role view');
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    const foreign = await sendForm(url, '/dashboard/sign-in', { key: keys.view.key }, headers);
    expect([foreign.status, foreign.headers.get('set-cookie')]).toEqual([403, null]);
  }
  const long = await sendForm(url, '/dashboard/sign-in', { key: 'x'.repeat(1_000_000) });
  expect([long.status, long.headers.get('set-cookie')]).toEqual([413, null]);
});

test('a session ends when its key is revoked, and when its owner signs out', async () => {
  const { url, keys, keysFile } = await dashboardServer();
  const seen = await signedIn(url, keys.view.key);
  const other = await signedIn(url, keys.admin.key);
  const status = async (headers: { cookie: string }) => (await visit(`${url}/dashboard`, { headers })).status;
  expect([await status(seen), await status(other)]).toEqual([200, 200]);
  revokeKey(keysFile, keys.view.stored.id, new Date());
  await expect.poll(() => status(seen)).toBe(401);
  expect(await status(other)).toBe(200);
  const form = await formToken(url, other);
  expect((await sendForm(url, '/dashboard/sign-out', { form: 'another' }, other)).status).toBe(403);
  expect(await status(other)).toBe(200);
  expect((await sendForm(url, '/dashboard/sign-out', { form }, other)).status).toBe(303);
  expect(await status(other)).toBe(401);
});

test('without keys on this machine anybody may look, and nobody may change', async () => {
  const { url } = await gatewayForTest();
  const page = await visit(`${url}/dashboard`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('anybody, may view');
  expect((await sendForm(url, '/dashboard/sign-out', { form: '' })).status).toBe(403);
  const behindProxy = await gatewayForTest({
    config: { server: { port: 0, allowed_hosts: ['plimsoll.example.com'] } },
  });
  expect((await visit(`${behindProxy.url}/dashboard`)).status).toBe(401);
});

test('dashboard: off serves no page', async () => {
  const { url } = await gatewayForTest({ config: { dashboard: 'off' } });
  expect((await visit(`${url}/dashboard`)).status).toBe(404);
  expect((await visit(url, { headers: HTML })).headers.get('content-type')).toContain('json');
});

test('a server that only decides says what to ask of it', async () => {
  const { url, close } = await serving();
  const page = await (await visit(`${url}/dashboard`)).text();
  expect(page).toContain('/v1/route');
  expect(page).toContain('it has no providers');
  await close();
});

test('a link works once, for ten minutes, and only if it is genuine', () => {
  const file = path.join(scratch(), 'secret');
  const now = Date.now();
  const tokenOf = (link: string) => link.split('/').at(-1)!;
  const token = tokenOf(createLink('http://127.0.0.1:8787', now, file));
  expect(statSync(file).mode & 0o077).toBe(0);
  const links = new LinkCheck(now - 1, file);
  for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    if (!token.endsWith(last)) expect(links.use(token.slice(0, -1) + last, now), last).toBe(false);
  expect(links.use(token, now + LINK_VALID_MS)).toBe(false);
  expect(links.use(token, now)).toBe(true);
  expect(links.use(token, now)).toBe(false);
  expect(new LinkCheck(now + 1, file).use(token, now + 2)).toBe(false); // a server that has forgotten which were used
  const later = tokenOf(createLink('http://127.0.0.1:8787', now + 5, file));
  writeFileSync(file, `${'A'.repeat(43)}\n`);
  expect(links.use(later, now + 6)).toBe(false);
  for (const odd of ['', 'x', `${now}.x.y`, '../../etc/passwd']) expect(links.use(odd, now)).toBe(false);
  expect(readFileSync(file, 'utf8')).not.toContain(token);
});

test('which requests are for the page', () => {
  const isPage = (url: string, method = 'GET', accept = 'text/html') =>
    isForDashboard({ url, method, headers: { accept } } as Parameters<typeof isForDashboard>[0]);
  for (const url of ['/', '/dashboard', '/dashboard/', '/dashboard?days=7', '/dashboard/files/x/y'])
    expect(isPage(url)).toBe(true);
  for (const url of ['/dashboards', '/v1/models', '/?x', '/healthz']) expect(isPage(url)).toBe(false);
  expect(isPage('/', 'POST')).toBe(false);
  expect(isPage('/', 'GET', '*/*')).toBe(false);
  expect(isPage('/dashboard', 'GET', '*/*')).toBe(true);
});

/** fetch sets Host itself. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

test('with keys on this machine another name leads to no page, with a valid cookie neither', async () => {
  const { url, keys } = await dashboardServer();
  const { cookie } = await signedIn(url, keys.admin.key);
  for (const path of ['/dashboard', '/dashboard/keys', '/dashboard/live-events', '/dashboard/files/x/y'])
    for (const origin of [{}, { origin: 'http://evil.example' }])
      expect(await statusOf(`${url}${path}`, { host: 'evil.example', cookie, ...origin })).toBe(421);
  expect(await statusOf(`${url}/`, { host: 'evil.example', ...HTML })).toBe(421);
  expect(await statusOf(`${url}/dashboard`, { host: 'localhost:1', cookie })).toBe(200);
  expect(await statusOf(`${url}/readyz`, { host: 'evil.example' })).toBe(200); // the API has no cookies
  const named = { port: 0, allowed_hosts: ['plimsoll.example.com'] };
  const proxied = await dashboardServer({ server: named });
  const host = 'plimsoll.example.com';
  const own = await signedIn(proxied.url, proxied.keys.view.key);
  expect(await statusOf(`${proxied.url}/dashboard`, { host, ...own })).toBe(200);
});
