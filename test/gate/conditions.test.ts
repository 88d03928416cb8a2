import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HardCase } from '../../evals/cases/index.ts';
import {
  beatsRandomCondition,
  calibrationConditions,
  escalationRateConditions,
  flipRateConditions,
  keptCheapCondition,
} from '../../evals/gate/conditions.ts';
import type { Subject } from '../../evals/gate/index.ts';
import { rateWithin } from '../../evals/gate/judge.ts';
import type { Condition } from '../../router/artifact/index.ts';
import { clopperPearsonUpper, seededRandom, shuffledOrder } from '../../router/statistics/index.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import {
  DOWNGRADED,
  ESCALATED,
  KEPT_WELL,
  promisedAt,
  type Row,
  rowsOf,
  subjectOf,
  suiteOf,
} from './subjects.ts';

/** The lower limit that a note names. */
const leastFurther = ({ note }: { note?: string | undefined }) =>
  Number(/^.*too few cases to prove the limit: it takes at least (\d+) further ones?, /.exec(note!)![1]);

describe('quality-loss', () => {
  it.each([
    ['PASS', 10, 0.01],
    ['INCONCLUSIVE', 48, 0.048],
    ['FAIL', 120, 0.12],
  ])('%s with %d downgrades in 1,000 at a margin of .05', (verdict, downgraded, value) => {
    const rows = rowsOf([600 - downgraded, KEPT_WELL], [downgraded, DOWNGRADED], [400, ESCALATED]);
    const condition = promisedAt(rows).get('quality-loss')!;
    expect(condition).toMatchObject({ verdict, n: 1000, limits: { max: 0.05 }, proof: 'walk' });
    expect(condition.value).toBeCloseTo(value, 12);
    const { lower, upper } = condition.bounds;
    expect(lower).toBeLessThan(value);
    expect(upper).toBeGreaterThan(value);
    if (verdict === 'INCONCLUSIVE') expect(condition.note).toMatch(/too near the limit/);
    else expect(condition).not.toHaveProperty('note');
  });

  it('no loss at all is no certainty: 50 cases cannot carry a margin of .05, 200 can', () => {
    const judged = (n: number) => promisedAt(rowsOf([n, KEPT_WELL])).get('quality-loss')!;
    expect(judged(50)).toMatchObject({ verdict: 'INCONCLUSIVE', value: 0 });
    expect(judged(50).bounds.upper).toBeGreaterThan(0.05);
    const few = judged(50);
    expect(few).not.toHaveProperty('further_cases'); // that would be a forecast
    expect(few.note).toMatch(/, even if none of them loses, and more if some do$/);
    const enough = 50 + leastFurther(few);
    expect(judged(enough)).toMatchObject({ verdict: 'PASS', value: 0 });
    expect(judged(Math.floor(0.95 * enough))).toMatchObject({ verdict: 'INCONCLUSIVE' });
  });

  it('of a share that no case breaks says how many cases it takes at least, which is exact', () => {
    const suite = suiteOf({ silent_downgrades: { max_rate: 0.02 } });
    const downgrades = (n: number) => promisedAt(rowsOf([n, KEPT_WELL]), { suite }).get('silent-downgrades')!;
    const few = downgrades(40);
    expect(few.verdict).toBe('INCONCLUSIVE');
    expect(few).not.toHaveProperty('further_cases');
    expect(downgrades(40 + leastFurther(few)).verdict).toBe('PASS');
    expect(downgrades(40 + leastFurther(few) - 1).verdict).toBe('INCONCLUSIVE');
    const recall = (n: number, min: number) => rateWithin('hard-cases/recall', n, n, { min }, 0.05);
    expect(leastFurther(recall(2, 0.9))).toBe(27); // .9^29 < .05
    expect(recall(28, 0.9).note).toMatch(/it takes at least 1 further one, even if none of them breaks it/);
    expect(recall(29, 0.9).verdict).toBe('PASS');
    expect(recall(2, 1).note).toBe(
      'too few cases to prove the limit: it takes more than a million, even if none of them breaks it',
    );
  });

  it('what always-strong could not prove is no PASS, whatever the cheap model gains: the walk stops before its first step', () => {
    const gained = { cheap: 1, strong: 0, predicted: 0.1 };
    const rows = rowsOf([40, KEPT_WELL], [20, gained]);
    const condition = promisedAt(rows).get('quality-loss')!;
    expect(condition).toMatchObject({
      verdict: 'INCONCLUSIVE',
      note: expect.stringMatching(
        /^no PASS, though the losses keep to the limit: .* always-strong, which loses nothing.*; too few cases to prove the limit: it takes at least \d+ further ones, even if none of them loses, and more if some do$/,
      ),
    });
    expect(condition.bounds.upper, 'that of no losses').toBeGreaterThan(0.05);
    expect(leastFurther(condition)).toBe(
      leastFurther(promisedAt(rowsOf([60, KEPT_WELL])).get('quality-loss')!),
    );
  });

  it('of too few groups says so, and how many more it takes at least, which is exact', () => {
    const suite = suiteOf({ sampling: 'groups', largest_group: 4 });
    const inGroups = (groups: number, changes: object = {}) => {
      const rows = rowsOf([3 * groups, { ...KEPT_WELL, ...changes }]);
      const grouped = rows.map((row, i) => ({ ...row, traits: { group: `g${Math.floor(i / 3)}` } }));
      return promisedAt(grouped, { suite }).get('quality-loss')!;
    };
    const few = inGroups(20);
    const said =
      /^too few groups: it takes at least (\d+) further ones of such sizes, even if none of them loses; 20 groups, each one bet$/;
    expect(few).toMatchObject({ verdict: 'INCONCLUSIVE', note: expect.stringMatching(said) });
    const further = Number(said.exec(few.note!)![1]);
    expect(inGroups(20 + further).verdict).toBe('PASS');
    expect(inGroups(20 + further - 1).verdict).toBe('INCONCLUSIVE');
    const losing = rowsOf([570, KEPT_WELL], [30, DOWNGRADED]).map((row, i) => ({
      ...row,
      traits: { group: `g${i % 200}` },
    }));
    expect(promisedAt(losing, { suite }).get('quality-loss')).toMatchObject({
      verdict: 'INCONCLUSIVE',
      note: expect.stringMatching(/^how many further groups would decide cannot be said; 200 groups/),
    });
  });

  it('has bounds in whole steps of .001, which can be compared with the limit', () => {
    const rows = rowsOf([600, KEPT_WELL], [10, DOWNGRADED], [400, ESCALATED]);
    const { lower, upper } = promisedAt(rows).get('quality-loss')!.bounds;
    for (const bound of [lower!, upper!]) expect(bound).toBe(Math.round(1000 * bound) / 1000);
  });

  it('says where cases repeat a text, or come from groups', () => {
    const note = (rows: ReturnType<typeof rowsOf>) => promisedAt(rows).get('quality-loss')!.note;
    expect(note(rowsOf([300, { ...KEPT_WELL, traits: { textHash: 7 } }]))).toMatch(
      /^299 of 300 cases repeat the text of another: .*sampling: groups/,
    );
    const grouped = rowsOf([300, KEPT_WELL]).map((row, i) => ({
      ...row,
      traits: { group: `talk ${i % 30}` },
    }));
    expect(note(grouped)).toMatch(/^300 cases come from 30 groups: /);
    expect(note(rowsOf([300, KEPT_WELL]))).toBeUndefined();
    const copied = (distinct: number) =>
      rowsOf([300, KEPT_WELL]).map((row, i) => ({
        ...row,
        traits: { copyHash: i % distinct, numberlessHash: i % distinct },
      }));
    expect(note(copied(50))).toMatch(
      /^250 of 300 cases differ from another only in case, white space, punctuation or a number at either end: .*sampling: groups/,
    );
    expect(note(copied(297))).toMatch(/^3 of 300 cases differ/);
    expect(note(copied(298))).toBeUndefined(); // a few come about by chance
    const templated = rowsOf([300, KEPT_WELL]).map((row, i) => ({
      ...row,
      traits: { numberlessHash: i % 40 },
    }));
    expect(note(templated)).toMatch(
      /^260 of 300 cases differ from another only in numbers within the text: .*give them one group/,
    );
  });

  it('of groups each one is one bet: a label copied to twenty requests proves no more than one', () => {
    const suite = suiteOf({ sampling: 'groups', largest_group: 20 });
    const copied = rowsOf([2000, KEPT_WELL]).map((row, i) => ({ ...row, traits: { group: `g${i % 100}` } }));
    const upper = (condition?: Condition) => condition!.bounds.upper!;
    const grouped = promisedAt(copied, { suite }).get('quality-loss');
    const once = promisedAt(rowsOf([100, KEPT_WELL])).get('quality-loss');
    expect(grouped!.note).toBe('100 groups, each one bet');
    const alike = copied.map((row, i) => ({ ...row, traits: { ...row.traits, numberlessHash: i % 10 } }));
    expect(promisedAt(alike, { suite }).get('quality-loss')!.note).toMatch(
      /^100 groups, each one bet; 90 of them begin with a text that differs from another's only in its numbers/,
    );
    expect(upper(grouped)).toBeCloseTo(upper(once), 2);
    expect(upper(grouped)).toBeGreaterThan(3 * upper(promisedAt(copied).get('quality-loss')));
  });

  it('calls requests of one label by that name', () => {
    const labelled = (n: number) =>
      promisedAt(rowsOf([n, KEPT_WELL]).map((row, i) => ({ ...row, traits: { label: `l${i % (n / 2)}` } })));
    expect(labelled(1000).get('quality-loss')!.note).toBe('500 labels, each one bet');
    expect(labelled(40).get('quality-loss')!.note).toMatch(/^too few labels: .*; 20 labels, each one bet$/);
  });

  it('of labels for a part says what of their pool repeats', () => {
    const below = {
      limit: 0.5,
      pool: 1000,
      repeats: '300 of 1000 prompts of the pool repeat the text of another',
      share: { value: 0.5, lower: 0.45, upper: 0.55 },
      delta: 0.0475,
      escalated: () => 0.5,
    };
    expect(promisedAt(rowsOf([500, KEPT_WELL]), { below }).get('quality-loss')).toMatchObject({
      verdict: 'PASS',
      note: below.repeats,
    });
  });

  it('counts a loss that nobody knows as 1, and as -1 where that is worse', () => {
    const unknown = { cheap: Number.NaN, strong: Number.NaN, predicted: 0.1 };
    const rows = rowsOf([970, KEPT_WELL], [30, unknown]);
    const condition = promisedAt(rows).get('quality-loss')!;
    expect(condition).toMatchObject({ n: 970, value: 0.03 });
    expect(condition.bounds.lower).toBeLessThan(-0.02);
    const suite = suiteOf({ silent_downgrades: { max_rate: 0.1 } });
    expect(promisedAt(rows, { suite }).get('silent-downgrades')).toMatchObject({ n: 970, value: 0.03 });
    // on the strongest candidate nothing can be lost, known or not
    const escalated = promisedAt(rowsOf([970, KEPT_WELL], [30, { ...unknown, predicted: 0.9 }]));
    expect(escalated.get('quality-loss')).toMatchObject({ n: 970, value: 0 });
  });
});

