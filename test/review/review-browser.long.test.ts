import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { axeViolations } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium, watchPage } from '../helpers/chromium.ts';
import { OVERFLOW } from '../report/page-checks.ts';
import { gradeAll, reviewCases, reviewFolder, servedReview } from './review-world.ts';

const PARAGRAPH = 'The committee met in March, and it met again in May. ';
const PYTHON =
  'So:\n\n```python\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)  # far too slow for large n, by far\n```';

/** What strains a page: code, JSON, Arabic, long words and long requests, conversations, nothing at all. */
const CASES = [
  { prompt: 'Write f.', answers: [PYTHON, `${PYTHON}\n\n${'x'.repeat(300)}`] },
  { prompt: 'Give JSON.', answers: ['{"total":1.0,"id":12345678901234567890,"list":[{"a":"<b>"}]}', ''] },
  { prompt: 'ما هي عاصمة المغرب؟', answers: ['عاصمة المغرب هي الرباط.', 'It is Rabat (الرباط).'] },
  {
    prompt: `${PARAGRAPH.repeat(100)}\n\nWhat did it do in May?`,
    answers: ['It met.', PARAGRAPH.repeat(40)],
  },
].map(({ prompt, answers: [tiny, huge] }, i) => ({
  id: `c${i}`,
  ...(i === 3
    ? {
        messages: [
          { role: 'system', content: 'You read reports.' },
          { role: 'user', content: 'May I ask?' },
          { role: 'assistant', content: 'Please do.' },
          { role: 'user', content: prompt },
        ],
      }
    : { prompt }),
  reference: i === 2 ? 'Rabat' : undefined,
  outcomes: { 'tiny-model': { quality: 1, answer: tiny }, 'huge-model': { quality: 1, answer: huge } },
}));

