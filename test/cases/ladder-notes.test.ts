import { describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/case.ts';
import { ladderNotes, requireLadderOrder } from '../../evals/cases/models.ts';

type Rungs = Record<string, readonly [quality: number, costUsd?: number]>;

const cases = (...rows: Rungs[]): Case[] =>
  rows.map((row, i) => ({
    id: `c${i}`,
    text: `question ${i}`,
    key: `k${i}`,
    outcomes: new Map(
      Object.entries(row).map(([model, [quality, costUsd]]) => [
        model,
        { quality, ...(costUsd !== undefined && { costUsd }) },
      ]),
    ),
  }));

describe('a ladder against its own prices and qualities', () => {
  it('in order is silent, also without prices', () => {
    expect(ladderNotes(cases({ a: [0, 1], b: [1, 2] }, { a: [1, 1], b: [1, 2] }), ['a', 'b'])).toEqual([]);
    expect(ladderNotes(cases({ a: [0], b: [1] }), ['a', 'b'])).toEqual([]);
    expect(ladderNotes(cases({ a: [1, 1], b: [1, 1] }), ['a', 'b'])).toEqual([]);
    expect(ladderNotes([], ['a', 'b'])).toEqual([]);
  });

  it.each([
    [
      'a price',
      { a: [0, 3], b: [1, 2] },
      /^Warning: .*: a costs more than b \(\$3 against \$2 a case\)\. Name/,
    ],
    [
      'a quality',
      { a: [1, 1], b: [0.5, 2] },
      /: a answers better than b \(mean quality 1 against 0\.5\)\. Name/,
    ],
    ['both', { a: [1, 3], b: [0.5, 2] }, /: a costs more than b .*; a answers better than b/],
  ] as const)('is one line: %s', (_, row, message) => {
    const notes = ladderNotes(cases(row as unknown as Rungs), ['a', 'b']);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(message);
  });

  it('names each pair of more than two rungs', () => {
    const [note] = ladderNotes(cases({ a: [0.1, 1], b: [0.9, 5], c: [0.5, 2] }), ['a', 'b', 'c']);
    expect(note).toMatch(/b costs more than c .*; b answers better than c/);
    expect(note).not.toContain('a costs');
  });

  it('compares the cases in which both prices are known', () => {
    const [note] = ladderNotes(cases({ a: [0, 3], b: [1, 2] }, { a: [0], b: [1, 100] }), ['a', 'b']);
    expect(note).toMatch(/a costs more than b \(\$3 against \$2/);
  });
});

describe('a ladder that is upside down', () => {
  const order = (row: Rungs, models: readonly string[]) => () => requireLadderOrder(cases(row), models);

  it('is refused: a rung costs more than the strongest, and is better', () => {
    const message =
      /^The ladder is upside down: large costs more than small .* and large answers better than small .* against the last model, small\. Name the models cheapest first/;
    const row: Rungs = { small: [0.5, 1], middle: [0.7, 2], large: [0.9, 10] };
    for (const models of [
      ['large', 'small'],
      ['large', 'middle', 'small'],
    ])
      expect(order(row, models)).toThrow(
        expect.objectContaining({ code: 'invalid-input', message: expect.stringMatching(message) }),
      );
    expect(order(row, ['small', 'middle', 'large'])).not.toThrow();
  });

  it.each<[string, Rungs]>([
    ['dearer alone', { a: [0.5, 3], b: [0.9, 1] }],
    ['better alone', { a: [0.9, 1], b: [0.5, 3] }],
    ['better, and nobody knows the prices', { a: [0.9], b: [0.5] }],
    [
      'a middle rung that is dearer and better than another',
      { x: [0.1, 1], a: [0.6, 3], c: [0.5, 2], b: [0.9, 9] },
    ],
  ])('is none where a rung is %s: that is a warning', (_, row) => {
    expect(order(row, [...Object.keys(row)])).not.toThrow();
    expect(ladderNotes(cases(row), Object.keys(row))).toHaveLength(1);
  });
});