describe('escalation-rate', () => {
  it.each([
    ['PASS', 500, 500],
    ['FAIL', 1000, 0],
    ['FAIL', 0, 1000],
    ['INCONCLUSIVE', 12, 8],
  ])('%s with %d kept cheap and %d escalated, in a band of .2 to .8', (verdict, kept, escalated) => {
    const suite = suiteOf({ escalation_rate: { min: 0.2, max: 0.8 } });
    const rows = rowsOf([kept, KEPT_WELL], [escalated, ESCALATED]);
    const conditions = escalationRateConditions(subjectOf(rows, { suite }));
    expect(conditions).toMatchObject([
      { name: 'escalation-rate', verdict, confidence: 0.975, method: 'clopper-pearson' },
    ]);
  });

  it('near the end of its band says on which side its bounds reach beyond it', () => {
    const suite = suiteOf({ escalation_rate: { min: 0.01, max: 0.99 } });
    const noteAt = (kept: number, escalated: number) =>
      escalationRateConditions(subjectOf(rowsOf([kept, KEPT_WELL], [escalated, ESCALATED]), { suite }))[0]!
        .note;
    expect(noteAt(15, 985)).toMatch(/^its bounds reach above the upper limit; /);
    expect(noteAt(985, 15)).toMatch(/^its bounds reach below the lower limit; /);
  });
});