describe('the review page in Chromium', () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** A page of a browser of its own, at the link. */
  async function opened(context: TestContext, link: string): Promise<{ page: Page; trouble: string[] }> {
    const own = await browserOrSkip(browser, context).newContext();
    context.onTestFinished(() => own.close());
    const page = await own.newPage();
    const trouble = watchPage(page);
    await page.goto(link);
    await page.waitForURL(/\/(?:grade|summary)/);
    return { page, trouble };
  }

  test('ten cases by keyboard alone, one taken back, a reload, and the agreement', async (context) => {
    const { server, review } = await servedReview(reviewFolder(reviewCases(10)), { overlap: 1, repeat: 0 });
    const isBad = (candidate: string, id: string) => candidate === 'tiny-model' && ['q0', 'q5'].includes(id);
    gradeAll(review, 'bob', (candidate, id) => (isBad(candidate, id) ? 'bad' : 'good'));
    const { page, trouble } = await opened(context, server.links.reviewers.get('ann') ?? '');
    const { keyboard } = page;
    const graded = () => page.locator('.count').textContent();
    /** As bob, but that ann likes one reply more. */
    async function gradeThis(): Promise<void> {
      const prompt = await page.locator('.request .text').textContent();
      for (const at of [0, 1]) {
        const reply = (await page.locator('.reply .text').nth(at).textContent()) ?? '';
        const bad = reply.startsWith('The answer is not') && !prompt?.includes('Question 5?');
        await keyboard.press(String(at * 3 + (bad ? 2 : 1)));
      }
      const url = page.url();
      await keyboard.press('Enter');
      await page.waitForURL((one) => one.href !== url);
      await keyboard.press('Enter'); // a second press: nothing is chosen there, and nothing is sent
    }
    for (let i = 0; i < 6; i++) await gradeThis();
    expect(await graded()).toBe('6 of 10');

    await page.waitForTimeout(400); // no second press of the key that led here
    await keyboard.press('u');
    await page.waitForURL(/undone/);
    expect(await graded()).toBe('5 of 10');
    await page.reload();
    expect(await graded()).toBe('5 of 10');
    await gradeThis();
    await keyboard.press('n');
    await keyboard.type('1 2 u: a note, no keys');
    await keyboard.press('Escape');
    await gradeThis();
    await keyboard.press('b'); // back to it
    await page.waitForURL(/grade/);
    await expect.poll(() => page.locator('textarea').inputValue()).toBe('1 2 u: a note, no keys');
    expect(await page.locator('.bar input:checked').count()).toBe(2);
    await keyboard.press('f');
    await page.waitForTimeout(400);
    await keyboard.press('s'); // comes again at the end
    await expect.poll(graded).toBe('7 of 10, 1 skipped');
    for (let i = 0; i < 2; i++) await gradeThis();
    await gradeThis();
    await page.waitForURL(/done/);
    expect(await page.locator('h1').textContent()).toBe('All done');
    expect(review.progress('ann')).toEqual({ graded: 10, skipped: 0, total: 10 });

    const lead = await opened(context, server.links.lead);
    const summary = await lead.page.locator('main').innerText();
    // q0 is bad to both, q5 to bob alone: 19 of 20 replies equal, kappa (.95 - (.05 .1 + .95 .9)) / (1 - …)
    expect(summary).toContain('ann and bob\t10\t20\t9 of 10 (55.5 % to 99.7 %)\t0.64');
    expect(summary).toMatch(/1 case on which .*; 1 open/);
    await lead.page.keyboard.press('Tab');
    await lead.page.getByRole('link', { name: /^Case \d+$/ }).press('Enter');
    await lead.page.waitForURL(/case/);
    for (const key of ['1', '4', 'Enter']) await lead.page.keyboard.press(key);
    await expect.poll(() => lead.page.locator('.disagreements').innerText()).toContain('Settled');

    const elsewhere = [...trouble, ...lead.trouble].filter(
      (one) => !one.startsWith(`request ${server.url}/`),
    );
    expect(elsewhere).toEqual([]);
  });

  test('without single keys, by Tab, space and arrows; and a form is not sent twice', async (context) => {
    const { server, review } = await servedReview(reviewFolder(reviewCases(3)), {
      reviewers: ['ann'],
      repeat: 0,
    });
    const { page } = await opened(context, server.links.reviewers.get('ann') ?? '');
    const { keyboard } = page;
    await keyboard.press('?');
    await page.getByRole('checkbox', { name: 'Single keys are on' }).press(' ');
    await keyboard.press('Escape');
    await keyboard.press('1');
    expect(await page.locator('.bar input:checked').count()).toBe(0);
    await page.locator('.jump').focus();
    await keyboard.press('Enter');
    await keyboard.press('Tab');
    await keyboard.press(' ');
    await keyboard.press('Tab');
    await keyboard.press(' ');
    await keyboard.press('ArrowRight');
    expect(
      await page
        .locator('.bar input:checked')
        .evaluateAll((all) => all.map((one) => one.getAttribute('value'))),
    ).toEqual(['good', 'bad']);
    const first = page.url();
    await page.locator('.bar .primary').dblclick();
    await page.waitForURL((one) => one.href !== first);
    expect(review.progress('ann').graded).toBe(1);
    await page.locator('.bar .primary').click(); // nothing is chosen
    expect(await page.locator('[data-said]').textContent()).toContain('Reply A has no grade yet');
    expect(review.progress('ann').graded).toBe(1);
    const second = page.url();
    for (const at of [0, 3]) await page.locator('.grade').nth(at).click();
    await page.locator('.bar .primary').click(); // what was refused before can be sent
    await page.waitForURL((one) => one.href !== second);
    expect(review.progress('ann').graded).toBe(2);
    await page.locator('.note summary').click();
    await page.keyboard.type('by mouse');
    expect(await page.locator('textarea').inputValue()).toBe('by mouse');
  });

  test('a link on another site leads in, and that site can neither frame the page nor send its forms', async (context) => {
    const { server, review } = await servedReview(reviewFolder(reviewCases(3)), { reviewers: ['ann'] });
    const [screen] = review.queue('ann');
    const other = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<a href="${server.links.reviewers.get('ann')}">link</a><iframe src="${server.url}/grade/${screen?.id}"></iframe>
<form method="post" action="${server.url}/grade/${screen?.id}"><input name="grade-0" value="good"><input name="grade-1" value="good"><input name="revision" value="0"><button>send</button></form>`);
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    context.onTestFinished(() => void other.close());
    const elsewhere = `http://localhost:${(other.address() as AddressInfo).port}/`; // another site than 127.0.0.1
    const page = await browserOrSkip(browser, context).newPage();
    context.onTestFinished(() => page.close());
    await page.goto(elsewhere);
    await page.getByRole('link').click();
    await page.waitForURL(/\/grade\//);
    await page.goto(elsewhere);
    expect(page.frames().map((one) => one.url())).not.toContain(`${server.url}/grade/${screen?.id}`);
    await page.getByRole('button').click();
    await page.waitForURL(/\/grade\//);
    expect(await page.locator('h1').textContent()).toBe('Another page');
    expect(review.progress('ann').graded).toBe(0);
  });

  test('axe finds nothing, and nothing is wider than the window, in light and dark, on phones and screens', async (context) => {
    const { server, review } = await servedReview(reviewFolder(CASES), {
      overlap: 1,
      repeat: 0.5,
      withScores: true,
    });
    for (const [name, last] of [
      ['ann', 'good'],
      ['bob', 'bad'],
    ] as const) {
      const [one] = review.queue(name).filter(({ case: id }) => id === 'c0');
      if (one)
        review.grade(name, one, {
          grades: [{ grade: 'good', score: 8 }, { grade: last }],
          note: 'Too slow.',
          revision: 0,
        });
    }
    const ann = await opened(context, server.links.reviewers.get('ann') ?? '');
    const lead = await opened(context, server.links.lead);
    const stranger = await browserOrSkip(browser, context).newPage();
    context.onTestFinished(() => stranger.close());
    const visits: [Page, string][] = [
      ...CASES.map(({ id }): [Page, string] => [
        ann.page,
        `/grade/${review.queue('ann').find((one) => one.case === id)?.id}`,
      ]),
      [ann.page, '/summary'],
      [lead.page, '/summary'],
      [lead.page, `/summary/case/${review.cases.indexOf('c0') + 1}`],
      [stranger, '/'],
    ];
    for (const [page, target] of visits) {
      await page.goto(server.url + target);
      await expectWellMade(page, target);
    }
    await ann.page.goto(server.url);
    await ann.page.keyboard.press('?');
    await expectWellMade(ann.page, 'the keys');
    gradeAll(review, 'ann', () => 'good');
    await ann.page.goto(`${server.url}/done`);
    await expectWellMade(ann.page, '/done');
    for (const { trouble } of [ann, lead]) {
      expect(trouble.filter((one) => !/^request |403 \(Forbidden\)/.test(one))).toEqual([]);
    }
  }, 240_000);

  async function expectWellMade(page: Page, name: string): Promise<void> {
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const width of [390, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await axeViolations(page), `${name}, ${scheme}, ${width} pixels`).toEqual([]);
      }
    }
    for (const width of [320, 390, 1280, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(OVERFLOW), `${name}, ${width} pixels`).toBeLessThanOrEqual(0);
    }
  }
});
