import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { PAGES } from '../../router/dashboard/pages.ts';
import { GRADED } from '../../router/records/index.ts';
import { PRICED_MODELS } from '../gateway/running-gateway.ts';
import { pageFaults } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium } from '../helpers/chromium.ts';
import { type DashboardServer, dashboardServer, scratch } from './dashboard-client.ts';
import { EXPERIMENTS, layExperiments } from './experiment-records.ts';

const MAX_FIRST_LOAD = 100_000;
/** axe takes a second a page, and several on a busy machine. */
const EVERY_PAGE_MS = 300_000;
const REPLIES_MS = 30_000;

describe('the dashboard in Chromium', () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** With a state, limits, a watch, and requests that were routed, refused and named their model. */
  async function usedServer(): Promise<DashboardServer> {
    const server = await dashboardServer(
      {
        state: { kind: 'sqlite', url: path.join(scratch(), 'state.db') },
        decision_log: { to: 'state' },
        models: PRICED_MODELS,
        profiles: { support: {}, old: {}, next: {} },
        limits: [
          { for: {}, windows: [{ month: '5 usd' }, { '1m': '600 requests' }] },
          { for: { provider: 'first' }, windows: [{ '1m': '500 requests' }, { '1m': '200000 tokens' }] },
        ],
        watch: {},
        experiments: EXPERIMENTS,
        people: { desk: { cost_per_minute_usd: 0.6, minutes: 4 } },
        allow_ungated: true,
      },
      { banner: 'A demonstration: this traffic is made up.' },
    );
    await layExperiments(server.gateway.state!);
    await ask(server, 'auto', 'What is the capital of France?');
    await ask(server, 'auto:support', 'Prove that there are infinitely many primes.');
    await ask(server, 'human/desk', `<img src=x onerror=alert(1)> ${'wide'.repeat(200)}`);
    await ask(server, 'first/small', '<img src=x onerror=alert(1)>');
    await ask(server, '<script>alert(1)</script>', 'Hello');
    return server;
  }

  async function ask({ url, keys }: DashboardServer, model: string, content: string): Promise<void> {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.none.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, max_tokens: 20, messages: [{ role: 'user', content }] }),
    });
    await response.text();
  }

  /** A page of a browser of its own. */
  async function opened(
    context: TestContext,
    view: { readonly width: number; readonly colorScheme: 'light' | 'dark'; readonly noScript?: true },
  ): Promise<{ page: Page; trouble: string[] }> {
    const { width, colorScheme, noScript } = view;
    const own = await browserOrSkip(browser, context).newContext({
      viewport: { width, height: 900 },
      colorScheme,
      javaScriptEnabled: noScript !== true,
      bypassCSP: noScript !== true, // for axe, which is put into the page; that the policy holds, other tests say
    });
    context.onTestFinished(() => own.close());
    const page = await own.newPage();
    const trouble: string[] = [];
    page.on('console', (one) => trouble.push(`console ${one.text()}`));
    page.on('pageerror', (one) => trouble.push(`error ${one.message}`));
    page.on('dialog', (one) => trouble.push(`dialog ${one.message()}`));
    return { page, trouble };
  }

  async function signIn(page: Page, { url, keys }: DashboardServer): Promise<void> {
    await page.goto(`${url}/dashboard`);
    await page.getByLabel('API key').fill(keys.admin.key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Live' }).waitFor();
  }

  /** What the playground decided on a prompt, and what the candidates replied. */
  async function tryPrompt(page: Page, { url }: DashboardServer, prompt: string): Promise<string> {
    await page.goto(`${url}/dashboard/playground`);
    await page.getByLabel('Prompt').fill(prompt);
    await page.getByRole('button', { name: 'Decide' }).click();
    await page.getByRole('button', { name: 'Ask them' }).click();
    await page.getByRole('button', { name: 'Keep the grades' }).waitFor({ timeout: REPLIES_MS });
    return page.url();
  }

  test.for(
    (['light', 'dark'] as const).flatMap((scheme) =>
      [320, 390, 1280, 2560].map((width) => [scheme, width] as const),
    ),
  )(
    'each page, %s, %i pixels: nothing that axe finds, no error, nothing too wide',
    { timeout: EVERY_PAGE_MS },
    async ([colorScheme, width], context) => {
      const server = await usedServer();
      const { page, trouble } = await opened(context, { width, colorScheme });
      await page.goto(`${server.url}/dashboard`);
      expect(await pageFaults(page)).toEqual([]);
      await signIn(page, server);
      // the first page was a 401, which the console says
      expect(trouble.splice(0).filter((one) => !one.includes('401'))).toEqual([]);
      const id = server.gateway.activity.recent()[1]!.id;
      const [task] = await server.gateway.people!.waiting({ name: 'test', team: undefined });
      const tried = await tryPrompt(page, server, `<img src=x onerror=alert(1)> ${'wide'.repeat(200)}`);
      const pages = [
        ...PAGES.map(({ path: one }) => one),
        `live/${id}`,
        `people/${task!.id}`,
        tried.split('/dashboard/')[1]!,
      ];
      for (const place of pages) {
        await page.goto(`${server.url}/dashboard/${place}`);
        expect([place, await pageFaults(page)]).toEqual([place, []]);
      }
      expect(trouble).toEqual([]);
    },
  );

  test('by keyboard alone: sign in, go to a page, switch the colours, sign out', async (context) => {
    const server = await dashboardServer();
    const { page } = await opened(context, { width: 1280, colorScheme: 'light' });
    await page.goto(`${server.url}/dashboard`);
    const { keyboard } = page;
    const focused = () =>
      page.evaluate('document.activeElement?.textContent?.trim() || document.activeElement?.id');
    async function tabTo(wanted: string): Promise<void> {
      for (let i = 0; i < 30 && (await focused()) !== wanted; i++) await keyboard.press('Tab');
      expect(await focused()).toBe(wanted);
    }
    await tabTo('Skip to the page');
    await tabTo('key');
    await keyboard.type(server.keys.view.key);
    await keyboard.press('Enter');
    await page.waitForURL(/\/dashboard$/);
    await page.getByRole('link', { name: 'Verdicts', exact: true }).first().waitFor();
    await tabTo('Verdicts');
    await keyboard.press('Enter');
    await page.waitForURL(/verdicts/);
    await tabTo('Dark');
    await keyboard.press('Enter');
    await page.reload();
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await tabTo('Sign out');
    await keyboard.press('Enter');
    await page.getByLabel('API key').waitFor();
  });

  test('the playground by keyboard alone: a prompt, the replies, a grade', async (context) => {
    const server = await usedServer();
    const { page, trouble } = await opened(context, { width: 1280, colorScheme: 'light' });
    await signIn(page, server);
    await page.goto(`${server.url}/dashboard/playground`);
    const { keyboard } = page;
    async function tabTo(selector: string): Promise<void> {
      const isThere = () => page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`);
      for (let i = 0; i < 60 && !(await isThere()); i++) await keyboard.press('Tab');
      expect([selector, await isThere()]).toEqual([selector, true]);
    }
    await tabTo('#prompt');
    await keyboard.type('What is <b>2 + 2</b>?');
    await tabTo('form.answer button');
    await keyboard.press('Enter');
    await page.waitForURL(/playground\/play_/);
    expect(await page.locator('main').innerText()).toContain('What is <b>2 + 2</b>?');
    await tabTo('summary');
    await keyboard.press('Enter');
    await page.getByText('Adds (logit)').first().waitFor();
    await tabTo('form.fields button');
    await keyboard.press('Enter');
    // the script loads the page again when all have replied
    await page.getByRole('button', { name: 'Keep the grades' }).waitFor({ timeout: REPLIES_MS });
    expect(await page.locator('[data-figures]').allInnerTexts()).toEqual([
      expect.stringMatching(/^\$.* tokens in, .* out, first token after .*, all after /),
      expect.stringMatching(/^\$.* tokens in, .* out, first token after .*, all after /),
    ]);
    await tabTo('[name=grade-0]');
    await keyboard.press('ArrowDown'); // from "not graded", the last one, to the first
    await tabTo('[name=grade-1]');
    await keyboard.press('ArrowUp');
    await tabTo('#grades button');
    await keyboard.press('Enter');
    await page.getByText('The grades of 2 replies are kept, with the prompt.').waitFor();
    const [stored] = await server.gateway.state!.log.read(GRADED, { afterSeq: 0, limit: 9 });
    expect(JSON.parse(stored!.body).replies).toMatchObject([{ quality: 1 }, { quality: 0 }]);
    expect(trouble.filter((one) => !one.includes('401'))).toEqual([]);
  });

  test('replies of the playground grow while they are on the page', async (context) => {
    // well below the timeouts of the test's gateway, between two events and for all of it
    const upstream = { chunkMs: 150, words: 40 };
    const server = await dashboardServer({ models: PRICED_MODELS }, { upstream });
    const { page } = await opened(context, { width: 1280, colorScheme: 'light' });
    await signIn(page, server);
    await page.goto(`${server.url}/dashboard/playground`);
    await page.getByLabel('Prompt').fill('What is the capital of France?');
    await page.getByRole('button', { name: 'Decide' }).click();
    await page.getByRole('button', { name: 'Ask them' }).click();
    const reply = page.locator('[data-reply="0"]');
    const figures = page.locator('[data-figures="0"]');
    let part = '';
    await expect
      .poll(
        async () => {
          part = (await reply.textContent()) ?? '';
          return part !== '' && (await figures.textContent());
        },
        { timeout: REPLIES_MS },
      )
      .toMatch(/^Replying/);
    await expect.poll(() => figures.textContent(), { timeout: REPLIES_MS }).toContain('all after');
    const whole = (await reply.textContent()) ?? '';
    expect(whole.length).toBeGreaterThan(part.length);
    expect(whole.startsWith(part)).toBe(true);
    // the script loads the page again when all have replied
    await page.getByText('Grades cannot be kept').waitFor({ timeout: REPLIES_MS });
  });

  test('the playground without a script: the page is loaded again by its link, and takes a grade', async (context) => {
    const server = await usedServer();
    const { page } = await opened(context, { width: 390, colorScheme: 'dark', noScript: true });
    await signIn(page, server);
    await page.goto(`${server.url}/dashboard/playground`);
    await page.getByLabel('Prompt').fill('Name a river in France.');
    await page.getByRole('button', { name: 'Decide' }).click();
    await page.getByRole('button', { name: 'Ask them' }).click();
    const grading = page.getByRole('button', { name: 'Keep the grades' });
    const again = page.getByRole('link', { name: 'Load again' });
    await expect
      .poll(
        async () => {
          if (await again.isVisible()) await again.click();
          return grading.isVisible();
        },
        { timeout: REPLIES_MS },
      )
      .toBe(true);
    await page.getByLabel('good enough', { exact: true }).first().check();
    await grading.click();
    await page.getByText('The grade is kept, with the prompt.').waitFor();
  });

  test('requests come by themselves, stop when paused, and end with the session', async (context) => {
    const server = await usedServer();
    const { page } = await opened(context, { width: 1280, colorScheme: 'light' });
    await signIn(page, server);
    await page.goto(`${server.url}/dashboard/live`);
    const rows = page.locator('.live tbody tr');
    await expect.poll(() => page.locator('[data-live-state]').textContent()).toBe('Live.');
    const before = await rows.count();
    await ask(server, 'auto', 'Translate good morning into French.');
    await expect.poll(() => rows.count()).toBe(before + 1);
    await page.getByRole('button', { name: 'Pause' }).click();
    await ask(server, 'auto', 'And good evening?');
    await expect.poll(() => page.locator('[data-live-state]').textContent()).toBe('Paused, 1 waiting.');
    expect(await rows.count()).toBe(before + 1);
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect.poll(() => rows.count()).toBe(before + 2);
    await rows.first().getByRole('link').click();
    await page.getByRole('heading', { name: 'What was tried' }).waitFor();
    expect(await page.locator('main').innerText()).not.toContain('good evening');
  });

  test('without a script all pages and forms work', async (context) => {
    const server = await usedServer();
    const { page } = await opened(context, { width: 1280, colorScheme: 'dark', noScript: true });
    await signIn(page, server);
    await page.goto(`${server.url}/dashboard/live?model=first%2Fsmall`);
    expect(await page.locator('.live tbody tr').count()).toBeGreaterThan(0);
    await page.goto(`${server.url}/dashboard/keys`);
    await page.getByLabel('Who or what uses it').fill('<b>new</b> & "co"');
    await page.getByRole('button', { name: 'Make the key' }).click();
    expect(await page.locator('.notice').innerText()).toContain('<b>new</b> & "co"');
    await page.locator('summary', { hasText: 'Revoke' }).first().click();
    await page.getByLabel(/Refuse <b>new/).check();
    await page.getByRole('button', { name: 'Revoke the key' }).first().click();
    expect(await page.locator('.notice').innerText()).toContain('is revoked');
  });

  test('what the first visit loads is small, and comes from this server alone', async (context) => {
    const server = await usedServer();
    const { page } = await opened(context, { width: 1280, colorScheme: 'light', noScript: true });
    const loaded: string[] = [];
    page.on('request', (one) => loaded.push(one.url()));
    await signIn(page, server);
    expect(loaded.filter((one) => !one.startsWith(`${server.url}/`))).toEqual([]);
    const files = new Set(loaded.filter((one) => one.includes('/files/')));
    const bodies = await Promise.all([...files].map(async (one) => (await fetch(one)).arrayBuffer()));
    const bytes = bodies.reduce((sum, body) => sum + gzipSync(Buffer.from(body)).length, 0);
    expect(bytes).toBeLessThan(MAX_FIRST_LOAD);
  });
});