describe('a ladder of three', () => {
  /** What each rung reaches, one digit a rung, and the rung that the policy chooses. */
  const ladderOf = (
    kinds: readonly (readonly [count: number, qualities: readonly number[], rung: number])[],
    changes: { costs?: readonly number[] | undefined; suite?: object; units?: Int32Array } = {},
  ): Subject => {
    const { costs = [1, 3, 10], suite = {} } = changes;
    const inBlocks = kinds.flatMap(([count, qualities, rung]) =>
      Array.from({ length: count }, () => ({ qualities, rung })),
    );
    const rows = Array.from(shuffledOrder(inBlocks.length, 1), (i) => inBlocks[i]!); // pairs are of neighbours
    const made = subjectOf(
      rowsOf([rows.length, KEPT_WELL]).map((row) => ({ ...row })),
      { suite: suiteOf(suite), candidates: ['small', 'middle', 'large'] },
    );
    const column = (of: (row: (typeof rows)[number]) => number) => Float64Array.from(rows, of);
    const replay = {
      ...made.heldOut,
      quality: [0, 1, 2].map((rung) => column(({ qualities }) => qualities[rung]!)),
      costUsd: [0, 1, 2].map((rung) =>
        'costs' in changes && changes.costs === undefined ? undefined : column(() => costs[rung]!),
      ),
    };
    const rungs = Int32Array.from(rows, ({ rung }) => rung);
    const units = changes.units && { units: changes.units };
    return { ...made, heldOut: replay, rungs, labelled: { replay, rungs, ...units } };
  };
  const bandOf = (low: number, middle: number, high: number) =>
    escalationRateConditions(
      ladderOf(
        [
          [low, [1, 1, 1], 0],
          [middle, [1, 1, 1], 1],
          [high, [1, 1, 1], 2],
        ],
        { suite: { escalation_rate: { min: 0.2, max: 0.6 } } },
      ),
    ).map(({ name, verdict, value, limits }) => [name, verdict, value, limits]);

  it.each([
    [0, 900, 100, 'PASS', 'PASS'], // all above the cheapest: collapsed only if they were on the strongest
    [0, 0, 1000, 'PASS', 'FAIL'],
    [1000, 0, 0, 'FAIL', 'PASS'],
    [300, 300, 400, 'PASS', 'PASS'],
  ])(
    'band of .2 to .6 with %d, %d and %d cases on the rungs: min %s, max %s',
    (low, middle, high, min, max) => {
      expect(bandOf(low, middle, high)).toEqual([
        ['escalation-rate/above-cheapest', min, (middle + high) / 1000, { min: 0.2 }],
        ['escalation-rate/strongest', max, high / 1000, { max: 0.6 }],
      ]);
    },
  );

  const KNOWING = [
    [400, [1, 1, 1], 0],
    [300, [0, 1, 1], 1],
    [300, [0, 0, 1], 2],
  ] as const;

  it('beats the mix at the same cost, or the same decisions dealt out at random, where it knows', () => {
    // 1 at a cost of 4.3; the mix of middle (.7 at 3) and large (1 at 10) has .7 + 1.3 / 7 * .3
    const [priced] = beatsRandomCondition(ladderOf(KNOWING));
    expect(priced).toMatchObject({ verdict: 'PASS', method: 'bootstrap', confidence: 0.95, n: 1000 });
    expect(priced!.value).toBeCloseTo(0.3 - (1.3 / 7) * 0.3, 12);
    const [unpriced] = beatsRandomCondition(ladderOf(KNOWING, { costs: undefined }));
    // the rungs' own means are .4, .7 and 1
    expect(unpriced).toMatchObject({ verdict: 'PASS', method: 'betting' });
    expect(unpriced!.value).toBeCloseTo(1 - (0.4 * 0.4 + 0.3 * 0.7 + 0.3 * 1), 12);
  });

  it.each([
    ['a middle rung that is worse than the cheapest', [1, 3, 10], 1],
    ['a middle rung that costs more than the strongest', [1, 30, 10], 1],
    ['a strongest rung that is the cheapest', [5, 3, 1], 1],
  ])('does not fail for %s, if it is not used', (_, costs, unused) => {
    const kinds = [
      [500, [1, 0, 1], 0],
      [500, [0, 0, 1], 2],
    ] as const;
    expect(kinds.every(([, , rung]) => rung !== unused)).toBe(true);
    expect(beatsRandomCondition(ladderOf(kinds, { costs }))[0]!.verdict).not.toBe('FAIL');
  });

  it.each([
    [130, 120, 'PASS', 0.01],
    [120, 130, 'INCONCLUSIVE', -0.01],
  ])('of a spread around 0 the measured value counts: %d and %d cases', (hits, misses, verdict, value) => {
    const kinds = [
      [hits, [1, 0, 1], 0],
      [misses, [0, 0, 1], 0],
      [misses, [1, 0, 1], 2],
      [hits, [0, 0, 1], 2],
    ] as const;
    const condition = beatsRandomCondition(ladderOf(kinds))[0]!;
    expect(condition.verdict).toBe(verdict);
    expect(condition.value).toBeCloseTo(value, 12);
    expect(condition.bounds.lower).toBeLessThan(0);
    expect(condition.bounds.upper).toBeGreaterThan(0);
  });

  it('fails where a mix at the same cost is better, and draws groups whole', () => {
    const wrong = [
      [500, [0, 1, 1], 0],
      [500, [1, 1, 1], 2],
    ] as const;
    expect(beatsRandomCondition(ladderOf(wrong))[0]).toMatchObject({ verdict: 'FAIL' });
    const met = [0, 0, 0];
    const units = ladderOf(KNOWING).rungs.map((rung) => [0, 4, 7][rung]! + Math.floor(met[rung]!++ / 100)); // alike in each
    const width = (subject: Subject) => {
      const { lower, upper } = beatsRandomCondition(subject)[0]!.bounds;
      return upper! - lower!;
    };
    expect(width(ladderOf(KNOWING, { units }))).toBeGreaterThan(2 * width(ladderOf(KNOWING)));
  });
});

