import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { pageFaults } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium } from '../helpers/chromium.ts';
import { judgedCases, labelServer } from './label-world.ts';

const PAGE_MS = 180_000;
/** Longer than the time in which a second press of a key counts as none. */
const NO_DOUBLE_PRESS_MS = 400;

/** What strains a page: code, JSON, long words and long requests. */
const HARD_CASES = [
  ...judgedCases(4),
  {
    id: 'hard',
    prompt: `${'The committee met in March. '.repeat(80)}\n\n${'x'.repeat(200)}?`,
    reference: '{"a":[1,2]}',
    outcomes: {
      'tiny-model': {
        quality: 1,
        answer: `So:\n\n\`\`\`python\n${'n = 1 + '.repeat(60)}\n\`\`\``,
        label_source: 'grader',
      },
      'huge-model': { quality: 0, answer: 'wide'.repeat(100), label_source: 'grader' },
    },
  },
];

describe('labels on the dashboard in Chromium', () => {
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

  /** A page of a browser of its own, signed in. */
  async function opened(
    context: TestContext,
    server: Awaited<ReturnType<typeof labelServer>>,
    role: 'operate' | 'admin',
    { width, colorScheme = 'light', ...further }: View,
  ) {
    const own = await browserOrSkip(browser, context).newContext({
      viewport: { width, height: 900 },
      colorScheme,
      ...further,
    });
    context.onTestFinished(() => own.close());
    const page = await own.newPage();
    const trouble: string[] = [];
    page.on('console', (one) => trouble.push(`console ${one.text()}`));
    page.on('pageerror', (one) => trouble.push(`error ${one.message}`));
    page.on('dialog', (one) => trouble.push(`dialog ${one.message()}`));
    await page.goto(`${server.url}/dashboard`);
    await page.getByLabel('API key').fill(server.keys[role].key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Live' }).waitFor();
    trouble.length = 0; // the first page was a 401, which the console says
    return { page, trouble };
  }

  /** By plain forms: the first reply good, the other not, until nothing is left. */
  async function gradeAll(page: Page, url: string, cases = 99): Promise<void> {
    await page.goto(`${url}/dashboard/labels/review`);
    const begin = page.getByRole('button', { name: 'Begin' });
    if (await begin.isVisible()) await begin.click();
    for (let i = 0; i < cases; i++) {
      if ((await page.locator('form.bar').count()) === 0) return;
      await page.locator('input[name="grade-0"][value="good"]').check({ force: true });
      await page.locator('input[name="grade-1"][value="bad"]').check({ force: true });
      await page.locator('.bar button.primary').click();
    }
  }

  test.for([
    ['light', 320],
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 2560],
  ] as const)(
    'each page, %s, %i pixels: nothing that axe finds, no error, nothing too wide',
    { timeout: PAGE_MS },
    async ([colorScheme, width], context) => {
      const server = await labelServer(HARD_CASES, { scores: true });
      const bob = await opened(context, server, 'admin', { width: 1280 });
      await gradeAll(bob.page, server.url);
      const { page, trouble } = await opened(context, server, 'operate', {
        width,
        colorScheme,
        bypassCSP: true, // for axe, which is put into the page; that the policy holds, other tests say
      });
      const found: [string, string[]][] = [];
      const look = async (place: string) => {
        await page.goto(`${server.url}/dashboard/labels${place}`);
        found.push([place, await pageFaults(page)]);
      };
      await look('');
      await look('/review');
      await page.getByRole('button', { name: 'Begin' }).click();
      for (let i = 0; i < HARD_CASES.length; i++) {
        const isHard = (await page.locator('main').innerText()).includes('The committee met');
        if (i === 0 || isHard) found.push([`case ${i}`, await pageFaults(page)]);
        await gradeAll(page, server.url, 1);
      }
      await look('');
      await look('/review/end');
      await look('/case/1');
      await page.getByRole('button', { name: 'Show what was said' }).click();
      await page.getByText('Other labels').waitFor();
      found.push(['what was said', await pageFaults(page)]);
      expect(found.length).toBeGreaterThanOrEqual(7);
      expect(found.filter(([, all]) => all.length > 0)).toEqual([]);
      expect(trouble).toEqual([]);
    },
  );

  test('by keyboard alone: grade, take back, skip, a note, settle', { timeout: PAGE_MS }, async (context) => {
    const server = await labelServer(judgedCases(4));
    const bob = await opened(context, server, 'admin', { width: 1280 });
    await gradeAll(bob.page, server.url);
    const { page, trouble } = await opened(context, server, 'operate', { width: 1280 });
    await page.goto(`${server.url}/dashboard/labels`);
    const { keyboard } = page;
    async function tabTo(selector: string): Promise<void> {
      const isThere = () => page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`);
      for (let i = 0; i < 60 && !(await isThere()); i++) await keyboard.press('Tab');
      expect([selector, await isThere()]).toEqual([selector, true]);
    }
    await tabTo('.heading a.button');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Grade replies' }).waitFor();
    await tabTo('.panel button.primary');
    await keyboard.press('Enter');
    const progress = () => page.locator('.count').innerText();
    await expect.poll(progress).toBe('0 of 4');
    await keyboard.press('Enter'); // nothing is chosen yet
    expect(await page.locator('[data-said]').innerText()).toContain('has no grade yet');
    async function press(...keys: string[]): Promise<void> {
      for (const key of keys) await keyboard.press(key);
    }
    await press('2', '4', 'Enter'); // A not good enough, B good enough
    await expect.poll(progress).toBe('1 of 4');
    await page.waitForTimeout(NO_DOUBLE_PRESS_MS);
    await press('u');
    await expect.poll(progress).toBe('0 of 4');
    await page.getByText('Your last answer was taken back.').waitFor();
    await press('n');
    await keyboard.type('1 2 u: a note');
    await press('Escape', '2', '4', 'Enter');
    await expect.poll(progress).toBe('1 of 4');
    await page.waitForTimeout(NO_DOUBLE_PRESS_MS);
    await press('s');
    await expect.poll(progress).toBe('1 of 4, 1 skipped');
    for (const done of ['2 of 4, 1 skipped', '3 of 4, 1 skipped', '4 of 4']) {
      await press('2', '4', 'Enter');
      if (done !== '4 of 4') await expect.poll(progress).toBe(done);
    }
    await page.getByRole('heading', { name: 'All done' }).waitFor();
    await page.getByRole('link', { name: 'Labels', exact: true }).first().press('Enter');
    await page.getByRole('heading', { name: 'Contradictions' }).waitFor();
    await page.locator('td, th').getByRole('link', { name: /^Case/ }).first().press('Enter');
    await page.getByRole('button', { name: 'Show what was said' }).waitFor();
    await tabTo('.panel button.primary');
    await keyboard.press('Enter');
    await page.getByText('Other labels').waitFor();
    expect(await page.locator('main').innerText()).not.toMatch(/tiny-model|huge-model/);
    await press('1', '4', 'Enter');
    await page.getByText('is settled.').waitFor();
    expect(trouble).toEqual([]);
    const grades = readFileSync(server.options.out, 'utf8');
    expect(grades).toContain('1 2 u: a note');
    expect(grades.match(/"kind":"settle"/g)).toHaveLength(1);
  });

  test('without a script it is plain forms', { timeout: PAGE_MS }, async (context) => {
    const server = await labelServer(judgedCases(3));
    const { page } = await opened(context, server, 'operate', { width: 390, javaScriptEnabled: false });
    await gradeAll(page, server.url, 1);
    await page.locator('.bar button.primary').click(); // nothing is chosen
    expect(await page.locator('.notice').innerText()).toContain('Grade each reply, or skip the case.');
    await page.getByRole('button', { name: 'Skip' }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await page.locator('.notice').innerText()).toContain('taken back');
    await gradeAll(page, server.url);
    expect(await page.locator('h1').innerText()).toBe('All done');
  });
});
