import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSite, type SiteOptions } from '../../scripts/site/index.ts';
import { browserOrSkip, launchChromium } from '../helpers/chromium.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** One of each kind: with a picture, with wide tables, made from the code, a list of files. */
const PAGES = [
  'index.html',
  'COMPARISON.html',
  'CLI.html',
  'reference/configuration.html',
  'repository/docs/decisions/index.html',
];

const out = mkdtempSync(path.join(tmpdir(), 'plimsoll-site-'));
let browser: Browser | undefined;
beforeAll(async () => {
  browser = await launchChromium();
  const openApi = readFileSync('test/fixtures/pins/openapi-gateway.json', 'utf8');
  await buildSite({ out, openApi: JSON.parse(openApi) as SiteOptions['openApi'] });
});
afterAll(async () => {
  await browser?.close();
  rmSync(out, { recursive: true, force: true });
});

test('axe finds nothing in the site, and nothing is wider than the window', async (context) => {
  const views = [
    { width: 390, colorScheme: 'light' },
    { width: 1280, colorScheme: 'dark' },
  ] as const;
  for (const { width, colorScheme } of views) {
    const own = await browserOrSkip(browser, context).newContext({
      viewport: { width, height: 900 },
      colorScheme,
    });
    const page = await own.newPage();
    const trouble: string[] = [];
    page.on('console', (one) => trouble.push(one.text()));
    for (const file of PAGES) {
      await page.goto(pathToFileURL(path.join(out, file)).href);
      await page.evaluate(AXE);
      const found = await page.evaluate(
        `axe.run({ preload: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
      );
      const at = `${file} at ${width} px, ${colorScheme}`;
      expect(found, at).toEqual([]);
      expect(
        await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'),
        `${at} fits the window`,
      ).toBe(true);
    }
    expect(trouble).toEqual([]);
    await own.close();
  }
}, 300_000);