describe('beats-random', () => {
  it('PASS where what is escalated gains, FAIL where it is what does not', () => {
    const useless = { ...KEPT_WELL, predicted: 0.9 };
    const right = subjectOf(rowsOf([500, KEPT_WELL], [500, ESCALATED]));
    const wrong = subjectOf(rowsOf([500, DOWNGRADED], [500, useless]));
    expect(beatsRandomCondition(right)[0]).toMatchObject({ verdict: 'PASS', value: 0.25 });
    expect(beatsRandomCondition(wrong)[0]).toMatchObject({ verdict: 'FAIL', value: -0.25 });
  });

  it('is that of the draws where a label was copied to several requests', () => {
    const copied = subjectOf(rowsOf([3000, KEPT_WELL], [3000, ESCALATED]));
    const units = Int32Array.from({ length: 6000 }, (_, row) => Math.floor(row / 6));
    const [six] = beatsRandomCondition({ ...copied, labelled: { ...copied.labelled, units } });
    expect(six).toMatchObject({ verdict: 'PASS', value: 0.25, note: expect.stringMatching(/500 pairs/) });
    expect(six!.bounds.upper).toBeGreaterThan(0.25);
  });

  it('INCONCLUSIVE for choices that have nothing to do with the gain, and absent where it is not asked for', () => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 1000 }, () => ({
      cheap: random() < 0.6 ? 1 : 0,
      strong: 1,
      predicted: random(),
    }));
    expect(beatsRandomCondition(subjectOf(rows))[0]).toMatchObject({ verdict: 'INCONCLUSIVE', n: 1000 });
    expect(beatsRandomCondition(subjectOf(rows, { suite: suiteOf({ beats_random: false }) }))).toEqual([]);
  });

  it('has its value between its bounds, at any confidence', () => {
    const random = seededRandom(3);
    const suite = suiteOf({ confidence: 0.5 });
    for (let draw = 0; draw < 40; draw++) {
      const rows = rowsOf([60, KEPT_WELL]).map(() => {
        const coin = () => Number(random() < 0.5);
        return { cheap: coin(), strong: coin(), predicted: random() };
      });
      const { value, bounds } = beatsRandomCondition(subjectOf(rows, { suite, delta: 0.5 }))[0]!;
      expect(bounds.lower!).toBeLessThanOrEqual(value!);
      expect(bounds.upper!).toBeGreaterThanOrEqual(value!);
    }
  });
});

