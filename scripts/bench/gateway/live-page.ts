import type { Page } from 'playwright-core';
import { launchChromium, NO_CHROMIUM } from '../browser.ts';
import { inTurns, openLoop, quantile, type Row, ratios, spread } from '../measurement.ts';
import { cpuSeconds } from '../processes.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import { SLICES } from './peer-rows.ts';
import { CONSTANT_REPLY, startFakeProviderProcess, startPlimsoll } from './servers.ts';
import { createClient } from './sides.ts';

/** A frame that comes later than this after the one before is a dropped one. */
const LATE_MS = 100;

interface Slice {
  readonly times: readonly number[];
  /** From one frame to the next, in ms; none without the page. */
  readonly frames: readonly number[];
  /** Processor time of the gateway, in s. */
  readonly used: number;
}

/** What it adds to the time of plain replies if somebody watches them on the page Live, and whether that page stutters. */
export async function livePage(context: GatewayBenchContext): Promise<readonly Row[]> {
  const browser = await launchChromium();
  if (browser === undefined) throw new Error(NO_CHROMIUM);
  const provider = await startFakeProviderProcess(CONSTANT_REPLY);
  const plimsoll = await startPlimsoll({
    providers: { fake: provider.url },
    ladder: { cheap: 'fake/small', strong: 'fake/large' },
  });
  const headers = { 'content-type': 'application/json' };
  const client = createClient({ url: plimsoll.url, headers, model: 'auto', pid: plimsoll.pid });
  const seconds = context.roundSeconds / SLICES;
  let sent = 0;
  async function slice(page: Page, isOpen: boolean): Promise<Slice> {
    await page.goto(isOpen ? new URL('/dashboard/live', plimsoll.url).href : 'about:blank');
    if (isOpen) await page.locator('[data-live-state]', { hasText: 'Live.' }).waitFor();
    if (isOpen) await page.evaluate(WATCH_FRAMES);
    const before = cpuSeconds(plimsoll.pid) ?? Number.NaN;
    const send = () => client.plainMs(String(context.texts[sent++ % context.texts.length]));
    const times = await openLoop({ perSecond: context.liveRate, seconds }, send);
    const used = (cpuSeconds(plimsoll.pid) ?? Number.NaN) - before;
    if (!isOpen) return { times, frames: [], used };
    const rows = await page.locator('.live tbody tr').count();
    if (rows === 0) throw new Error('The page shows no requests.');
    return { times, frames: (await page.evaluate('frames')) as number[], used };
  }
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const [closed = [], open = []] = await inTurns([() => slice(page, false), () => slice(page, true)], {
      rounds: context.rounds * SLICES,
      warmUp: SLICES,
    });
    return rowsOf(closed, open, context);
  } finally {
    await client.close();
    await plimsoll.close();
    plimsoll.remove();
    await provider.close();
    await browser.close();
  }
}

const WATCH_FRAMES = `globalThis.frames = [];
(function watch(last) {
  requestAnimationFrame((now) => {
    if (last !== undefined) frames.push(now - last);
    watch(now);
  });
})();`;

function rowsOf(
  closed: readonly Slice[],
  open: readonly Slice[],
  { roundSeconds, liveRate }: Pick<GatewayBenchContext, 'roundSeconds' | 'liveRate'>,
): Row[] {
  const p50s = (slices: readonly Slice[]) =>
    byRound(slices).map((round) =>
      quantile(
        round.flatMap(({ times }) => times),
        0.5,
      ),
    );
  const used = (slices: readonly Slice[]) => slices.reduce((sum, slice) => sum + slice.used, 0).toFixed(1);
  const frames = byRound(open).map((round) => round.flatMap((slice) => slice.frames));
  const all = frames.flat();
  const samples = liveRate * roundSeconds;
  return [
    {
      name: 'live-p50',
      what: `a plain answer at ${liveRate} requests/s while a browser follows them, p50`,
      unit: 'ms',
      value: spread(p50s(open)),
      samples,
      peer: { what: 'the same without the page', value: spread(p50s(closed)) },
      ratio: ratios(p50s(open), p50s(closed)),
      target: TARGETS.followed,
      notes: [`processor time of the gateway, all rounds: ${used(open)} s, ${used(closed)} s without`],
    },
    {
      name: 'live-frames',
      what: `frames of the page Live that came more than ${LATE_MS} ms after the one before, at ${liveRate} requests/s`,
      unit: 'frames',
      value: spread(frames.map((round) => round.filter((ms) => ms > LATE_MS).length)),
      samples: Math.round(all.length / frames.length),
      peer: null,
      ratio: null,
      target: TARGETS.lateFrames,
      notes: [
        `of ${all.length} frames the longest took ${Math.max(...all).toFixed(0)} ms, p99 ${quantile(all, 0.99).toFixed(0)} ms`,
      ],
    },
  ];
}

function byRound(slices: readonly Slice[]): Slice[][] {
  return Array.from({ length: slices.length / SLICES }, (_, i) => slices.slice(i * SLICES, (i + 1) * SLICES));
}
