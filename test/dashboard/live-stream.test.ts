import { expect, onTestFinished, test } from 'vitest';
import { MAX_STREAMS } from '../../router/dashboard/live-stream.ts';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { visit } from './dashboard-client.ts';

test('more pages than may follow the requests are told so, until another one leaves', async () => {
  const { url } = await gatewayForTest();
  const leaving = new AbortController();
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const follow = (signal: AbortSignal) => visit(`${url}/dashboard/live-events`, { signal });
  const first = await follow(leaving.signal);
  const others = await Promise.all(Array.from({ length: MAX_STREAMS - 1 }, () => follow(closing.signal)));
  expect(new Set([first, ...others].map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await follow(closing.signal);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
  expect(await refused.text()).toContain(`${MAX_STREAMS} pages follow the requests already`);
  leaving.abort();
  await expect.poll(async () => (await follow(closing.signal)).status).toBe(200);
});