describe('verdict and bound', () => {
  const share = fc.double({ min: 0.05, max: 1, noNaN: true });
  const loss = fc.constantFrom(-1, -0.25, 0, 0, 0, 0, 0, 0, 0.5, 1);

  it.each(['requests', 'labels', 'labels for a part'] as const)('agree at any limit: %s', (kind) => {
    fc.assert(
      fc.property(
        fc.array(loss, { minLength: 40, maxLength: 400 }),
        fc.double({ min: 0.011, max: 0.4, noNaN: true }),
        share,
        (losses, max, value) => {
          const rows = losses.map((one, i) => ({
            cheap: one > 0 ? 1 - one : 1,
            strong: one < 0 ? 1 + one : 1,
            predicted: 0.1,
            ...(kind === 'labels' && { traits: { label: `l${i >> 1}` } }),
          }));
          const upper = Math.min(1, value * 1.1);
          const below = {
            limit: 0.9,
            pool: 1000,
            share: { value, lower: value * 0.9, upper },
            delta: 0.0475,
            escalated: () => 0,
          };
          const suite = suiteOf({ max_quality_loss: max, silent_downgrades: { max_rate: max } });
          const part = kind === 'labels for a part' && max < upper;
          const conditions = promisedAt(rows, { suite, ...(part && { below }) });
          for (const { verdict, bounds, limits } of conditions.values()) {
            expect(bounds.upper! <= limits.max!).toBe(verdict === 'PASS');
            if (verdict === 'FAIL') expect(bounds.lower!).toBeGreaterThan(limits.max!);
          }
        },
      ),
      { numRuns: LONG_RUN ? 300 : 60 },
    );
  });

  it('the bound is the limit where it lies between two steps, and the step below it is not proved', () => {
    const rows = rowsOf([586, KEPT_WELL], [14, DOWNGRADED], [400, ESCALATED]);
    const steps = Array.from({ length: 40 }, (_, i) => 0.02 + i / 2000 + 0.00037);
    const shown = steps.map((max) => {
      const { verdict, bounds } = promisedAt(rows, { suite: suiteOf({ max_quality_loss: max }) }).get(
        'quality-loss',
      )!;
      return { verdict, max, upper: bounds.upper! };
    });
    const first = shown.find(({ verdict }) => verdict === 'PASS')!;
    expect(first.upper).toBe(first.max);
  });
});

