import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type CreatedKey, createKey, type Role } from '../../router/access/index.ts';
import { gatewayForTest, type RunningGateway, type Wishes } from '../gateway/running-gateway.ts';

export interface DashboardServer extends RunningGateway {
  readonly keysFile: string;
  readonly keys: Readonly<Record<Role | 'none', CreatedKey>>;
}

export function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-dashboard-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The gateway with a key of each role, and one without. */
export async function dashboardServer(
  config: Wishes['config'] = {},
  further: Omit<Wishes, 'config'> = {},
): Promise<DashboardServer> {
  const keysFile = path.join(scratch(), 'keys.json');
  const now = new Date();
  const keyFor = (role?: Role) => createKey(keysFile, { name: role ?? 'calls only', role, now });
  const keys = {
    view: keyFor('view'),
    operate: keyFor('operate'),
    admin: keyFor('admin'),
    none: keyFor(),
  };
  const running = await gatewayForTest({
    ...further,
    config: { access: { keys_file: keysFile }, ...config },
  });
  return { ...running, keysFile, keys };
}

/** Fetches without following redirections. */
export function visit(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', ...init });
}

/** Sends a form as a page of the server would. */
export function sendForm(
  server: string,
  place: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return visit(`${server}${place}`, {
    method: 'POST',
    headers: { origin: server, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  });
}

/** @returns the Cookie header of who signed in with the key */
export async function signedIn(server: string, key: string): Promise<{ readonly cookie: string }> {
  const response = await sendForm(server, '/dashboard/sign-in', { key });
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  if (response.status !== 303 || cookie === undefined) throw new Error(`not signed in: ${response.status}`);
  return { cookie };
}

/** What the forms of a page carry. */
export async function formToken(server: string, headers: { readonly cookie: string }): Promise<string> {
  const page = await (await visit(`${server}/dashboard`, { headers })).text();
  const token = /name="form" value="([^"]+)"/.exec(page)?.[1];
  if (token === undefined) throw new Error('the page has no form');
  return token;
}
