import type { Browser, Page } from 'playwright-core';
import { expect, type TestContext } from 'vitest';
import { NO_CHROMIUM } from '../../scripts/bench/browser.ts';

export { launchChromium } from '../../scripts/bench/browser.ts';

const SKIPPED = `${NO_CHROMIUM}; PLIMSOLL_REQUIRE_BROWSER=1 makes this a failure`;

/** Skips the test if there is no browser, with the reason; fails it if one is required. */
export function browserOrSkip(browser: Browser | undefined, context: TestContext): Browser {
  if (browser !== undefined) return browser;
  if (process.env['PLIMSOLL_REQUIRE_BROWSER'] === '1') expect.fail(SKIPPED);
  process.stderr.write(`skipped: ${SKIPPED}\n`);
  return context.skip(SKIPPED);
}

/** Every request, message and error of a page, from now on. */
export function watchPage(page: Page): string[] {
  const trouble: string[] = [];
  page.on('request', (one) => trouble.push(`request ${one.url()}`));
  page.on('console', (one) => trouble.push(`console ${one.text()}`));
  page.on('pageerror', (one) => trouble.push(`error ${one.message}`));
  return trouble;
}