describe('silent-downgrades', () => {
  it('bets on the share of losses above the margin', () => {
    const suite = suiteOf({ silent_downgrades: { margin: 0.3, max_rate: 0.1 } });
    const slight = { cheap: 0.7, strong: 1, predicted: 0.1 }; // exactly the margin: not above it
    const rows = rowsOf([480, KEPT_WELL], [10, DOWNGRADED], [10, slight]);
    const condition = promisedAt(rows, { suite }).get('silent-downgrades');
    expect(condition).toMatchObject({ method: 'betting', verdict: 'PASS', value: 0.02, n: 500 });
    expect(condition!.bounds.upper).toBeGreaterThan(0.02);
    expect(condition!.bounds.upper).toBeLessThan(1.3 * clopperPearsonUpper(10, 500, 0.05));
  });

  it('of groups it is the rate that is bet on', () => {
    const suite = suiteOf({
      silent_downgrades: { max_rate: 0.1 },
      sampling: 'groups',
      largest_group: 10,
    });
    const rows = rowsOf([490, KEPT_WELL], [10, DOWNGRADED]).map((row, i) => ({
      ...row,
      traits: { group: `g${i % 50}` },
    }));
    const condition = promisedAt(rows, { suite }).get('silent-downgrades')!;
    expect(condition).toMatchObject({ method: 'betting', value: 0.02 });
    expect(condition.bounds.upper).toBeGreaterThan(clopperPearsonUpper(10, 500, 0.05));
  });
});

