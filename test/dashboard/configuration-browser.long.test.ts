import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pageFaults } from '../helpers/axe.ts';
import { browserOrSkip, launchChromium } from '../helpers/chromium.ts';
import { PROVIDER, servedFile } from './served-file.ts';

let browser: Browser | undefined;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

test('a change of the configuration on a narrow page: what is shown passes axe, and the file has it', async (context) => {
  const open = browserOrSkip(browser, context);
  const { url, keys, read } = await servedFile(
    `${PROVIDER}ladder: { cheap: first/small, strong: first/large }\nlimits:\n  - windows: [{ 24h: 10 usd }]\n`,
  );
  const own = await open.newContext({ viewport: { width: 360, height: 900 }, bypassCSP: true });
  context.onTestFinished(() => own.close());
  const page = await own.newPage();
  await page.goto(`${url}/dashboard/configuration`);
  await page.getByLabel('API key').fill(keys.admin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Live' }).waitFor();
  await page.goto(`${url}/dashboard/configuration`);
  await page.getByText('The ladder', { exact: true }).click();
  await page.getByLabel('Model of cheap').fill('first/other');
  expect(await pageFaults(page)).toEqual([]);
  await page.getByRole('button', { name: 'Show what would change' }).first().click();
  await page.getByRole('heading', { name: 'What would change' }).waitFor();
  await page.getByText('Write it').click();
  expect(await pageFaults(page)).toEqual([]);
  const width = await page.evaluate('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(360);
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Change the configuration' }).click();
  await page.getByText('and in force: ladder.cheap: first/other').first().waitFor();
  expect(await pageFaults(page)).toEqual([]);
  expect(read()).toContain('cheap: first/other');
  await page.getByLabel('Model of cheap').fill('first/small');
  await page.getByRole('button', { name: 'Show what would change' }).first().click();
  await page.getByText('Write it').click();
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Change the configuration' }).click();
  await page.getByText('and in force: ladder.cheap: first/small').first().waitFor();
  expect(await page.locator('#reloads table').count()).toBe(2);
  expect(await pageFaults(page)).toEqual([]);
});
