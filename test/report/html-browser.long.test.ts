import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { htmlReport } from '../../evals/report/html/page.ts';
import { axeViolations } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium, watchPage } from '../helpers/chromium.ts';
import {
  failingVerdict,
  hostileVerdict,
  ladderVerdict,
  madeUpVerdict,
  previousVerdict,
} from './made-up-verdict.ts';
import { CONTRASTS, OVERFLOW, PAPER, PLOTS } from './page-checks.ts';

const READABLE = 4.5;

const PAGES = {
  whole: htmlReport(madeUpVerdict(), { previous: previousVerdict() }),
  failing: htmlReport(failingVerdict()),
  ladder: htmlReport(ladderVerdict()),
  hostile: htmlReport(hostileVerdict(), { previous: hostileVerdict() }),
} as const;
type PageName = keyof typeof PAGES;
const NAMES = Object.keys(PAGES) as PageName[];

describe('the page in Chromium', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-report-'));
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  describe.each(NAMES)('%s', (name) => {
    it('asks for nothing, complains of nothing, and runs no script', async (context) => {
      const { page, trouble } = await opened(name, context, 1100, 'light');
      await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
      expect(trouble()).toEqual([]);
      expect(await page.evaluate('document.scripts.length')).toBe(0);
    });

    it.for([390, 768, 1100])('is not wider than a window of %d pixels', async (width, context) => {
      const { page } = await opened(name, context, width, 'light');
      await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
      expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
    });

    it.for(['light', 'dark'] as const)(
      'gives axe nothing to find at 390 pixels, %s',
      async (scheme, context) => {
        const { page } = await opened(name, context, 390, scheme);
        expect(await axeViolations(page)).toEqual([]);
      },
    );

    it('has a plot with a size and without NaN in every figure', async (context) => {
      const { page } = await opened(name, context, 390, 'light');
      const plots: Plot[] = await page.evaluate(PLOTS);
      expect(plots.length).toBeGreaterThanOrEqual(5);
      for (const { width, height, marks, drawn } of plots) {
        expect(Math.min(width, height)).toBeGreaterThan(100);
        expect(marks).toBeGreaterThan(5);
        expect(drawn).not.toMatch(/NaN|Infinity|undefined/);
      }
    });

    it.for(['light', 'dark'] as const)('can be read in the %s scheme', async (scheme, context) => {
      const { page } = await opened(name, context, 1100, scheme);
      const contrasts: { text: string; ratio: number }[] = await page.evaluate(CONTRASTS);
      expect(contrasts.length).toBeGreaterThan(150);
      expect(contrasts.filter(({ ratio }) => !(ratio >= READABLE))).toEqual([]);
    });
  });

  it('follows the scheme, and is printed on white', async (context) => {
    const { page } = await opened('whole', context, 1100, 'light');
    const light = await page.evaluate(PAPER);
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await page.evaluate(PAPER);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect([light, dark]).toEqual(['rgb(252, 252, 250)', 'rgb(21, 23, 26)']);
    expect(await page.evaluate(PAPER)).toBe('rgb(255, 255, 255)');
  });

  it('would notice a request, a message and an overflow', async (context) => {
    const { page, trouble } = await opened('whole', context, 390, 'light');
    await page.evaluate(
      "document.body.insertAdjacentHTML('beforeend', '<img src=x.png><p style=width:900px>wide</p>'); console.error('seen')",
    );
    await expect.poll(() => trouble().join()).toContain('seen');
    expect(await page.evaluate(OVERFLOW)).toBeGreaterThan(0);
    expect(trouble().join()).toMatch(/x\.png/);
  });

  async function opened(name: PageName, context: TestContext, width: number, scheme: 'light' | 'dark') {
    const file = path.join(folder, `${name}.html`);
    writeFileSync(file, PAGES[name]);
    const page = await browserOrSkip(browser, context).newPage({ viewport: { width, height: 900 } });
    context.onTestFinished(() => page.close());
    await page.emulateMedia({ colorScheme: scheme });
    const trouble = watchPage(page);
    const url = pathToFileURL(file).href;
    await page.goto(url);
    return { page, trouble: () => trouble.filter((one) => one !== `request ${url}`) };
  }
});

interface Plot {
  readonly width: number;
  readonly height: number;
  readonly marks: number;
  readonly drawn: string;
}
