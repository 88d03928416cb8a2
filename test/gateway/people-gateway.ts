import path from 'node:path';
import type { z } from 'zod';
import { createKey, type WantedKey } from '../../router/access/index.ts';
import type { configSchema } from '../../router/config/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, clientsOf, gatewayForTest, postRaw } from './running-gateway.ts';

type Written = z.input<typeof configSchema>;
export type Desk = NonNullable<Written['people']>[string];

export const SUPPORT: Desk = { cost_per_minute_usd: 0.6, minutes: 4 };
export const ASK_HUMAN: Written['rules'] = [{ name: 'legal', when: { tag: 'legal' }, use: 'human' }];
export const LEGAL = { 'x-plimsoll-tags': 'legal' };
export const CHAT = '/v1/chat/completions';

/** Keys of a client, of another client, of people who answer, and of one that may only look. */
export function keysOfPeople() {
  const file = path.join(scratchFolder(), 'keys.json');
  const make = (name: string, more: Partial<WantedKey> = {}) =>
    createKey(file, { name, now: new Date(), ...more });
  return {
    file,
    client: make('client', { team: 'red' }),
    stranger: make('stranger', { team: 'blue' }),
    agent: make('agent', { role: 'operate' }),
    second: make('second agent', { role: 'operate' }),
    redAgent: make('agent of red', { role: 'operate', team: 'red' }),
    blueAgent: make('agent of blue', { role: 'operate', team: 'blue' }),
    viewer: make('viewer', { role: 'view' }),
  };
}

/** A gateway whose rule hands legal questions to people, with keys. */
export async function peopleGateway(desk: Partial<Desk> = {}, more: Partial<Written> = {}) {
  const keys = keysOfPeople();
  const gateway = await gatewayForTest({
    config: {
      people: { support: { ...SUPPORT, ...desk } },
      rules: ASK_HUMAN,
      state: { kind: 'memory' },
      access: { keys_file: keys.file },
      ...more,
    },
  });
  return { ...gateway, ...callers(gateway.url, keys), keys };
}

type Keys = ReturnType<typeof keysOfPeople>;

/** What clients and people do with a server. */
export function callers(url: string, keys: Keys) {
  const bearer = (who: keyof Omit<Keys, 'file'>) => ({ authorization: `Bearer ${keys[who].key}` });
  type Who = Parameters<typeof bearer>[0];
  return {
    bearer,
    clients: clientsOf(url, keys.client.key),
    asks: (text: string, more: object = {}, who: Who = 'client', at = CHAT) =>
      postRaw(url, at, { ...ask(text), ...more }, { ...LEGAL, ...bearer(who) }),
    get: async (at: string, who: Who) => answerOf(await fetch(`${url}${at}`, { headers: bearer(who) })),
    post: async (at: string, who: Who, body?: object) =>
      answerOf(
        body === undefined
          ? await fetch(`${url}${at}`, { method: 'POST', headers: bearer(who) })
          : await postRaw(url, at, body, bearer(who)),
      ),
  };
}

async function answerOf(response: Response) {
  const { status, headers } = response;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sends
  return { status, headers, body: (await response.json()) as any };
}
