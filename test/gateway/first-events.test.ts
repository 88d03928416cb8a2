import { expect, test } from 'vitest';
import { scriptedProvider } from '../mapped-calls/scripted-provider.ts';

import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const NO_OBJECTS = ['[]', '[[]]', '1', 'null', 'true', '"x"', 'overloaded'];
const ROUTES = [
  ['native', '/v1/chat/completions', 'first/small'],
  ['native', '/v1/messages', 'claude/small'],
  ['mapped', '/v1/chat/completions', 'claude/small'],
  ['mapped', '/v1/messages', 'first/small'],
] as const;

test.each(ROUTES)(
  '%s, %s: a stream of something that is no JSON object is a failure',
  async (_, route, model) => {
    for (const event of NO_OBJECTS) {
      for (const end of ['', 'data: [DONE]\n\n']) {
        const body = `data: ${event}\n\n${end}`;
        const provider = await scriptedProvider(() => ({ type: 'text/event-stream', body }));
        const { url } = await gatewayForTest({ firstUrl: `${provider.url}/v1` });
        const response = await postRaw(url, route, { ...ask('Hello', model), stream: true });
        expect([event, end, response.status]).toEqual([event, end, 503]);
        expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } });
      }
    }
  },
);

test.each(ROUTES.slice(0, 2))('%s, %s: nor does it hide behind a reply', async (_, route, model) => {
  const reply = 'data: {"type":"message_start","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n';
  for (const event of NO_OBJECTS) {
    const body = `: hello\n\ndata: {"type":"ping"}\n\ndata: ${event}\n\n${reply}data: [DONE]\n\n`;
    const provider = await scriptedProvider(() => ({ type: 'text/event-stream', body }));
    const { url } = await gatewayForTest({ firstUrl: `${provider.url}/v1` });
    const response = await postRaw(url, route, { ...ask('Hello', model), stream: true });
    expect([event, response.status]).toEqual([event, 503]);
    expect(await response.json()).toHaveProperty('error.message');
  }
});
