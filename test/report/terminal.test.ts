import { describe, expect, it } from 'vitest';
import { conditionRows } from '../../evals/report/condition-text.ts';
import { terminalReport } from '../../evals/report/index.ts';
import {
  failingVerdict,
  HOSTILE,
  hostileVerdict,
  ladderVerdict,
  madeUpVerdict,
  passingVerdict,
  previousVerdict,
} from './made-up-verdict.ts';

const ESCAPE = '\u001b';
const plain = { colour: false };

describe('the report on a terminal', () => {
  it('says in a sentence what it comes to, then what was judged and how it came out', () => {
    expect(terminalReport(madeUpVerdict(), plain).split('\n')[2]).toBe(
      'INCONCLUSIVE  starter, policy default version 3, threshold 0.1235, suite everyday, 2,747 sealed cases',
    );
    expect(terminalReport(passingVerdict(), plain)).toMatch(
      /^Sending 32 % of requests to mixtral-8x7b saves about 31 % .*\n\nPASS .*\nIssued 2026-11-21, counts until 2027-02-19\./,
    );
    expect(terminalReport(failingVerdict(), plain)).toMatch(/^Do not use .*\n\nFAIL /);
  });

  it('has a line for each condition, with bound, limit and n', () => {
    const text = terminalReport(madeUpVerdict(), plain);
    expect(text).toMatch(
      /^quality-loss +0\.0144 +0\.0097 to 0\.0193 +at most 0\.0200 +2,747 +promised +PASS$/m,
    );
    expect(text).toMatch(
      /^escalation-rate +68\.3 % +66\.8 % to 69\.8 % +1\.0 % to 99\.0 % +2,747 +described +PASS$/m,
    );
    expect(text).toMatch(
      /^beats-random +0\.0370 +at least 0\.0241 +at least 0\.0000 +2,747 +described +PASS$/m,
    );
    expect(text).toMatch(
      /^slice\/law +0\.0327 +0\.0051 to 0\.0644 +at most 0\.0500 +214 +promised +INCONCLUSIVE$/m,
    );
    expect(text).toMatch(/^calibration\/strong +– +– +at most 0\.0500 +0 +described +INCONCLUSIVE$/m);
    expect(text).toMatch(/^hard-cases\/kept-cheap +81\.3 % +– +at least 70\.0 % +80 +other cases +PASS$/m);
    expect(text).toContain(
      'slice/law: the slice has few cases; about 1,180 further cases would probably decide',
    );
  });

  it('has the baselines beside the policy, and whether routing pays', () => {
    const text = terminalReport(madeUpVerdict(), plain);
    expect(text).toMatch(/^this policy +68\.3 % +76\.0 % +\$7\.180 +0\.6233 +29\.1 % +55\.2 %$/m);
    expect(text).toMatch(/^always cheap +0\.0 % +61\.2 % +\$0\.240 +– +– +–$/m);
    expect(text).toContain('\nRouting pays here: ');
    expect(text).toContain(
      '\nExcluded: 1,204 duplicates. 31 cases lack a label: those that the policy escalates lose nothing, and 12 that it keeps cheap count as a loss of 1. The tables of rungs, costs and baselines are about the',
    );
  });

  it('has a line for each language, and says where the vocabulary cannot read it', () => {
    const text = terminalReport(madeUpVerdict(), plain);
    expect(text).toMatch(/^de +43 +46\.5 % +0\.0012 +-0\.0691 to 0\.0715 +–$/m);
    expect(text).toMatch(/^zh +40 +100\.0 % +0\.0000 .* 90\.0 %$/m);
    expect(text).toContain("a script that the encoder's vocabulary lacks");
    expect(terminalReport(ladderVerdict(), plain)).not.toMatch(/^language /m);
  });

  it('is loud about earlier looks, and quiet where there are none', () => {
    const first = terminalReport(madeUpVerdict(), plain);
    expect(first).toContain('\nFirst look at these sealed cases: ');
    expect(first).toContain('each demand of the promise was tested at a confidence of 97 %');
    expect(first).not.toContain('WARNING');
    const text = terminalReport(failingVerdict(), plain);
    expect(text).toContain('WARNING: Look 5 at these sealed cases, or at some of them: ');
    expect(text).toContain('each demand of the promise was tested at a confidence of 99.88 %');
    expect(text).toMatch(/^2026-10-02 +starter-old +0\.0800 +everyday +FAIL$/m);
  });

  it('says that it repeats a look, where others were taken since', () => {
    const verdict = madeUpVerdict();
    const looks = { ...verdict.looks, head: '9'.repeat(64) };
    const text = terminalReport({ ...verdict, looks }, plain);
    expect(text).toContain(
      '\nThis repeats look 1 at these sealed cases, as it is on record: each demand of the promise was tested at a confidence of 97 %. Others were taken since',
    );
    expect(text).not.toMatch(/First look|WARNING/);
  });

  it.each([
    [0.06004, '0.06004', '0.06000'],
    [0.0600001, '0.0600001', '0.0600000'],
    [0.06, '0.0600', '0.0600'],
    [0.06 + 1e-16, '0.0600', '0.0600'],
    [0.061, '0.0610', '0.0600'],
  ])('shows so many digits that a bound of %f does not look like the limit of .06', (upper, bound, limit) => {
    const [first] = madeUpVerdict().conditions;
    const condition = { ...first!, bounds: { lower: 0.059, upper }, limits: { max: 0.06 } };
    const [, row] = conditionRows([condition]);
    const digits = limit.length - 2;
    expect(row!.slice(2, 4)).toEqual([`${(0.059).toFixed(digits)} to ${bound}`, `at most ${limit}`]);
  });

  it('names each reason for which rows were not judged, and nothing else', () => {
    const { sealed } = madeUpVerdict();
    const none = { duplicates: 0, rejected: 0, seen: 0, seen_group: 0 };
    const whole = { ...sealed, labelled: sealed.n, unknown_losses: 0 };
    const lastOf = (excluded: typeof none) =>
      terminalReport(madeUpVerdict({ sealed: { ...whole, excluded } }), plain)
        .trimEnd()
        .split('\n')
        .at(-1);
    expect(lastOf(none)).toBe('No case was excluded.');
    expect(lastOf({ duplicates: 1, rejected: 2, seen: 3, seen_group: 4 })).toBe(
      'Excluded: 3 seen in training or calibration, 4 in one group with a seen question, 1 duplicates, 2 rejected rows.',
    );
  });

  it('uses colour only when it is told to, and keeps the columns in line', () => {
    expect(terminalReport(failingVerdict(), plain)).not.toContain(ESCAPE);
    const coloured = terminalReport(failingVerdict(), { colour: true });
    expect(coloured).toContain(`${ESCAPE}[31mFAIL${ESCAPE}[0m`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is taken off
    expect(coloured.replace(/\u001b\[[\d;]*m/g, '')).toBe(terminalReport(failingVerdict(), plain));
  });

  it('lets no name write escape codes', () => {
    const text = terminalReport(hostileVerdict(), plain);
    expect(text).not.toContain(ESCAPE);
    expect(text).toContain(HOSTILE.replace(ESCAPE, '\ufffd'));
  });

  it('shows dashes for what is undefined', () => {
    const text = terminalReport(ladderVerdict(), plain);
    expect(text).toMatch(/^this policy +68\.3 % +76\.0 % +– +– +– +–$/m);
    expect(text).not.toMatch(/NaN|null|undefined%/);
  });

  it('shows what has changed since the previous verdict', () => {
    const text = terminalReport(madeUpVerdict(), { ...plain, previous: previousVerdict() });
    expect(text).toContain('Against the previous verdict: FAIL before, INCONCLUSIVE now.');
    expect(text).toMatch(/^quality-loss +0\.0244 +0\.0144 +-0\.0100 +FAIL -> PASS \(better\)$/m);
    expect(terminalReport(madeUpVerdict(), plain)).not.toContain('previous');
  });

  it('refuses evidence that the gate did not write', () => {
    expect(() => terminalReport({ ...madeUpVerdict(), evidence: {} }, plain)).toThrow(
      /The verdict's evidence is wrong at candidates/,
    );
  });
});
