import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSite, type SiteOptions } from '../../scripts/site/index.ts';
import { pageFaults } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium } from '../helpers/chromium.ts';

/** These are looked at as a phone and as a screen show them; the others once. One of each kind: with a picture, with wide tables, made from the code, a list of files. */
const OFTEN = new Set([
  'index.html',
  'COMPARISON.html',
  'CLI.html',
  'reference/configuration.html',
  'repository/docs/decisions/index.html',
]);
const VIEWS = [
  { width: 390, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const;

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

test('axe finds nothing in any page of the site, and nothing is wider than the window', async (context) => {
  const all = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.html') && (OFTEN.has(file) || !/^(?:decisions|repository)/.test(file)),
  );
  for (const [i, { width, colorScheme }] of VIEWS.entries()) {
    const own = await browserOrSkip(browser, context).newContext({
      viewport: { width, height: 900 },
      colorScheme,
    });
    const page = await own.newPage();
    const trouble: string[] = [];
    page.on('console', (one) => trouble.push(one.text()));
    for (const file of all.filter((one) => i === 0 || OFTEN.has(one))) {
      await page.goto(pathToFileURL(path.join(out, file)).href);
      expect(await pageFaults(page), `${file} at ${width} px, ${colorScheme}`).toEqual([]);
    }
    expect(trouble).toEqual([]);
    await own.close();
  }
  expect(all.length).toBeGreaterThan(30);
}, 600_000);
