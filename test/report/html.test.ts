import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { htmlReport } from '../../evals/report/html/page.ts';
import { liftedLabels, stackedLabels } from '../../evals/report/html/quality-plot.ts';
import { readableDomain } from '../../evals/report/html/slices.ts';
import { evidence } from './made-up-evidence.ts';
import {
  failingVerdict,
  HOSTILE,
  hostileVerdict,
  ladderVerdict,
  madeUpVerdict,
  passingVerdict,
  previousVerdict,
} from './made-up-verdict.ts';

const ALL = {
  whole: htmlReport(madeUpVerdict(), { previous: previousVerdict() }),
  ladder: htmlReport(ladderVerdict()),
  hostile: htmlReport(hostileVerdict(), { previous: hostileVerdict(), texts: hostileTexts() }),
};
const FIGURES = [
  'Quality against the share escalated',
  'Quality against cost',
  'Loss by slice',
  'Predicted loss by outcome',
  'Hard cases by slice',
  'Decisions changed by harmless edits',
  'Head cheap',
  'Head strong',
];

describe('the report as a page', () => {
  it('says word, sign and subject at the top', () => {
    expect(textOf(ALL.whole, 'h1')).toBe('? INCONCLUSIVE');
    expect(textOf(htmlReport(passingVerdict()), 'h1')).toBe('✓ PASS');
    expect(textOf(htmlReport(failingVerdict()), 'h1')).toBe('✗ FAIL');
    expect(textOf(ALL.whole, 'header')).toContain('Policy default version 3 at threshold 0.1235');
    expect(textOf(htmlReport(failingVerdict()), '.loud')).toContain('Look 5 at these sealed cases');
  });

  it('has every figure with caption, label and its numbers as a table', () => {
    const figures = [...documentOf(ALL.whole).querySelectorAll('figure')];
    expect(figures.map((one) => one.getAttribute('aria-label'))).toEqual(FIGURES);
    for (const figure of figures) {
      expect(figure.querySelector('figcaption')!.textContent.length).toBeGreaterThan(40);
      expect(figure.querySelector('svg')!.getAttribute('aria-label')!.length).toBeGreaterThan(20);
      expect(figure.querySelectorAll('details tbody tr').length).toBeGreaterThan(2);
    }
  });

  it('leaves out what there is nothing to draw of, and its heading', () => {
    const figures = [...documentOf(ALL.ladder).querySelectorAll('figure')];
    const names = figures.map((one) => one.getAttribute('aria-label'));
    expect(names).toEqual([FIGURES[0], FIGURES[3], 'Head cheap', 'Head middle', 'Head strong']);
    expect(ALL.ladder).not.toContain('Hard cases and harmless edits');
    expect(ALL.ladder).not.toContain('with a pointwise 95 % band');
  });

  it('draws no NaN and writes no null: what is undefined is a dash', () => {
    for (const page of Object.values(ALL)) expect(page).not.toMatch(/NaN|Infinity|>null<|undefined</);
    const baselines = documentOf(ALL.ladder).querySelector('[aria-label="Baselines"]')!;
    expect(cellsOf(baselines.querySelector('tbody tr')!)).toEqual([
      'this policy',
      '68.3 %',
      '76.0 %',
      '–',
      '–',
      '–',
      '–',
    ]);
  });

  it('names every baseline and the operating point in the plot itself', () => {
    const svg = textOf(ALL.whole, 'figure svg');
    for (const { name } of evidence.baselines) expect(svg).toContain(name);
    expect(svg).toContain('this policy 76.0 %');
    const fromOther = htmlReport(
      madeUpVerdict({}, { baselines: [{ ...evidence.baselines[2]!, name: 'this policy', quality: 0.99 }] }),
    );
    expect(textOf(fromOther, 'figure svg')).toContain('this policy 99.0 %');
  });

  it('lets no name and no prompt become a tag', () => {
    const document = documentOf(ALL.hostile);
    expect(ALL.hostile).not.toContain('<script');
    expect(ALL.hostile).not.toContain('\u001b');
    expect([...document.querySelectorAll('script, img, b')]).toEqual([]);
    expect(textOf(ALL.hostile, '[aria-label="Conditions"] tbody th')).toBe(
      `${HOSTILE} 0`.replace('\u001b', '\ufffd'),
    );
    const prompt = document.querySelector('td.prompt')!;
    expect(prompt.textContent).toBe('<b>first line</b>\nsecond line');
  });

  it('says at which confidence each bound is, and why those of the plot of slices are others', () => {
    const [first, second] = madeUpVerdict().conditions;
    const conditions = [0.97, 0.95, 0.97, 0.975, 0.97].map((confidence, i) => ({
      ...(i % 2 === 0 ? first! : second!),
      name: `condition-${i}`,
      confidence,
    }));
    expect(textOf(htmlReport(madeUpVerdict({ conditions })), '[aria-label="Conditions"] + p')).toBe(
      'Each bound is one-sided, at a confidence of 97 %; 95 % for condition-1; 97.5 % for condition-3.',
    );
    expect(textOf(ALL.whole, 'figure[aria-label="Loss by slice"] figcaption')).toMatch(
      /two-sided at the suite's confidence.*each one-sided and at the confidence of this look/,
    );
  });

  it('shows prompts only where they are given', () => {
    expect(ALL.whole).not.toContain('td class="prompt"');
    const [first] = evidence.silent_downgrades.worst;
    const page = htmlReport(madeUpVerdict(), { texts: new Map([[first!.id, 'What is a lien?']]) });
    expect(documentOf(page).querySelectorAll('td.prompt')).toHaveLength(12);
    expect(textOf(page, 'td.prompt')).toBe('What is a lien?');
  });

  it('is the same page, byte for byte, each time', () => {
    expect(htmlReport(madeUpVerdict(), { previous: previousVerdict() })).toBe(ALL.whole);
  });

  it('shows what has changed, and the hashes that it stands on', () => {
    expect(ALL.whole).toContain('FAIL -&gt; PASS (better)');
    expect(htmlReport(madeUpVerdict())).not.toContain('previous verdict');
    const { sha256, artifact, suite, sealed } = madeUpVerdict();
    for (const hash of [sha256, artifact.sha256, suite.sha256, sealed.sha256])
      expect(ALL.whole).toContain(hash);
  });
});

