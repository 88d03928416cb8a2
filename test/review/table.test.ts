import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import papaparse from 'papaparse';
import { expect, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { type ReviewStyle, readReview, writeReview } from '../../evals/review/index.ts';
import { folderForTest, jsonLines } from '../labelling/labelling-world.ts';

/** People see the cheap reply as worse on every fifth case; the judge says a tie everywhere. */
const ROWS = Array.from({ length: 60 }, (_, i) => ({
  id: `q${i}`,
  prompt: `Question ${i}?`,
  reference: i,
  outcomes: {
    cheap: {
      quality: 0.5,
      answer: `=cheap(\n${i % 5 ? 'good' : 'bad'})`,
      label_source: 'judge',
      labelled_by: 'x',
    },
    strong: { quality: 0.5, answer: 'strong, "good"', label_source: 'judge', labelled_by: 'x' },
  },
}));

type Cells = Record<string, string>;

async function world(style: ReviewStyle, n = 40) {
  const folder = folderForTest();
  const at = (name: string) => path.join(folder, name);
  writeFileSync(at('cases.jsonl'), jsonLines(ROWS));
  const cases = [at('cases.jsonl')];
  const written = await writeReview({
    cases,
    candidates: ['cheap', 'strong'],
    n,
    style,
    out: at('review.csv'),
  });
  const table = papaparse.parse<Cells>(readFileSync(at('review.csv'), 'utf8').trimEnd(), {
    header: true,
  }).data;
  const fill = (name: string, verdict: (cells: Cells) => string) => {
    writeFileSync(at(name), papaparse.unparse(table.map((cells) => ({ ...cells, verdict: verdict(cells) }))));
    return at(name);
  };
  const read = (reviews: readonly string[]) =>
    readReview({ cases, key: written.keyFile, reviews, out: at('reviewed.jsonl') });
  return { at, cases, table, written, fill, read };
}

/** The place of the reply that this reviewer likes less. */
const honest = ({ reply_1 = '', reply_2 = '' }: Cells) =>
  reply_1.includes('bad') ? '2' : reply_2.includes('bad') ? '1' : 'tie';

test('pairs are blind, in both orders, and verdicts become labels of people', async () => {
  const { at, table, fill, read } = await world('pairs');
  expect(table).toHaveLength(40);
  expect(Object.keys(table[0] ?? {})).toEqual(['item', 'prompt', 'reply_1', 'reply_2', 'verdict', 'comment']);
  const firsts = table.filter(({ reply_1 }) => reply_1?.includes('cheap')).length;
  expect(firsts).toBeGreaterThan(5);
  expect(firsts).toBeLessThan(35);
  // Of several lines, and yet no formula.
  for (const cells of table) for (const cell of Object.values(cells)) expect(cell).not.toMatch(/^=/);
  const result = await read([fill('a.csv', honest), fill('b.csv', honest)]);
  expect(result).toMatchObject({ reviewers: 2, reviewed: 40, items: 40 });
  expect(result.agreement).toMatchObject({
    alpha: { value: 1, interval: undefined, items: 40, cases: 40 },
    pairs: [{ kappa: { value: 1 }, equal: { cases: 40 } }],
  });
  const { cases } = await loadCases([at('reviewed.jsonl')]);
  const human = cases.filter(({ outcomes }) => outcomes.get('cheap')?.labelSource === 'human');
  expect(human).toHaveLength(40);
  for (const { id, outcomes } of human) {
    expect(outcomes.get('cheap')?.quality).toBe(Number(id.slice(1)) % 5 ? 0.5 : 0);
    expect(outcomes.get('strong')).toMatchObject({ quality: 0.5, labelSource: 'human' });
    expect(outcomes.get('cheap')?.judgedQuality).toBe(0.5); // what the gate corrects the judge by
  }
  const [bound] = result.bounds;
  expect(bound).toMatchObject({ candidate: 'cheap', judged: 60, audited: 40 });
  expect(bound?.bound.ofJudged).toBeGreaterThanOrEqual(0);
  expect(bound?.bound.upper).toBeGreaterThan(0.1); // what people lose: .5 on a fifth
  expect(readFileSync(at('reviewed.jsonl'), 'utf8')).toContain('"reference":0');
});

test('reviewers who disagree: agreement falls, and the mean counts', async () => {
  const { at, fill, read } = await world('replies');
  const one = fill('a.csv', ({ reply = '' }) => (reply.includes('bad') ? 'wrong' : 'right'));
  const other = fill('b.csv', ({ item = '' }) => (Number.parseInt(item.slice(1, 3), 16) % 2 ? '0.5' : ''));
  const { agreement } = await read([one, other]);
  expect(agreement.pairs[0]?.kappa.value).toBeLessThan(0.2);
  const { value = 1, interval } = agreement.alpha;
  expect(value).toBeLessThan(0.5);
  expect(interval?.low).toBeLessThan(value);
  expect(interval?.high).toBeGreaterThan(value);
  const text = readFileSync(at('reviewed.jsonl'), 'utf8');
  expect(text).toMatch(/"quality":(?:0\.75|0\.25),/);
});

test('what reviewers get wrong is refused with its place', async () => {
  const { at, cases, table, fill, read, written } = await world('pairs', 3);
  await expect(read([fill('a.csv', () => '3')])).rejects.toMatchObject({
    code: 'invalid-input',
    place: { file: at('a.csv'), line: 2, field: 'verdict' },
  });
  const other = await world('pairs', 3);
  await expect(read([other.fill('b.csv', honest)])).rejects.toThrow(/no such item/);
  const filled = table.map((cells) => ({ ...cells, verdict: 'tie' }));
  writeFileSync(at('c.csv'), papaparse.unparse([...filled, filled[0]!]));
  await expect(read([at('c.csv')])).rejects.toThrow(/verdict above already/);
  await expect(
    readReview({ cases, key: at('no.json'), reviews: [], out: at('x.jsonl') }),
  ).rejects.toMatchObject({ code: 'not-found' });
  await expect(
    readReview({ cases, key: at('cases.jsonl'), reviews: [], out: at('x.jsonl') }),
  ).rejects.toThrow(/no key/);
  const again = {
    cases,
    candidates: ['cheap', 'strong'],
    n: 3,
    style: 'pairs',
    out: at('review.csv'),
  } as const;
  await expect(writeReview(again)).rejects.toThrow(/there already/);
  await expect(writeReview({ ...again, candidates: ['a', 'b'], out: at('y.csv') })).rejects.toMatchObject({
    code: 'insufficient-data',
  });
  expect(written.items).toBe(3);
});

test('items survive a spreadsheet, semicolons, a byte order mark and a decimal comma', async () => {
  const { at, table, read } = await world('replies');
  for (const { item } of table) expect(item).toMatch(/^r[0-9a-f]{12}$/); // 496e54362499 would become a number
  const filled = table.map((cells) => ({ ...cells, verdict: '0,5' }));
  writeFileSync(at('excel.csv'), `\ufeff${papaparse.unparse(filled, { delimiter: ';' })}\r\n`);
  expect(await read([at('excel.csv')])).toMatchObject({ reviewed: 80 });
  const { cases } = await loadCases([at('reviewed.jsonl')]);
  expect(cases.filter(({ outcomes }) => outcomes.get('cheap')?.labelSource === 'human')).toHaveLength(40);
});

test('a table without verdicts, and an output that is an input, are refused', async () => {
  const { at, cases, written, fill, table } = await world('pairs');
  const read = (reviews: readonly string[], out = at('reviewed.jsonl')) =>
    readReview({ cases, key: written.keyFile, reviews, out });
  await expect(read([fill('empty.csv', () => '')])).rejects.toThrow(/empty\.csv has no verdict/);
  writeFileSync(
    at('renamed.csv'),
    papaparse.unparse(table.map(({ verdict: _, ...cells }) => ({ ...cells, Verdict: 'tie' }))),
  );
  await expect(read([at('renamed.csv')])).rejects.toMatchObject({
    code: 'invalid-input',
    place: { field: 'verdict' },
  });
  const before = readFileSync(at('cases.jsonl'), 'utf8');
  await expect(read([fill('a.csv', honest)], at('cases.jsonl'))).rejects.toThrow(/labels would be lost/);
  expect(readFileSync(at('cases.jsonl'), 'utf8')).toBe(before);
});
