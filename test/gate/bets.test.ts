import { describe, expect, it } from 'vitest';
import { orderBets } from '../../evals/gate/index.ts';
import type { Traits } from '../../evals/gate/replay.ts';
import { KEPT_WELL, replayOf, rowsOf } from './subjects.ts';

/** Twelve cases, with these traits by their place. */
const twelve = (traits: (i: number) => Partial<Traits>) =>
  replayOf(rowsOf([12, KEPT_WELL]).map((row, i) => ({ ...row, traits: traits(i) }))).traits;

const bets = (
  traits: readonly Traits[],
  sampling: 'requests' | 'groups',
  largest_group: number,
  batchOf: ArrayLike<number> = new Uint8Array(12),
) => orderBets(traits, { sampling, largest_group }, { batchOf, contents: Float64Array.from(traits.keys()) });

describe('a draw of more cases than the suite allows', () => {
  it.each([
    ['a group', 'groups', () => ({ group: 'talk' }), /The group "talk" has 12 cases, .* allows 5/],
    ['a question', 'groups', () => ({ key: 'same' }), /The question same has 12 cases/],
    [
      'a text under many keys',
      'groups',
      () => ({ copyHash: 1 }),
      /has 12 cases, .*same key or text, but for numbers at either end/,
    ],
    ['a label', 'requests', () => ({ label: 'reply' }), /The label "reply" has 12 cases/],
  ] as const)('%s: is refused, with the remedy', (_, sampling, traits, message) => {
    const refused = () => bets(twelve(traits), sampling, 5);
    expect(refused).toThrow(message);
    expect(refused).toThrow(
      expect.objectContaining({ code: 'invalid-input', place: { field: 'largest_group' } }),
    );
    expect(refused).toThrow(/Set largest_group/);
    expect(bets(twelve(traits), sampling, 12)).toMatchObject({ largestUnit: 12, batches: [1] });
  });
});

describe('a draw that was bet on', () => {
  const batches = Uint8Array.from({ length: 12 }, (_, i) => Number(i >= 6));

  it('cannot grow: a group whose other cases came in an earlier batch is refused', () => {
    const grown = twelve((i) => ({ group: i === 0 || i === 11 ? 'talk' : `g${i}` }));
    expect(() => bets(grown, 'groups', 5, batches)).toThrow(
      /The case "case-11" belongs to a group or a label, or is a copy of a text, of which an earlier look has bet on other cases\. Append whole groups/,
    );
  });

  it('stays, where whole groups are appended', () => {
    const whole = twelve((i) => ({ group: `g${Math.floor(i / 3)}` }));
    const { rows, batches: sizes } = bets(whole, 'groups', 3, batches);
    expect(sizes).toEqual([2, 2]);
    expect([...Array.from(rows).slice(0, 6)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
