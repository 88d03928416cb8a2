import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Case, loadCases } from '../../evals/cases/index.ts';
import { runGate } from '../../evals/gate/index.ts';
import { htmlReport } from '../../evals/report/html/page.ts';
import { junitReport, markdownReport, terminalReport } from '../../evals/report/index.ts';
import { type Verdict, verdictSchema } from '../../router/artifact/index.ts';
import { CHEAP, copyOf, type GateWorld, gateWorld, STRONG, writeSuite } from './gate-world.ts';
import {
  DOWNGRADED,
  ESCALATED,
  KEPT_WELL,
  promisedAt,
  type Row,
  replayOf,
  rowsOf,
  suiteOf,
} from './subjects.ts';

let world: GateWorld;
let files = 0;

beforeAll(async () => {
  world = await gateWorld();
});

const SUITE = {
  max_quality_loss: 0.3,
  silent_downgrades: { max_rate: 0.3 },
  slices: [],
  flip_rate: undefined,
  max_ece: undefined,
};

/** The judge finds every reply good. Of every `people`-th case people say what is true. */
function judgedRow({ id, text, task, outcomes }: Case, index: number, people: number, graded = 0) {
  const outcomeOf = (model: string) => {
    const { quality } = outcomes.get(model)!;
    if (index % 10 < graded) return { quality, label_source: 'grader' };
    if (people > 0 && index % people === 0) return { quality, label_source: 'human', judged_quality: 1 };
    return { quality: 1, label_source: 'judge' };
  };
  return { id, prompt: text, task, outcomes: { [CHEAP]: outcomeOf(CHEAP), [STRONG]: outcomeOf(STRONG) } };
}

async function gated(rowOf: (one: Case, index: number) => object, changes: object = {}): Promise<Verdict> {
  const data = path.join(world.home, `judged-${files++}.jsonl`);
  writeFileSync(data, world.cases.map((one, i) => `${JSON.stringify(rowOf(one, i))}\n`).join(''));
  const suite = writeSuite(world.home, { ...SUITE, accept_labels: ['judge', 'human', 'grader'], ...changes });
  const { verdict } = await runGate({ artifact: world.artifact, suite, data: [data] });
  return verdictSchema.parse(JSON.parse(JSON.stringify(verdict)));
}

const conditionOf = ({ conditions }: Verdict, name: string) => conditions.find((one) => one.name === name)!;