describe('slices', () => {
  const bad = { ...DOWNGRADED, traits: { task: 'law' } };
  const good = { ...KEPT_WELL, traits: { task: 'chat' } };
  const slice = (task: string) => ({ name: task, where: { task }, max_quality_loss: 0.1 });

  it('a slice fails though the whole passes', () => {
    const suite = suiteOf({ max_quality_loss: 0.2, slices: [slice('law'), slice('chat')] });
    const conditions = [...promisedAt(rowsOf([60, bad], [940, good]), { suite }).values()];
    expect(conditions.map(({ name, verdict, n }) => [name, verdict, n])).toEqual([
      ['quality-loss', 'PASS', 1000],
      ['slice/law', 'FAIL', 60],
      ['slice/chat', 'PASS', 940],
    ]);
  });

  it('three cases, or none, decide nothing', () => {
    const suite = suiteOf({ slices: [slice('law'), slice('chat'), slice('physics')] });
    const few = { ...good, traits: { task: 'law' } };
    const [, law, chat, physics] = [...promisedAt(rowsOf([3, few], [500, good]), { suite }).values()];
    expect(law).toMatchObject({ verdict: 'INCONCLUSIVE', n: 3, value: 0 });
    expect(law!.bounds.upper).toBeGreaterThan(0.5);
    expect(chat).toMatchObject({ verdict: 'PASS' });
    expect(physics).toMatchObject({
      verdict: 'INCONCLUSIVE',
      n: 0,
      value: null,
      bounds: { lower: null, upper: null },
    });
  });

  it.each([
    [{ min_characters: 12 }, 8],
    [{ max_characters: 11 }, 2],
    [{ language: ['de', 'fr'] }, 1],
    [{ multi_turn: true }, 1],
    [{ multi_turn: false, tools: false }, 8],
    [{ tools: true }, 1],
    [{ source: 'web', language: 'de' }, 1],
  ])('%j takes %d of ten', (where, n) => {
    const rows = rowsOf([10, KEPT_WELL]).map((row, i) => ({
      ...row,
      traits: i === 0 ? { language: 'de', source: 'web', turns: 3 } : i === 1 ? { tools: true } : {},
    }));
    const suite = suiteOf({ slices: [{ name: 'some', where, max_quality_loss: 0.5 }] });
    expect(promisedAt(rows, { suite }).get('slice/some')!.n).toBe(n);
  });
});

describe('slices by a label that rows may lack', () => {
  const suite = suiteOf({
    max_quality_loss: 0.5,
    slices: [{ name: 'law', where: { task: 'law', tools: false }, max_quality_loss: 0.05 }],
  });
  const law = (row: Row, task?: string): Row => ({ ...row, traits: task === undefined ? {} : { task } });
  const sliceOf = (...kinds: readonly (readonly [number, Row])[]) =>
    promisedAt(rowsOf(...kinds), { suite }).get('slice/law')!;
  const kept = [560, law(KEPT_WELL, 'law')] as const;
  const others = [300, law(DOWNGRADED, 'chat')] as const;

  it('a loss does not leave the slice with its label', () => {
    const whole = sliceOf(kept, [60, law(DOWNGRADED, 'law')], others);
    expect(whole.verdict).not.toBe('PASS');
    expect(sliceOf(kept, others).verdict).toBe('PASS');
    const hidden = sliceOf(kept, [60, law(DOWNGRADED)], others);
    expect(hidden).toMatchObject({
      verdict: 'INCONCLUSIVE',
      value: 0,
      n: 560,
      bounds: { upper: whole.bounds.upper },
      note: expect.stringMatching(
        /^60 cases do not say their task and may be of the slice: each counts as a loss of at least the margin/,
      ),
    });
  });

  it('good cases of other tasks do not thin out its losses without their label', () => {
    const few = sliceOf(kept, [40, law(DOWNGRADED, 'law')], others);
    const thinned = sliceOf(kept, [40, law(DOWNGRADED, 'law')], others, [5000, law(KEPT_WELL)]);
    expect(few.verdict).not.toBe('PASS');
    expect(thinned.verdict).not.toBe('PASS');
    expect(thinned.value).toBe(few.value);
  });

  it('cases that other properties keep out need no label, and some without one do no harm', () => {
    const withTools: Row = { ...DOWNGRADED, traits: { tools: true } };
    expect(sliceOf(kept, others, [200, withTools])).toEqual(sliceOf(kept, others));
    expect(sliceOf(kept, others, [50, law(KEPT_WELL)])).toMatchObject({ verdict: 'PASS', n: 560 });
  });

  it('of which nothing is known proves nothing', () => {
    expect(sliceOf([400, law(KEPT_WELL)])).toMatchObject({
      verdict: 'INCONCLUSIVE',
      value: null,
      note: expect.stringContaining('400 cases do not say their task'),
    });
  });
});

