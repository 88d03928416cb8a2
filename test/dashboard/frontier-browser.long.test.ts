import { cpSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { promote } from '../../router/artifact/index.ts';
import { pageFaults } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium } from '../helpers/chromium.ts';
import { type DashboardServer, dashboardServer, scratch } from './dashboard-client.ts';

const PAGE_MS = 120_000;

describe('the frontier and the report of the starter in Chromium', () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  interface View {
    readonly width: number;
    readonly colorScheme?: 'light' | 'dark';
    readonly bypassCSP?: boolean;
    readonly javaScriptEnabled?: boolean;
  }

  async function opened(context: TestContext, view: View, artifact = 'models/starter') {
    const server = await dashboardServer({ artifact, profiles: {} });
    const { width, colorScheme = 'light', ...further } = view;
    const own = await browserOrSkip(browser, context).newContext({
      viewport: { width, height: 1600 },
      colorScheme,
      ...further,
    });
    context.onTestFinished(() => own.close());
    const page = await own.newPage();
    const trouble: string[] = [];
    page.on('console', (one) => trouble.push(`console ${one.text()}`));
    page.on('pageerror', (one) => trouble.push(`error ${one.message}`));
    await signIn(page, server);
    trouble.length = 0; // the first page was a 401, which the console says
    await page.goto(`${server.url}/dashboard/frontier`);
    return { page, server, trouble };
  }

  async function signIn(page: Page, { url, keys }: DashboardServer): Promise<void> {
    await page.goto(`${url}/dashboard`);
    await page.getByLabel('API key').fill(keys.operate.key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Frontier' }).waitFor();
  }

  const fact = (page: Page, name: string) => page.locator(`[data-fact="${name}"]`).innerText();

  test.for([
    ['light', 320],
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 2560],
  ] as const)(
    'all three pages, %s, %i pixels: nothing that axe finds, no error, nothing too wide',
    { timeout: PAGE_MS },
    async ([colorScheme, width], context) => {
      const { page, server, trouble } = await opened(context, { width, colorScheme, bypassCSP: true });
      expect(await page.locator('svg.quality-chart').count()).toBe(1);
      expect(await pageFaults(page)).toEqual([]);
      await page.goto(`${server.url}/dashboard/verdicts`);
      expect(await pageFaults(page)).toEqual([]);
      await page.getByRole('link', { name: /The report/ }).click();
      await page.getByRole('heading', { name: 'The conditions' }).waitFor();
      expect(await pageFaults(page)).toEqual([]);
      expect(trouble).toEqual([]);
    },
  );

  test('links to many artifacts wrap', { timeout: PAGE_MS }, async (context) => {
    const store = scratch();
    for (let i = 0; i < 40; i++)
      cpSync('models/starter', path.join(store, `artifact-of-a-long-name-${i}`), { recursive: true });
    promote(store, 'artifact-of-a-long-name-7', new Date());
    for (const width of [320, 1280]) {
      const { page } = await opened(context, { width, bypassCSP: true }, store);
      expect(await page.getByRole('navigation', { name: 'Artifacts' }).getByRole('link').count()).toBe(40);
      expect(await pageFaults(page)).toEqual([]);
    }
  });

  test('the point moves by keyboard, by number and by pointer, under the policy of the pages', async (context) => {
    const { page, trouble } = await opened(context, { width: 1280 });
    expect(await fact(page, 'threshold')).toBe('0.224');
    const dot = () => page.locator('svg.quality-chart [data-chosen]').getAttribute('transform');
    const first = await dot();
    await page.locator('[data-point]').focus();
    await page.keyboard.press('ArrowLeft');
    expect(await fact(page, 'threshold')).not.toBe('0.224');
    expect(await dot()).not.toBe(first);
    expect(await fact(page, 'needed')).toMatch(/^about [\d,]+ fresh test requests/);
    expect(await page.locator('[name="threshold"]').inputValue()).toBe(await fact(page, 'threshold'));

    await page.locator('[data-share]').fill('100');
    expect(await fact(page, 'lost')).toBe('0.0 points');

    const box = (await page.locator('svg.quality-chart').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.9, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 60, { steps: 4 });
    await page.mouse.up();
    expect(Number.parseFloat(await fact(page, 'escalated'))).toBeLessThan(30);
    expect(await fact(page, 'needed')).toContain('not at a margin of 5.0 points');
    expect(trouble).toEqual([]);
  });

  test('without a script a number and a form do the same, and a candidate gets its commands', async (context) => {
    const { page } = await opened(context, { width: 390, javaScriptEnabled: false });
    await page.getByLabel('Sent to a stronger model, %').fill('50');
    await page.getByLabel('Margin, points').fill('8');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(Number.parseFloat(await fact(page, 'escalated'))).toBeCloseTo(50, -1);
    const threshold = await fact(page, 'threshold');
    await page.locator('summary', { hasText: 'Make this a candidate' }).click();
    await page.getByLabel(/You get the commands/).check();
    await page.getByRole('button', { name: 'Write the commands' }).click();
    const commands = await page.locator('.code').first().innerText();
    expect(commands).toContain(`threshold: ${threshold}`);
    expect(commands).toContain('max_quality_loss: 0.08');
  });
});