describe('policies at the ends, and figures without a width', () => {
  it.each([0, 0.01, 0.34, 0.97, 1])('draws a policy that escalates %s of the cases', (escalation_rate) => {
    const baselines = evidence.baselines.map((one) => ({ ...one, escalation_rate }));
    expect(htmlReport(madeUpVerdict({}, { escalation_rate, baselines }))).not.toMatch(/NaN|Infinity/);
  });

  it('draws equal qualities, free models, and no curve', () => {
    const flat = { cheap: 1, strong: 1, routed: 1 };
    const free = { ...evidence.cost!, routed_usd: 0, cheap_usd: 0, strong_usd: 0 };
    const page = htmlReport(
      madeUpVerdict(
        {},
        {
          quality: flat,
          cost: free,
          curves: [],
          baselines: [],
          mixing_hull: [{ cost_usd: 0, quality: 1 }],
          candidates: evidence.candidates.map((one) => ({ ...one, cost_usd: 0, quality: 1 })),
          flips: [{ edit: 'case', n: 0, flipped: 0, cheaper: 0 }],
        },
      ),
    );
    expect(page).not.toMatch(/NaN|Infinity/);
    expect(page).toContain('aria-label="Quality against cost"');
  });
});

describe('where the labels and the intervals go', () => {
  it('lifts a label clear of the one that it would cover, and of no other', () => {
    const points = [
      { name: 'low', x: 0.9, y: 0.5 },
      { name: 'near', x: 1, y: 0.51 },
      { name: 'far', x: 0.1, y: 0.505 },
    ];
    const labels = liftedLabels(points, { lineHeight: 0.1, width: 1 });
    const heights = Object.fromEntries(labels.map(({ name, labelY }) => [name, labelY]));
    expect(heights['low']).toBeCloseTo(0.565);
    expect(heights['near']).toBeCloseTo(0.665);
    expect(heights['far']).toBeCloseTo(0.57);
  });

  it('gives a stack of labels its own room under the straight line, in order, on the side that has room', () => {
    const points = [0.6, 0.7, 0.65].map((y, i) => ({ name: String(i), x: 0.9, y }));
    const frame = {
      x: { low: 0, high: 1 },
      at: 0.9,
      yHigh: 0.8,
      yLow: 0.55,
      heightPx: 340,
      floor: () => 0.56,
    };
    const { labels, anchor, lowest } = stackedLabels(points, frame);
    expect(labels.map(({ name }) => name)).toEqual(['1', '2', '0']);
    expect(anchor).toBe('end');
    const heights = labels.map(({ labelY }) => labelY);
    const pixels = (0.8 - lowest) / 340;
    expect((heights[0]! - heights[1]!) / pixels).toBeCloseTo(17);
    expect(heights[2]!).toBeGreaterThan(lowest);
    expect(Math.max(...heights)).toBeLessThan(0.56);
    expect(stackedLabels(points, { ...frame, at: 0.2 }).anchor).toBe('start');
  });

  it('keeps the scale of slices that say something, and marks intervals that go on', () => {
    const tiny = {
      name: 'tiny',
      n: 3,
      escalation_rate: 1,
      quality_loss: 0,
      low: -1,
      high: 1,
      margin: undefined,
    };
    const told = evidence.slices.map((one) => ({ ...one, margin: undefined }));
    const rows = [...told, tiny].map((one, row) => ({ ...one, row }));
    const [left, right] = readableDomain(rows, 0.02);
    expect(left).toBeLessThan(-0.0691);
    expect(left).toBeGreaterThan(-0.09);
    expect(right).toBeLessThan(0.1);
    const page = htmlReport(madeUpVerdict({}, { slices: rows.map(({ row, margin, ...one }) => one) }));
    const plot = documentOf(page).querySelector('[aria-label="Loss by slice"] svg')!;
    expect(plot.textContent.match(/[‹›]/g)).toEqual(['‹', '›']);
    expect(textOf(page, '[aria-label="Numbers: Loss by slice"]')).toContain('-1.0000 to 1.0000');
  });
});

function hostileTexts(): Map<string, string> {
  return new Map([[`${HOSTILE} 0`, '<b>first line</b>\r\nsecond line']]);
}

function documentOf(page: string) {
  return parseHTML(page).document;
}

function textOf(page: string, selector: string): string {
  return documentOf(page).querySelector(selector)!.textContent.trim();
}

function cellsOf(row: { readonly children: Iterable<{ readonly textContent: string }> }): string[] {
  return [...row.children].map(({ textContent }) => textContent);
}