describe('hard-cases', () => {
  const hardCase = (tier: 'cheap' | 'strong'): HardCase => ({
    id: 'x',
    slice: 'proof',
    language: 'en',
    text: 'x',
    tier,
    why: 'x',
    characters: 1,
  });
  const suite = suiteOf({ hard_cases: { min_recall: 0.9, min_kept_cheap: 0.5 } });
  const hard = (escalatedStrong: number, keptCheap: number) => ({
    cases: [...Array(200).fill(hardCase('strong')), ...Array(100).fill(hardCase('cheap'))],
    probabilities: [
      Float64Array.from(
        { length: 300 },
        (_, i) => 1 - 0.9 * Number(i < 200 ? i < escalatedStrong : i - 200 >= keptCheap),
      ),
      new Float64Array(300).fill(1),
    ],
  });

  it.each([
    [200, 90, 'PASS', 'PASS'],
    [182, 50, 'INCONCLUSIVE', 'INCONCLUSIVE'],
    [100, 10, 'FAIL', 'FAIL'],
  ])('%d of 200 escalated: %s; %d of 100 kept cheap: %s', (escalated, kept, recall, keptCheap) => {
    const rows = rowsOf([9, KEPT_WELL]);
    const changes = { suite, hard: hard(escalated, kept) };
    const found = promisedAt(rows, changes).get('hard-cases/recall');
    expect(found).toMatchObject({ verdict: recall, value: escalated / 200, n: 200, proof: 'walk' });
    expect(keptCheapCondition(subjectOf(rows, changes))).toMatchObject([
      { name: 'hard-cases/kept-cheap', verdict: keptCheap, value: kept / 100, n: 100, proof: 'other-cases' },
    ]);
  });
});

describe('flip-rate and calibration', () => {
  it('each kind of edit has its own condition', () => {
    const suite = suiteOf({ flip_rate: { max: 0.1, max_paraphrase: 0.4 } });
    const flips = [
      { edit: 'case', n: 500, flipped: 300, cheaper: 10 },
      { edit: 'politeness', n: 500, flipped: 100, cheaper: 100 },
      { edit: 'punctuation', n: 0, flipped: 0, cheaper: 0 },
      { edit: 'paraphrase', n: 100, flipped: 20, cheaper: 20 },
    ];
    expect(flipRateConditions(subjectOf(rowsOf([9, KEPT_WELL]), { suite }), flips)).toMatchObject([
      {
        name: 'flip-rate/case',
        verdict: 'PASS',
        value: 0.02,
        note: '300 of 500 flip: 10 to a cheaper rung, 290 to a more expensive one',
      },
      { name: 'flip-rate/politeness', verdict: 'FAIL', value: 0.2 },
      { name: 'flip-rate/punctuation', verdict: 'INCONCLUSIVE', value: null },
      { name: 'flip-rate/paraphrase', verdict: 'PASS', value: 0.2, limits: { max: 0.4 } },
    ]);
  });

  it('probabilities that come true pass, those that do not fail', () => {
    const random = seededRandom(3);
    const rows = Array.from({ length: 4000 }, () => {
      const predicted = random();
      return { cheap: random() < 1 - predicted ? 1 : 0, strong: 0, predicted };
    });
    const suite = suiteOf({ max_ece: 0.15 });
    const [cheap, strong] = calibrationConditions(subjectOf(rows, { suite }));
    expect(cheap).toMatchObject({ name: 'calibration/cheap', verdict: 'PASS' });
    expect(cheap!.bounds.lower!).toBeLessThanOrEqual(cheap!.value!);
    expect(strong).toMatchObject({ name: 'calibration/strong', verdict: 'FAIL', value: 1 }); // says 1, is 0
  });
});
