import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type HardCase, loadHardCases, loadParaphrases, questionKey } from '../../evals/cases/index.ts';
import { written } from '../cases/written.ts';
import { everydayCases } from '../training-data/data-card.ts';

const folder = join(import.meta.dirname, '..', '..', 'evals', 'suites');
const card = readFileSync(join(folder, 'README.md'), 'utf8');
const cases = loadHardCases(join(folder, 'hard-cases.jsonl'));
const pairs = loadParaphrases(join(folder, 'paraphrases.jsonl'));
const slices = new Set(cases.map(({ slice }) => slice));
const inSlice = (name: string) => cases.filter(({ slice }) => slice === name);

const SLICES = [
  'short-but-hard',
  'long-but-easy',
  'looks-everyday',
  'multi-step-arithmetic',
  'proof',
  'subtle-code-bug',
  'legal-care',
  'medical-care',
  'conflicting-constraints',
  'needle-in-long-context',
  'agent-step',
  'ambiguous-pronoun',
  'non-english',
  'prompt-injection',
];

const strongOf = (some: readonly HardCase[]) => some.filter(({ tier }) => tier === 'strong').length;

/** A row of a table in the card, as its trimmed cells. */
function rowOf(name: string): readonly string[] | undefined {
  const rows = card.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return rows.find(([, first]) => first === name)?.slice(1, -1);
}

function repeated(values: readonly string[]): readonly string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

describe('evals/suites/hard-cases.jsonl', () => {
  it('holds at least 300 cases in the fourteen slices', () => {
    expect(cases.length).toBeGreaterThanOrEqual(300);
    expect([...slices].sort()).toEqual(SLICES.toSorted());
  });

  it.each(SLICES)('%s has at least 18 cases, look-alikes of tier cheap among them', (slice) => {
    const some = inSlice(slice);
    expect(some.length).toBeGreaterThanOrEqual(18);
    const strong = strongOf(some);
    if (slice === 'long-but-easy') expect(strong).toBe(0);
    else {
      expect(some.length - strong).toBeGreaterThanOrEqual(5);
      expect(strong / some.length).toBeGreaterThan(0.5);
    }
  });

  it('is 60 to 75 % strong', () => {
    const share = strongOf(cases) / cases.length;
    expect(share).toBeGreaterThanOrEqual(0.6);
    expect(share).toBeLessThanOrEqual(0.75);
  });

  it('asks no question twice, and none of the everyday cases', () => {
    const keys = cases.map(({ text }) => questionKey(text));
    expect(repeated(keys)).toEqual([]);
    const { english, multilingual } = everydayCases();
    const everyday = new Set([...english, ...multilingual].map(({ text }) => questionKey(text)));
    expect(cases.filter((_, index) => everyday.has(keys[index] ?? '')).map(({ id }) => id)).toEqual([]);
  });

  it('has text to score in every case, and every reason ends as a sentence', () => {
    expect(cases.filter(({ text }) => text.trim() === '')).toEqual([]);
    expect(cases.filter(({ why }) => !why.endsWith('.')).map(({ id }) => id)).toEqual([]);
  });

  it('has long contexts that are long, and short cases that are short', () => {
    const longest = inSlice('needle-in-long-context').map(({ characters }) => characters);
    expect(longest.filter((length) => length >= 2_000).length).toBeGreaterThanOrEqual(15);
    const short = inSlice('short-but-hard').map(({ characters }) => characters);
    expect(Math.max(...short)).toBeLessThanOrEqual(140);
    const easy = inSlice('long-but-easy').map(({ characters }) => characters);
    expect(Math.min(...easy)).toBeGreaterThanOrEqual(700);
  });

  it('speaks at least eight languages other than English, both tiers in most', () => {
    const foreign = inSlice('non-english');
    const languages = new Set(foreign.map(({ language }) => language));
    expect(languages.has('en')).toBe(false);
    expect(languages.size).toBeGreaterThanOrEqual(8);
    const tiers = new Set(foreign.map(({ language, tier }) => `${language} ${tier}`));
    expect(tiers.size).toBeGreaterThanOrEqual(languages.size + 8);
  });
});

describe('evals/suites/paraphrases.jsonl', () => {
  it('holds at least 80 pairs, and no wording twice', () => {
    expect(pairs.length).toBeGreaterThanOrEqual(80);
    expect(repeated(pairs.flatMap(({ a, b }) => [a, b]))).toEqual([]);
  });

  it('pairs wordings of about one length that differ in more than signs', () => {
    const far = pairs.filter(({ a, b }) => Math.max(a.length, b.length) > 1.6 * Math.min(a.length, b.length));
    expect(far.map(({ id }) => id)).toEqual([]);
    const same = pairs.filter(({ a, b }) => questionKey(a) === questionKey(b));
    expect(same.map(({ id }) => id)).toEqual([]);
  });
});

describe('evals/suites/README.md', () => {
  it.each([...SLICES, 'all'])('counts %s as it is', (slice) => {
    const some = slice === 'all' ? cases : inSlice(slice);
    const strong = strongOf(some);
    expect(rowOf(slice)?.slice(-3)).toEqual([`${some.length}`, `${some.length - strong}`, `${strong}`]);
  });

  it('states the number of paraphrases', () => {
    expect(card).toContain(`${pairs.length} pairs`);
  });

  it('shows rows that load', () => {
    const [hard, paraphrase] = [...card.matchAll(/```jsonl\n([\s\S]*?)```/g)].map(([, rows]) => rows);
    expect(loadHardCases(written('own.jsonl', hard!)).length).toBe(2);
    expect(loadParaphrases(written('pairs.jsonl', paraphrase!)).length).toBe(1);
  });
});
