import { describe, expect, it } from 'vitest';
import { markdownReport } from '../../evals/report/index.ts';
import {
  failingVerdict,
  hostileVerdict,
  ladderVerdict,
  madeUpVerdict,
  passingVerdict,
  previousVerdict,
} from './made-up-verdict.ts';

describe('the report for a pull request', () => {
  it('begins with the mark by which an action finds its comment, the sentence for whoever pays, then word and sign', () => {
    const [first, , sentence, , third] = markdownReport(madeUpVerdict()).split('\n');
    expect(sentence).toMatch(/^Not decided yet: 2,747 test requests /);
    expect(first).toBe('<!-- plimsoll-gate:starter -->');
    expect(third).toBe('## ? INCONCLUSIVE: starter');
    expect(markdownReport(passingVerdict())).toContain('\n## ✓ PASS: starter\n');
    expect(markdownReport(failingVerdict())).toContain('\n## ✗ FAIL: starter\n');
  });

  it('has conditions with signs, notes, and the baselines folded away', () => {
    const text = markdownReport(madeUpVerdict());
    expect(text).toContain(
      '| quality-loss | 0.0144 | 0.0097 to 0.0193 | at most 0.0200 | 2,747 | promised | ✓ PASS |',
    );
    expect(text).toContain(
      '| calibration/strong | – | – | at most 0.0500 | 0 | described | ? INCONCLUSIVE |',
    );
    expect(text).toContain(
      'slice/law: the slice has few cases; about 1,180 further cases would probably decide',
    );
    expect(text).toMatch(/<summary>Baselines<\/summary>\n\n\| baseline [\s\S]*\| oracle [\s\S]*<\/details>/);
  });

  it('warns of earlier looks before it shows figures', () => {
    const text = markdownReport(failingVerdict());
    expect(text.indexOf('> [!WARNING]')).toBeGreaterThan(0);
    expect(text.indexOf('> [!WARNING]')).toBeLessThan(text.indexOf('| condition '));
    expect(markdownReport(madeUpVerdict())).not.toContain('WARNING');
  });

  it('shows what has changed only where there is a previous verdict', () => {
    const text = markdownReport(madeUpVerdict(), { previous: previousVerdict() });
    expect(text).toContain('### Against the previous verdict\n\nFAIL before, INCONCLUSIVE now.');
    expect(text).toContain('| quality-loss | 0.0244 | 0.0144 | -0.0100 | FAIL -&#62; PASS (better) |');
    expect(markdownReport(madeUpVerdict())).not.toContain('previous');
  });

  it('lets no name start a tag, a code span or a cell, or end the comment', () => {
    const text = markdownReport(hostileVerdict(), { previous: hostileVerdict() });
    const ours = text.replace(/^<!-- [^>]* -->|<\/?(details|summary|sub)>|^> |-> /gm, '');
    expect(ours).not.toMatch(/[<>`]/);
    for (const table of text.match(/(^\|.*\n)+/gm)!) {
      expect(new Set(table.trimEnd().split('\n').map(cells)).size).toBe(1);
    }
    expect(text.split('\n')[0]).toMatch(/^<!-- plimsoll-gate:[\w%().!~*'-]+ -->$/);
  });

  it('calls nobody', () => {
    const text = markdownReport(madeUpVerdict({ artifact: { name: '@everyone', sha256: 'a'.repeat(64) } }));
    expect(text).not.toContain('@everyone');
  });

  it('shows dashes for what is undefined', () => {
    const text = markdownReport(ladderVerdict());
    expect(text).toContain('| this policy | 68.3 % | 76.0 % | – | – | – | – |');
    expect(text).not.toMatch(/NaN|null|undefined%/);
  });
});

function cells(row: string): number {
  return row.split('|').length;
}