describe('a judge that finds everything good', () => {
  it('alone proves whatever it says, and every report warns of it', async () => {
    const verdict = await gated((one, i) => judgedRow(one, i, 0));
    const { n } = verdict.sealed;
    expect(verdict.sealed.labels).toEqual({ judged: n, people: 0 });
    const loss = conditionOf(verdict, 'quality-loss');
    expect(loss).toMatchObject({
      verdict: 'PASS',
      value: 0,
      judged: { judged: n, people: 0, error_upper: null },
    });
    expect(loss.note).toMatch(/^WARNING: true only as far as the judge is right/);
    for (const text of [
      terminalReport(verdict, { colour: false }),
      markdownReport(verdict),
      htmlReport(verdict),
      junitReport(verdict),
    ])
      expect(text).toContain('the verdict is true only as far as the judge is right');
    expect(terminalReport(verdict, { colour: false })).toContain('WARNING: A judge labelled');
  });

  it('is corrected by people: the same labels and 1 in 2 of theirs prove less, with the bound of people alone beside it', async () => {
    const [alone, corrected] = [
      await gated((one, i) => judgedRow(one, i, 0)),
      await gated((one, i) => judgedRow(one, i, 2)),
    ];
    expect(corrected.policy.threshold).toBeLessThan(alone.policy.threshold);
    for (const name of ['quality-loss', 'silent-downgrades']) {
      const { judged, verdict, value, bounds, method } = conditionOf(corrected, name);
      expect(verdict).toBe('PASS');
      expect(method).toBe('betting, corrected by people');
      expect(judged!.people).toBe(corrected.sealed.labels!.people);
      expect(judged!.people).toBeGreaterThan(300);
      expect(value).toBeGreaterThan(0.02); // what people see; the judge says 0
      expect(judged!.judged_upper! + judged!.error_upper!).toBeCloseTo(bounds.upper!, 9);
      expect(judged!.people_upper).toBeLessThan(bounds.upper!); // such a judge is worth nothing
      expect(judged!.people_upper).toBeGreaterThan(value!);
    }
    expect(conditionOf(corrected, 'beats-random').note).toContain('by the labels of the judge');
    const text = terminalReport(corrected, { colour: false });
    expect(text).toMatch(
      /quality-loss: at most 0\.0\d+ by the judge and 0\.\d+ for its mistakes; by the \d+ labels of people alone at most 0\.\d+/,
    );
    expect(text).not.toContain('WARNING');
    expect(htmlReport(corrected)).toContain('what is promised is what people see');
  });

  it('with few labels of people proves nothing, and it is said how many it takes', async () => {
    const verdict = await gated((one, i) => judgedRow(one, i, 200), {
      max_quality_loss: 0.05,
      silent_downgrades: undefined,
    });
    expect(verdict.verdict).toBe('INCONCLUSIVE');
    expect(verdict.walk).toMatchObject({ steps: 0, stopped_by: 'quality-loss' });
    expect(conditionOf(verdict, 'quality-loss').note).toMatch(
      /too few labels by people: there are \d+, and it takes at least \d{3}, even if the judge makes no mistake/,
    );
  });

  it('beside graders counts for its own cases alone, and people who labelled all it did leave nothing to correct', async () => {
    const mixed = await gated((one, i) => judgedRow(one, i, 2, 5));
    expect(mixed.sealed.labels!.judged).toBeLessThan(0.6 * mixed.sealed.n);
    expect(conditionOf(mixed, 'quality-loss').judged).toMatchObject({ people_upper: null });
    const people = await gated((one, i) => judgedRow(one, i, 1));
    expect(people.sealed.labels).toBeUndefined();
    expect(conditionOf(people, 'quality-loss')).toMatchObject({ method: 'betting' });
    expect(conditionOf(people, 'quality-loss').judged).toBeUndefined();
  });

  it('that labels only what was appended makes other bets of what people had labelled, and so the next look', async () => {
    const artifact = copyOf(world.artifact);
    const suite = writeSuite(world.home, { ...SUITE, accept_labels: ['judge', 'human'] });
    const looks = async (rows: readonly object[]) => {
      const data = path.join(world.home, `judged-${files++}.jsonl`);
      writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const { verdict } = await runGate({ artifact, suite, data: [data], write: true });
      return [verdict.looks.number, verdict.sealed.batches.length];
    };
    const byPeople = world.cases.slice(0, -400).map((one, i) => judgedRow(one, i, 1));
    const byBoth = world.cases.slice(-400, -200).map((one, i) => judgedRow(one, i, 2));
    const further = world.cases.slice(-200).map((one, i) => judgedRow(one, i, 2));
    expect(await looks(byPeople)).toEqual([1, 1]);
    expect(await looks([...byPeople, ...byBoth])).toEqual([2, 1]);
    expect(await looks([...byPeople, ...byBoth, ...further])).toEqual([2, 2]);
  });

  it('leaves a suite of true labels as it was: the same numbers by people give the same verdict but for the hashes', async () => {
    const byPeople = await gated((one, i) => judgedRow(one, i, 1), { accept_labels: undefined });
    const plain = await gated(
      ({ id, text, task, outcomes }) => ({
        id,
        prompt: text,
        task,
        outcomes: Object.fromEntries([...outcomes].map(([model, { quality }]) => [model, { quality }])),
      }),
      { accept_labels: undefined },
    );
    expect(byPeople.conditions).toEqual(plain.conditions);
    expect(byPeople.policy).toEqual(plain.policy);
  });
});

