import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MEASURES } from '../../router/records/index.ts';
import type { HourCount } from '../../router/state/index.ts';
import { gatewayForTest, PRICED_MODELS } from '../gateway/running-gateway.ts';
import { scratch, visit } from './dashboard-client.ts';

const DAY_MS = 86_400_000;
const YEARS = 10;

/** With three requests on every day of ten years, at noon in UTC. */
async function oldServer() {
  const server = await gatewayForTest({
    config: {
      state: {
        kind: 'sqlite',
        url: path.join(scratch(), 'state.db'),
        retention: { max_age_days: 365 * YEARS + 3 },
      },
      models: PRICED_MODELS,
      profiles: {},
    },
  });
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const counts = Array.from({ length: 365 * YEARS }, (_, i): HourCount => {
    const startMs = today - (i + 1) * DAY_MS + DAY_MS / 2;
    return { startMs, measure: MEASURES.requests, label: 'replied', amount: 3 };
  });
  await server.gateway.state!.hourCounts.add('ten years', counts);
  return server;
}

/** The number that a tile shows. */
const shownIn = (page: string, tile: string) =>
  new RegExp(`<h2>${tile}</h2><p class="value">([^<]+)</p>`).exec(page)?.[1];

test('of ten years of data a page shows the period that it names, and no more', async () => {
  const { url } = await oldServer();
  for (const [days, requests] of [
    ['7', '18'], // whole days in UTC: six before today, which is not over
    ['30', '87'],
    ['3650', '18'], // no such period: the one of a week
  ] as const) {
    const page = await (await visit(`${url}/dashboard?days=${days}`)).text();
    expect([days, shownIn(page, 'Requests')]).toEqual([days, requests]);
  }
});

test.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kolkata'])(
  'a server whose clock is set to %s counts the same days, which are those of UTC',
  async (zone) => {
    const before = process.env['TZ'];
    onTestFinished(() => {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    });
    const { url } = await oldServer();
    const chart = async () => {
      const page = await (await visit(`${url}/dashboard?days=7`)).text();
      return [shownIn(page, 'Requests'), /<svg.*?<\/svg>/s.exec(page)?.[0]];
    };
    process.env['TZ'] = 'UTC';
    const inUtc = await chart();
    expect(inUtc).toEqual(['18', expect.stringContaining('<svg')]);
    process.env['TZ'] = zone;
    expect(new Date().getTimezoneOffset()).not.toBe(0);
    expect(await chart()).toEqual(inUtc);
  },
);
