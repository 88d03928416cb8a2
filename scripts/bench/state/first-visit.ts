import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { inTurns, quantile, type Row, ratios, spread } from '../measurement.ts';
import { TARGETS } from './context.ts';

const ROUNDS = 5;
const VISITS = 5;
/** As a cheap phone beside a desktop computer. */
const SLOWED = 4;

/**
 * What somebody waits who opens the first page with nothing in the browser's cache: until something is painted, on a slowed processor, and the
 * style and script that is loaded.
 * @param at where the page is, and what keeps the decisions, for the names of the rows
 */
export async function firstVisitRows(
  browser: Browser,
  { url, kind }: { readonly url: string; readonly kind: string },
): Promise<readonly Row[]> {
  const visits = (address: string) => async () => {
    const times: number[] = [];
    for (let i = 0; i < VISITS; i++) times.push(await paintedMs(browser, address));
    return times;
  };
  const places = [url, new URL('/healthz', url).href];
  const [rounds = [], floor = []] = await inTurns(places.map(visits), { rounds: ROUNDS, warmUp: 1 });
  const p95s = (series: readonly (readonly number[])[]) => series.map((times) => quantile(times, 0.95));
  const painted: Row = {
    name: `dashboard-${kind}-paint`,
    what: `until the first page paints something in Chromium, processor slowed ${SLOWED} times, ${kind}, p95`,
    unit: 'ms',
    value: spread(p95s(rounds)),
    samples: VISITS,
    peer: { what: 'a response of one line by the same server (/healthz)', value: spread(p95s(floor)) },
    ratio: ratios(p95s(rounds), p95s(floor)),
    target: TARGETS.paint,
    notes: [`p50 ${quantile(rounds.flat(), 0.5).toFixed(0)} ms; nothing in the browser's cache`],
  };
  return [painted, await bytesRow(browser, { url, kind })];
}

/** First contentful paint, from the start of the navigation. */
async function paintedMs(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWED });
    await page.goto(url, { waitUntil: 'load' });
    const painted = `new Promise((resolve) => {
      const seen = (entries) => entries.find(({ name }) => name === 'first-contentful-paint');
      const there = seen(performance.getEntriesByType('paint'));
      if (there) return resolve(there.startTime);
      new PerformanceObserver((list) => seen(list.getEntries()) && resolve(seen(list.getEntries()).startTime))
        .observe({ type: 'paint', buffered: true });
    })`;
    return (await page.evaluate(painted)) as number;
  } finally {
    await context.close();
  }
}

async function bytesRow(
  browser: Browser,
  { url, kind }: { readonly url: string; readonly kind: string },
): Promise<Row> {
  const context = await browser.newContext();
  const bodies: Promise<Buffer>[] = [];
  try {
    const page = await context.newPage();
    page.on('response', (response) => {
      if (['stylesheet', 'script'].includes(response.request().resourceType())) bodies.push(response.body());
    });
    await page.goto(url, { waitUntil: 'networkidle' });
    const files = await Promise.all(bodies);
    if (files.length === 0) throw new Error('The page loads neither style nor script.');
    const kilobytes = files.reduce((sum, body) => sum + gzipSync(body).length, 0) / 1_000;
    return {
      name: `dashboard-${kind}-bytes`,
      what: 'style and script that the first page loads, compressed',
      unit: 'kB',
      value: spread([kilobytes]),
      samples: files.length,
      peer: null,
      ratio: null,
      target: TARGETS.bytes,
      notes: [`${files.length} files; gzip`],
    };
  } finally {
    await context.close();
  }
}