describe('conditions corrected by people', () => {
  /** All rows labelled by a judge who finds no fault, the first `people` by people too. */
  function corrected(rows: readonly Row[], people: number, suite: object = {}) {
    const truth = replayOf(rows);
    const heldOut = {
      ...truth,
      quality: [truth.quality[0]!.map(() => 1), truth.quality[1]!],
      labels: {
        judged: new Uint8Array(rows.length).fill(1),
        audited: Uint8Array.from(rows, (_, i) => Number(i < people)),
        people: truth.quality,
      },
    };
    return promisedAt(rows, { heldOut, suite: suiteOf(suite) });
  }
  const mixed = (...kinds: readonly (readonly [number, Row])[]) => {
    const rows = rowsOf(...kinds);
    return rows.map((_, i) => rows[(i * 17) % rows.length]!);
  };

  it('fail where people surely see too much lost, whatever the judge says', () => {
    const conditions = corrected(mixed([1001, KEPT_WELL], [1001, DOWNGRADED]), 1_000, {
      silent_downgrades: { max_rate: 0.1 },
    });
    for (const name of ['quality-loss', 'silent-downgrades'])
      expect(conditions.get(name)).toMatchObject({ verdict: 'FAIL', judged: { judged: 2002, people: 1000 } });
  });

  it('count an outcome that people did not give as the worst', () => {
    const unknown = { cheap: Number.NaN, strong: 1, predicted: 0.1 };
    const [known, missing] = [KEPT_WELL, unknown].map(
      (row) => corrected(mixed([901, KEPT_WELL], [100, row], [1001, ESCALATED]), 2_002).get('quality-loss')!,
    );
    expect(known).toMatchObject({ value: 0, verdict: 'PASS' });
    expect(missing!.value).toBeCloseTo(100 / 2002, 3);
    expect(missing!.verdict).not.toBe('PASS');
  });

  it.each([
    [
      'what the judge calls bad',
      (judge: number) => judge === 0,
      /loss of cheap against strong, by the judge, is 1\.0000 in the \d+ that they labelled and 0\.0000 in the other/,
    ],
    [
      'what is escalated',
      (_: number, row: Row) => row.predicted > 0.5,
      /the mean predicted loss is 0\.9000 in the 600 that they labelled and 0\.1000 in the other 1400/,
    ],
  ] as const)('prove nothing if people looked only at %s', (_, isAudited, note) => {
    const rows = mixed([1300, KEPT_WELL], [100, DOWNGRADED], [600, { ...ESCALATED, cheap: 1 }]);
    // the judge misses what is lost, and finds fault with every ninth good reply
    const judge = Float64Array.from(rows, ({ cheap }, i) => Number(cheap === 0 || i % 9 > 0));
    const truth = replayOf(rows);
    const labelled = (audited: (row: Row, i: number) => boolean) =>
      promisedAt(rows, {
        heldOut: {
          ...truth,
          quality: [judge, truth.quality[1]!],
          labels: {
            judged: new Uint8Array(rows.length).fill(1),
            audited: Uint8Array.from(rows, (row, i) => Number(audited(row, i))),
            people: truth.quality,
          },
        },
        suite: suiteOf({ max_quality_loss: 0.2 }),
      }).get('quality-loss')!;
    expect(labelled((row, i) => isAudited(judge[i]!, row))).toMatchObject({
      verdict: 'INCONCLUSIVE',
      bounds: { lower: null, upper: null },
      note: expect.stringMatching(note),
    });
    const random = labelled((_, i) => i % 5 < 2);
    expect(random.verdict).toBe('PASS');
    expect(random.note).toBeUndefined();
  });

  it('of a slice whose cases may be others count at least the margin', () => {
    const slice = { slices: [{ name: 'maths', where: { task: 'maths' }, max_quality_loss: 0.1 }] };
    const rows = mixed([1001, { ...KEPT_WELL, traits: { task: 'maths' } }], [500, KEPT_WELL]);
    const condition = corrected(rows, 1_500, slice).get('slice/maths')!;
    expect(condition.note).toContain('500 cases do not say their task and may be of the slice');
    expect(condition.value).toBeCloseTo((500 * 0.1) / 1501, 2);
  });
});

it('several rows of one request are no better than the worst of their labels', async () => {
  const file = path.join(world.home, 'twice.jsonl');
  const row = (quality: number, label_source: string, judged_quality?: number) =>
    JSON.stringify({
      id: 'a',
      prompt: 'One?',
      outcomes: { small: { quality, label_source, judged_quality } },
    });
  const outcomeOf = async (...rows: string[]) => {
    writeFileSync(file, rows.join('\n'));
    return (await loadCases([file])).cases[0]!.outcomes.get('small');
  };
  expect(await outcomeOf(row(1, 'human'), row(0, 'judge'))).toMatchObject({
    quality: 0.5,
    labelSource: 'judge',
  });
  expect(await outcomeOf(row(1, 'human', 0), row(0, 'human', 1))).toMatchObject({
    labelSource: 'human',
    judgedQuality: 0.5,
  });
  await expect(outcomeOf(row(1, 'human', 7))).rejects.toThrow(/judged_quality/);
});
