import { describe, expect, it } from 'vitest';
import { htmlReport } from '../../evals/report/html/page.ts';
import { junitReport, markdownReport, terminalReport } from '../../evals/report/index.ts';
import { decisionsVerdict, HOSTILE, madeUpVerdict } from './made-up-verdict.ts';

const verdict = decisionsVerdict();
const previous = madeUpVerdict();

describe('reports of decisions that were made elsewhere', () => {
  it.each([
    ['terminal', terminalReport(verdict, { colour: false, previous })],
    ['Markdown', markdownReport(verdict, { previous })],
    ['JUnit', junitReport(verdict)],
    ['page', htmlReport(verdict, { previous })],
  ])('%s: names the decisions, no artifact, and no name does harm', (_, report) => {
    expect(report).toContain('decisions');
    expect(report).not.toMatch(/threshold 0|version 3|undefined|NaN|\[object/);
    expect(report).not.toContain('\u001b');
  });

  it('on the terminal: who decided between what, and that nothing serves by it', () => {
    const [summary, , first, second] = terminalReport(verdict, { colour: false }).split('\n');
    expect(summary).toMatch(/^Do not use the decisions in /);
    expect(first).toContain('decisions made elsewhere between');
    expect(first).toMatch(/ < large, suite /);
    expect(second).toMatch(
      /^Issued \d{4}-\d\d-\d\d\. It is of these decisions alone: nothing serves by it\.$/,
    );
  });

  it('no markup gets through', () => {
    expect(HOSTILE).toContain('<script');
    for (const report of [junitReport(verdict), markdownReport(verdict), htmlReport(verdict)]) {
      expect(report).not.toContain('<script');
    }
    expect(markdownReport(verdict).split('\n')[0]).toBe(
      `<!-- plimsoll-gate:${encodeURIComponent(HOSTILE.replace('\u001b', '\ufffd'))} -->`,
    );
  });

  it('the page has no figure of scores', () => {
    const page = htmlReport(verdict);
    expect(page).not.toMatch(/Predicted loss by outcome|Are the probabilities right|The thick line/);
    expect(page).toContain('Broken lines are the baselines');
    expect(page).toContain('d'.repeat(64));
  });
});
