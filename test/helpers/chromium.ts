import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, type TestContext } from 'vitest';

const EXECUTABLE = process.env['PLIMSOLL_CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const SKIPPED = `no Chromium at ${EXECUTABLE} (Debian: chromium; PLIMSOLL_CHROMIUM names another place); PLIMSOLL_REQUIRE_BROWSER=1 makes this a failure`;

/** Undefined if there is none on this machine. */
export async function launchChromium(): Promise<Browser | undefined> {
  if (!existsSync(EXECUTABLE)) return undefined;
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS.split(' ') });
}

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
