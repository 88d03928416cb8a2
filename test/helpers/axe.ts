import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { OVERFLOW } from '../report/page-checks.ts';

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/**
 * Every violation of axe-core's default rules (WCAG A and AA, and its best practices) on a page whose details are all open.
 * The page's policy must let scripts in (`bypassCSP`).
 */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
  await page.evaluate(axe.source);
  // preload fetches style sheets, which a page of a file cannot
  const { violations } = await page.evaluate<{ violations: Violation[] }>('axe.run({ preload: false })');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

/** Those, and whether the page is wider than its window. */
export async function pageFaults(page: Page): Promise<string[]> {
  const violations = await axeViolations(page);
  const beyond = await page.evaluate(OVERFLOW);
  return beyond === 0 ? violations : [...violations, `${beyond} pixels too wide`];
}
