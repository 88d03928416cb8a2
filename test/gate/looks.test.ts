import { execFile } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import { fingerprintCases, fingerprintHardCases } from '../../evals/gate/case-fingerprints.ts';
import type { LookRequest } from '../../evals/gate/look-plan.ts';

import { assertRecordWhole, beginLook, finishLook, planLook, unseenByLooks } from '../../evals/gate/looks.ts';
import { sha256 } from '../../router/artifact/index.ts';
import { LONG_RUN, scaled } from '../helpers/long-run.ts';
import {
  caseOf,
  casesOf,
  copiesOf,
  emptyStore,
  hashOf,
  linesOf,
  lookAt,
  MODELS,
  requestOf,
  writeLines,
} from './look-world.ts';

const shareOf = (k: number) => 6 / (Math.PI * k) ** 2;
const FORMER = JSON.stringify({
  artifact: 'starter',
  artifact_sha256: hashOf(3),
  threshold: 0.16,
  suite: 'starter',
  issued: '2026-11-21T00:00:00.000Z',
  verdict: 'PASS',
  sealed_sha256: hashOf(4),
});

/** A verdict as far as the record is concerned. @param head left out as in verdicts from before it was written */
function layLookIn(folder: string, { record, head }: { record: string; head?: string | null }): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'manifest.json'), '{}');
  writeFileSync(
    path.join(folder, 'verdict.json'),
    JSON.stringify({ schema_version: 2, looks: { record, head, number: 1 } }),
  );
}

const invalid = (...words: string[]) =>
  expect.objectContaining({
    code: 'invalid-artifact',
    message: expect.stringMatching(new RegExp(words.join('.*'))),
  });

describe('what is the same look', () => {
  it('the first at fresh cases: number 1, one batch, on record', () => {
    const { artifact, file } = emptyStore();
    const look = lookAt(artifact, casesOf(0, 50));
    expect(look).toMatchObject({
      number: 1,
      batches: 1,
      earlier: [],
      head: look.record,
      continues: false,
      notes: [],
    });
    expect(look.delta).toBeCloseTo(0.05 * shareOf(1), 15);
    expect([...look.batchOf]).toEqual(new Array(50).fill(0));
    const [line] = linesOf(file).map((one) => JSON.parse(one));
    expect(line).toMatchObject({
      schema_version: 2,
      look: 1,
      delta: look.delta,
      n: 50,
      continues: null,
      previous: null,
    });
  });

  it('the same cases again, in another order and with other ids, add nothing', () => {
    const { artifact, file } = emptyStore();
    const first = lookAt(artifact, casesOf(0, 50));
    const before = readFileSync(file);
    const renamed = casesOf(0, 50).map((one, i) => ({ ...one, id: `row-${i}` }));
    const again = lookAt(artifact, renamed.reverse());
    expect(again).toMatchObject({ number: 1, batches: 1, delta: first.delta, continues: true });
    expect(again.record).toBe(first.record);
    expect(readFileSync(file)).toEqual(before);
  });

  it('appended cases are further batches, in the order in which they arrived', () => {
    const { artifact, file } = emptyStore();
    const first = lookAt(artifact, casesOf(0, 50));
    const second = lookAt(artifact, [...casesOf(50, 60), ...casesOf(0, 50)]);
    const third = lookAt(artifact, casesOf(0, 75).reverse());
    expect(new Set([first.delta, second.delta, third.delta]).size).toBe(1);
    expect(second).toMatchObject({ number: 1, batches: 2, continues: true, earlier: [] });
    expect([...second.batchOf]).toEqual([...new Array(10).fill(1), ...new Array(50).fill(0)]);
    expect(third).toMatchObject({ number: 1, batches: 3, continues: true, earlier: [] });
    expect([...third.batchOf].reverse()).toEqual([
      ...new Array(50).fill(0),
      ...new Array(10).fill(1),
      ...new Array(15).fill(2),
    ]);
    expect(linesOf(file).map((line) => JSON.parse(line).continues)).toEqual([
      null,
      first.record,
      second.record,
    ]);
  });

  it('repeats of one request are cases of their own; appended repeats of fresh ones continue, one fewer is another look', () => {
    const { artifact } = emptyStore();
    const repeats = (n: number) => [...casesOf(0, 10), ...new Array<Case>(n).fill(caseOf(10))];
    lookAt(artifact, casesOf(0, 10));
    const more = lookAt(artifact, repeats(3));
    expect(more).toMatchObject({ number: 1, batches: 2, continues: true, notes: [] });
    expect([...more.batchOf].filter((batch) => batch === 1)).toHaveLength(3);
    expect(lookAt(artifact, repeats(3))).toEqual(more);
    expect(lookAt(artifact, repeats(2))).toMatchObject({ number: 2, continues: false });
  });

  it.each<[string, Partial<Case>]>([
    ['the same key', {}],
    ['another key', { key: 'of another program' }],
    ['another label', { quality: 0 } as Partial<Case>],
    ['the same key and another text', { text: 'in other words' }],
  ])('appended copies of what was looked at, with %s: the next look, with a note', (_, changes) => {
    const { artifact } = emptyStore();
    const first = lookAt(artifact, casesOf(0, 10));
    const copied = [...casesOf(0, 10), caseOf(3, changes), ...casesOf(20, 30)];
    const second = lookAt(artifact, copied);
    expect(second).toMatchObject({ number: 2, batches: 1, continues: false, earlier: [{ look: 1 }] });
    expect(second.delta).toBeCloseTo(first.delta / 4, 12);
    expect(second.notes).toEqual([
      expect.stringMatching(/have the key or the text of a case that was looked at/),
    ]);
    // and it is that look from then on
    expect(lookAt(artifact, copied)).toMatchObject({ number: 2, record: second.record, batches: 1 });
    expect(lookAt(artifact, [...copied, ...casesOf(40, 50)])).toMatchObject({ number: 2, batches: 2 });
    expect(lookAt(artifact, casesOf(0, 10))).toMatchObject({ number: 1, record: first.record });
  });

  it('a look that was killed before its outcome is on record, and is finished by the next run', () => {
    const { artifact, file } = emptyStore();
    lookAt(artifact, casesOf(0, 50));
    expect(planLook(artifact, requestOf(casesOf(0, 50), { suiteSha256: hashOf(1) }))).toMatchObject({
      number: 2,
      earlier: [{ verdict: null, threshold: null }],
    });
    const { record } = lookAt(artifact, casesOf(0, 50));
    finishLook(artifact, record, { verdict: 'PASS', threshold: 0.2 });
    finishLook(artifact, record, { verdict: 'PASS', threshold: 0.2 });
    expect(linesOf(file)).toHaveLength(2);
    const next = planLook(artifact, requestOf(casesOf(0, 50), { suiteSha256: hashOf(1) }));
    expect(next).toMatchObject({ number: 2, earlier: [{ verdict: 'PASS', threshold: 0.2, look: 1, n: 50 }] });
  });

  it('an outcome of a look that is not on record is refused', () => {
    const { artifact, file } = emptyStore();
    const { record } = lookAt(artifact, casesOf(0, 50));
    rmSync(file);
    expect(() => finishLook(artifact, record, { verdict: 'FAIL', threshold: null })).toThrow(
      invalid('looks\\.jsonl', 'Run the gate again'),
    );
  });
});

describe('what is the next look', () => {
  const cases = casesOf(0, 50);
  const CHANGES: readonly [string, readonly Case[], Partial<LookRequest>][] = [
    ['another suite: seed, margin, a slice dropped', cases, { suiteSha256: hashOf(1) }],
    ['another confidence', cases, { confidence: 0.5 }],
    ['another artifact', cases, { artifactSha256: hashOf(1) }],
    ['another version of the policy', cases, { policy: { name: 'default', version: 2 } }],
    ['another policy', cases, { policy: { name: 'other', version: 1 } }],
    ['one label changed', [caseOf(0, { quality: 0 }), ...casesOf(1, 50)], {}],
    ['one case moved to another slice', [caseOf(0, { task: 'law' }), ...casesOf(1, 50)], {}],
    ['one label shared', [caseOf(0, { label: 'l' }), ...casesOf(1, 50)], {}],
    ['one text changed under the same key', [caseOf(0, { text: 'Other' }), ...casesOf(1, 50)], {}],
    ['one row dropped', casesOf(1, 50), {}],
    ['one row exchanged for a new one', casesOf(1, 51), {}],
    ['a re-split with overlap', casesOf(49, 120), {}],
    [
      'every row under another key and group',
      cases.map((one, i) => ({ ...one, key: `k${i}`, group: `g${i}` })),
      {},
    ],
    [
      'each row six times under other keys',
      Array.from({ length: 300 }, (_, i) => ({ ...caseOf(i % 50), key: `k${i}`, id: `${i}` })),
      {},
    ],
    ['every row with a number behind its text', copiesOf(cases, (text, i) => `${text} ${i}`), {}],
    ['every row with a tag', copiesOf(cases, (text, i) => `${text} (request ${i})`), {}],
    ['every row with a tag before it', copiesOf(cases, (text, i) => `[#${i}] ${text}`), {}],
    ['every row in other case and marks', copiesOf(cases, (text) => `"${text.toUpperCase()}"!`), {}],
    [
      'such copies of a twentieth of the rows, among fresh ones',
      [...copiesOf(casesOf(0, 5), (text) => `${text} 1`), ...casesOf(50, 145)],
      {},
    ],
  ];

  it.each(CHANGES)('%s', (_, changed, changes) => {
    const { artifact, file } = emptyStore();
    lookAt(artifact, cases);
    const look = lookAt(artifact, changed, changes);
    expect(look).toMatchObject({ number: 2, batches: 1, continues: false, earlier: [{ look: 1 }] });
    expect(look.delta).toBeCloseTo((1 - (changes.confidence ?? 0.95)) * shareOf(2), 15);
    expect(lookAt(artifact, changed, changes)).toMatchObject({ number: 2, continues: true });
    expect(linesOf(file)).toHaveLength(2);
  });

  it('each set of copies counts for the next one, whatever the keys', () => {
    const { artifact } = emptyStore();
    for (let look = 1; look <= 4; look++) {
      const copies = copiesOf(cases, (text) => `${text} (request ${look})`);
      expect(lookAt(artifact, copies).number).toBe(look);
    }
  });

  it('copies cannot be appended to a look', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, cases);
    const look = lookAt(artifact, [...cases, ...copiesOf(casesOf(0, 20), (text, i) => `${text} ${i}`)]);
    expect(look).toMatchObject({ number: 2, batches: 1, continues: false });
    expect(look.notes.join()).toMatch(/copies of such cases but for a number/);
  });

  it('a few copies come about by chance: the cases are fresh', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, cases);
    const fresh = [...copiesOf(casesOf(0, 5), (text) => `${text} 1`), ...casesOf(50, 146)];
    expect(lookAt(artifact, fresh).number).toBe(1);
  });

  it('a record from before copies were kept knows equal texts, and not their copies', () => {
    const { artifact } = emptyStore();
    const { cases: prints } = requestOf(cases);
    lookAt(artifact, [], { cases: { ...prints, copies: prints.texts } }); // the bytes that it wrote
    expect(planLook(artifact, requestOf(copiesOf(cases, (text) => text))).number).toBe(2);
    expect(planLook(artifact, requestOf(copiesOf(cases, (text, i) => `${text} ${i}`))).number).toBe(1);
  });

  it('fresh cases are a first look', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, cases);
    expect(lookAt(artifact, casesOf(50, 100))).toMatchObject({ number: 1, continues: false, earlier: [] });
  });

  it('a look with appended cases counts once', () => {
    const { artifact } = emptyStore();
    for (const to of [50, 60, 70]) lookAt(artifact, casesOf(0, to));
    const next = lookAt(artifact, casesOf(0, 70), { suiteSha256: hashOf(1) });
    expect(next).toMatchObject({ number: 2, earlier: [{ n: 70 }] });
  });

  it('cases that were appended and left out again', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 50));
    lookAt(artifact, casesOf(0, 60));
    expect(lookAt(artifact, casesOf(0, 50))).toMatchObject({ number: 2, continues: false });
    expect(lookAt(artifact, [...casesOf(0, 50), ...casesOf(60, 70)])).toMatchObject({
      number: 2,
      continues: true,
    });
  });

  it('cases that another look has seen cannot be appended: they may be chosen by what it saw', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 50));
    lookAt(artifact, casesOf(50, 60), { suiteSha256: hashOf(1) });
    expect(lookAt(artifact, casesOf(0, 60))).toMatchObject({ number: 3, batches: 1, continues: false });
  });

  it('another request for a question of the look itself', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 50));
    lookAt(artifact, casesOf(0, 50), { suiteSha256: hashOf(1) });
    const more = [...casesOf(0, 50), caseOf(7, { quality: 0.5 })];
    expect(lookAt(artifact, more)).toMatchObject({ number: 3, batches: 1, continues: false });
  });

  it('what models off the ladder reached does not matter', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, cases);
    const outcomes = new Map([...cases[0]!.outcomes, ['huge', { quality: 1 }]]);
    expect(lookAt(artifact, [{ ...cases[0]!, outcomes }, ...cases.slice(1)])).toMatchObject({
      continues: true,
    });
  });
});

describe('hard cases', () => {
  const hardOf = (from: number, to: number, edit: (text: string) => string = (text) => text, ids = 'hard') =>
    fingerprintHardCases(
      Array.from({ length: to - from }, (_, i) => ({
        id: `${ids}-${from + i}`,
        text: edit(`Prove the ${['first', 'second', 'third', 'fourth', 'fifth', 'sixth'][from + i]} lemma.`),
      })),
    );
  const other = { artifactSha256: hashOf('c'), suiteSha256: hashOf('d') };

  it.each<[string, ReturnType<typeof hardOf>]>([
    ['the same', hardOf(0, 3)],
    ['one of them, among others', hardOf(2, 6)],
    ['in other words, under their ids', hardOf(0, 3, (text) => `Please help me: ${text}`)],
    ['under other ids', hardOf(0, 3, (text) => text, 'renamed')],
    [
      'copies of them, under other ids',
      hardOf(0, 3, (text) => `${text.toUpperCase()} (request 7)`, 'renamed'),
    ],
  ])('that were looked at make a look at fresh cases the next one: %s', (_, hardCases) => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 50), { hardCases: hardOf(0, 3) });
    const next = lookAt(artifact, casesOf(50, 100), { ...other, hardCases });
    expect(next).toMatchObject({ number: 2, delta: expect.closeTo(0.05 * shareOf(2), 12), continues: false });
    expect(next.notes.join()).toMatch(/An earlier look was at hard cases of this suite.*so this is look 2/);
    expect(lookAt(artifact, casesOf(100, 150), { ...other, hardCases: hardOf(0, 3) }).number).toBe(3);
  });

  it('fresh ones at fresh cases are a first look, as are fresh cases by a suite without any', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 50), { hardCases: hardOf(0, 3) });
    expect(lookAt(artifact, casesOf(50, 100), { ...other, hardCases: hardOf(3, 6) }).number).toBe(1);
    expect(lookAt(artifact, casesOf(100, 150), other)).toMatchObject({ number: 1, notes: [] });
  });

  it('stay the same look when cases are appended, and when it is repeated', () => {
    const { artifact, file } = emptyStore();
    const hardCases = hardOf(0, 3);
    lookAt(artifact, casesOf(0, 50), { hardCases });
    expect(lookAt(artifact, casesOf(0, 60), { hardCases })).toMatchObject({ number: 1, batches: 2 });
    expect(lookAt(artifact, casesOf(0, 60), { hardCases })).toMatchObject({ number: 1, notes: [] });
    const [first, second] = linesOf(file).map((line) => JSON.parse(line).hard_cases);
    expect(first).toMatchObject({ n: 3, questions: expect.any(String) });
    expect(second).toEqual({ n: 3, sha256: first.sha256 });
  });

  it('and sealed cases are questions to each other', () => {
    const { artifact } = emptyStore();
    const asHard = fingerprintHardCases([{ id: 'new', text: caseOf(7).text }]);
    lookAt(artifact, casesOf(0, 50));
    expect(lookAt(artifact, casesOf(50, 100), { ...other, hardCases: asHard }).number).toBe(2);
    const { artifact: reversed } = emptyStore();
    lookAt(reversed, casesOf(50, 100), { hardCases: asHard });
    expect(lookAt(reversed, casesOf(0, 50), other).number).toBe(2);
  });

  it('of a record from before they were kept are known by the suite', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 50));
    const hardCases = hardOf(0, 3);
    expect(planLook(artifact, requestOf(casesOf(50, 100), { hardCases })).number).toBe(2);
    expect(planLook(artifact, requestOf(casesOf(50, 100), { ...other, hardCases })).number).toBe(1);
  });
});

describe('a plan of looks', () => {
  const at = (artifact: string, suite: number, plannedLooks?: number) =>
    lookAt(artifact, casesOf(0, 50), {
      suiteSha256: hashOf(suite),
      ...(plannedLooks !== undefined && { plannedLooks }),
    });
  const insufficient = (words: RegExp) =>
    expect.objectContaining({ code: 'insufficient-data', message: expect.stringMatching(words) });

  it('shares the error evenly, and is spent', () => {
    const { artifact, file } = emptyStore();
    for (const suite of [1, 2, 3]) expect(at(artifact, suite, 3).delta).toBeCloseTo(0.05 / 3, 15);
    const before = readFileSync(file);
    expect(() => at(artifact, 4, 3)).toThrow(insufficient(/plans 3 looks .* number 4: .* spent/));
    expect(readFileSync(file)).toEqual(before);
    expect(at(artifact, 2, 3)).toMatchObject({ number: 2, continues: true });
  });

  it.each([
    ['made after the first look', undefined, 5],
    ['made longer', 1, 2],
    ['dropped', 2, undefined],
  ])('%s is refused: it would spend what is spent', (_, before, after) => {
    const { artifact } = emptyStore();
    at(artifact, 1, before);
    expect(() => at(artifact, 2, after)).toThrow(insufficient(/A plan must be made before the first look/));
  });
});

describe('a record that is not what it was', () => {
  /** Three looks on record, of which the second is continued, and one outcome. */
  function recorded() {
    const world = emptyStore();
    const first = lookAt(world.artifact, casesOf(0, 50));
    finishLook(world.artifact, first.record, { verdict: 'INCONCLUSIVE', threshold: 0.1 });
    lookAt(world.artifact, casesOf(0, 50), { suiteSha256: hashOf(1) });
    const last = lookAt(world.artifact, casesOf(0, 50), { suiteSha256: hashOf(2) });
    layLookIn(world.artifact, { record: last.record });
    return { ...world, last, lines: linesOf(world.file) };
  }
  const plan = (artifact: string) =>
    planLook(artifact, requestOf(casesOf(0, 50), { suiteSha256: hashOf(9) }));

  it('whole, it is taken', () => {
    const { artifact, store } = recorded();
    assertRecordWhole(store);
    expect(plan(artifact).number).toBe(4);
  });

  it('deleted', () => {
    const { artifact, store, file } = recorded();
    rmSync(file);
    for (const use of [() => plan(artifact), () => assertRecordWhole(store)])
      expect(use).toThrow(invalid('mine/verdict\\.json rests on the look', 'looks\\.jsonl', 'Restore'));
  });

  it.each([
    ['cut', (lines: readonly string[]) => lines.slice(0, -1)],
    ['empty', () => []],
    ['of the former version alone', () => [FORMER]],
  ])('%s', (_, change) => {
    const { artifact, file, lines } = recorded();
    writeLines(file, change(lines));
    expect(() => plan(artifact)).toThrow(invalid('rests on the look'));
  });

  it('cut at its end, after a repeated first look: its verdict names the last look too', () => {
    const { artifact, file, lines } = recorded();
    const again = lookAt(artifact, casesOf(0, 50));
    expect(again).toMatchObject({ number: 1, head: sha256(lines.at(-1)!) });
    layLookIn(artifact, again);
    expect(lookAt(artifact, casesOf(0, 50))).toEqual(again);
    writeLines(file, lines.slice(0, -1));
    expect(() => lookAt(artifact, casesOf(0, 50))).toThrow(invalid('rests on the look', 'Restore'));
  });

  it('of another folder', () => {
    const [here, there] = [recorded(), emptyStore()];
    lookAt(there.artifact, casesOf(0, 10));
    copyFileSync(there.file, here.file);
    expect(() => plan(here.artifact)).toThrow(invalid('rests on the look'));
  });

  describe('of which the last outcome was edited', () => {
    const OUTCOME = { verdict: 'FAIL', threshold: null } as const;
    /** A store with a finished look, and the verdict that it led to. */
    const finished = (
      verdict: object = { verdict: 'FAIL', walk: { steps: 1, stopped_by: 'quality-loss' } },
    ) => {
      const world = emptyStore();
      const { record } = lookAt(world.artifact, casesOf(0, 5));
      finishLook(world.artifact, record, OUTCOME);
      const whole = { schema_version: 2, policy: { threshold: -0.2 }, looks: { record }, ...verdict };
      writeFileSync(path.join(world.artifact, 'manifest.json'), '{}');
      writeFileSync(path.join(world.artifact, 'verdict.json'), JSON.stringify(whole));
      return { ...world, record };
    };
    const edit = (file: string, changes: object) => {
      const [begun, outcome] = linesOf(file);
      writeLines(file, [begun!, JSON.stringify({ ...JSON.parse(outcome!), ...changes })]);
    };

    it.each([
      ['the word', { verdict: 'PASS' }],
      ['the threshold', { threshold: 0.2 }],
    ])('%s: the verdict knows it otherwise', (_, changes) => {
      const { artifact, file } = finished();
      expect(lookAt(artifact, casesOf(0, 5)).number).toBe(1);
      edit(file, changes);
      const refused = invalid('verdict.json says FAIL, with no threshold, and', 'one of the two was edited');
      expect(() => lookAt(artifact, casesOf(0, 5))).toThrow(refused);
      expect(() => assertRecordWhole(path.dirname(file))).toThrow(refused);
    });

    it('a PASS whose threshold is another one', () => {
      const walk = { steps: 9, stopped_by: null };
      const pass = (threshold: number) => ({ verdict: 'PASS', policy: { threshold }, walk });
      const { artifact, file } = finished(pass(0.1));
      edit(file, { verdict: 'PASS', threshold: 0.1 });
      expect(lookAt(artifact, casesOf(0, 5)).number).toBe(1);
      edit(file, { verdict: 'PASS', threshold: 0.3 });
      expect(() => lookAt(artifact, casesOf(0, 5))).toThrow(
        invalid('PASS at threshold 0.1, and', 'PASS at threshold 0.3'),
      );
    });

    it('is not what a gate leaves that was stopped before its verdict, nor a torn line', () => {
      const { artifact, file, record } = finished();
      finishLook(artifact, record, { verdict: 'PASS', threshold: 0.1 });
      expect(lookAt(artifact, casesOf(0, 5)).number).toBe(1);
      writeLines(file, linesOf(file).slice(0, 1));
      expect(lookAt(artifact, casesOf(0, 5)).number).toBe(1);
    });

    it('of decisions too', () => {
      const { store, artifact } = finished();
      const decisions = path.join(store, 'decisions');
      const place = { file: path.join(decisions, 'looks.jsonl'), verdict: path.join(decisions, 'v.json') };
      mkdirSync(decisions);
      const { record } = beginLook(place, requestOf(casesOf(0, 5)));
      finishLook(place, record, OUTCOME);
      const verdict = (word: string) =>
        writeFileSync(
          place.verdict,
          JSON.stringify({ schema_version: 2, verdict: word, decisions: {}, looks: { record } }),
        );
      verdict('FAIL');
      expect(beginLook(place, requestOf(casesOf(0, 5))).number).toBe(1);
      verdict('PASS');
      expect(() => beginLook(place, requestOf(casesOf(0, 5)))).toThrow(
        invalid('says PASS, with no threshold, and', 'has FAIL, with no threshold'),
      );
      expect(lookAt(artifact, casesOf(0, 5)).number).toBe(1);
    });
  });

  it('left behind when the store was moved', () => {
    const [here, there] = [recorded(), emptyStore()];
    layLookIn(there.artifact, here.last);
    expect(() => plan(there.artifact)).toThrow(invalid('copied without it'));
    copyFileSync(here.file, there.file);
    expect(plan(there.artifact).number).toBe(4);
  });

  it.each([
    ['its first line dropped', 1, (lines: readonly string[]) => lines.slice(1)],
    ['a line in the middle dropped', 3, (lines: readonly string[]) => lines.toSpliced(2, 1)],
    ['two lines exchanged', 2, ([a, b, ...rest]: readonly string[]) => [a!, rest[0]!, b!, ...rest.slice(1)]],
    ['a line twice', 2, ([a, ...rest]: readonly string[]) => [a!, a!, ...rest]],
    [
      'a number edited',
      2,
      ([a, ...rest]: readonly string[]) => [a!.replace('"look":1', '"look":7'), ...rest],
    ],
    ['a line torn in the middle', 2, ([a, b, ...rest]: readonly string[]) => [a!, b!.slice(0, 30), ...rest]],
    ['an old line put after new ones', 5, (lines: readonly string[]) => [...lines, FORMER]],
    ['a line of another kind', 5, (lines: readonly string[]) => [...lines, '{"schema_version":3}']],
    [
      'fingerprints exchanged',
      1,
      ([a, ...rest]: readonly string[]) => [a!.replace(/"contents":"..../, '"contents":"AAAA'), ...rest],
    ],
  ])('%s: the line is named', (_, number, change) => {
    const { artifact, file, lines } = recorded();
    const changed = change(lines);
    expect(changed).not.toEqual(lines);
    writeLines(file, changed);
    expect(() => plan(artifact)).toThrow(invalid(`looks\\.jsonl, line ${number}: `, 'Restore the file'));
    expect(() => lookAt(artifact, casesOf(0, 50))).toThrow(invalid(`line ${number}`));
    expect(linesOf(file)).toEqual(changed);
  });

  it('a folder in its place', () => {
    const { artifact, file } = emptyStore();
    mkdirSync(file);
    expect(() => plan(artifact)).toThrow(invalid('looks\\.jsonl cannot be read \\(EISDIR\\)'));
  });

  it('torn at its end: noted, counted without the torn line, and whole after the next look', () => {
    const { artifact, file, lines, last } = recorded();
    appendFileSync(file, lines.at(-1)!.slice(0, 40));
    const planned = plan(artifact);
    expect(planned).toMatchObject({ number: 4, head: last.record });
    expect(planned.notes).toEqual([expect.stringMatching(/looks\.jsonl, line 5: the last line is torn/)]);
    expect(lookAt(artifact, casesOf(0, 50), { suiteSha256: hashOf(8) }).notes).toHaveLength(1);
    expect(linesOf(file)).toHaveLength(5);
    expect(plan(artifact)).toMatchObject({ number: 5, notes: [] });
  });

  it('with line endings of Windows, blank lines, and no ending at its end', () => {
    const { artifact, file, lines } = recorded();
    writeFileSync(file, `\r\n${lines.join('\r\n\r\n')}`);
    expect(plan(artifact)).toMatchObject({ number: 4, notes: [] });
    lookAt(artifact, casesOf(0, 50), { suiteSha256: hashOf(8) });
    expect(plan(artifact).number).toBe(5);
  });

  it('of the former version: each line counts as a look at the same cases, and is in the chain', () => {
    const { artifact, file } = emptyStore();
    const other = FORMER.replace('PASS', 'INCONCLUSIVE');
    writeLines(file, [other, FORMER]);
    const look = lookAt(artifact, casesOf(0, 50));
    expect(look).toMatchObject({ number: 3, earlier: [{ verdict: 'INCONCLUSIVE', look: null }, {}] });
    expect(lookAt(artifact, casesOf(0, 60))).toMatchObject({ number: 3, batches: 2, continues: true });
    expect(lookAt(artifact, casesOf(60, 70))).toMatchObject({ number: 3, continues: false });
    writeLines(file, [FORMER, ...linesOf(file).slice(1)]);
    expect(() => plan(artifact)).toThrow(invalid('line 3: it does not follow'));
  });

  it('beside verdicts of the former version, and files that are no verdicts', () => {
    const { store } = recorded();
    for (const [name, text] of [
      ['old', '{"schema_version":1}'],
      ['torn', '{"schema_ver'],
      ['bare', '{"schema_version":2}'],
    ] as const) {
      mkdirSync(path.join(store, name));
      writeFileSync(path.join(store, name, 'verdict.json'), text);
    }
    writeFileSync(path.join(store, 'current.json'), '{}');
    assertRecordWhole(store);
    layLookIn(path.join(store, 'other'), { record: hashOf(7) });
    expect(() => assertRecordWhole(store)).toThrow(invalid('other/verdict\\.json rests on the look 7777'));
  });
});

describe('processes', () => {
  const child = (...args: string[]) =>
    new Promise<{ signal: string | null; stdout: string }>((resolve) => {
      const file = fileURLToPath(new URL('./looks-child.ts', import.meta.url));
      execFile(process.execPath, ['--import', 'tsx', file, ...args], (error, stdout) =>
        resolve({ signal: error?.signal ?? null, stdout }),
      );
    });

  it('at once lose no look and share no number', async () => {
    const { artifact, file } = emptyStore();
    const numbers = LONG_RUN ? ['1', '2', '3', '4'] : ['1', '2'];
    const ended = await Promise.all(numbers.map((suite) => child(artifact, suite)));
    expect(ended.map(({ stdout }) => stdout).sort()).toEqual(numbers);
    expect(linesOf(file)).toHaveLength(numbers.length);
  }, 60_000);

  it('killed after it began: the look counts', async () => {
    const { artifact } = emptyStore();
    expect((await child(artifact, '1', 'kill')).signal).toBe('SIGKILL');
    expect(planLook(artifact, requestOf(casesOf(0, 50)))).toMatchObject({
      number: 2,
      earlier: [{ suite_sha256: hashOf(1), verdict: null }],
    });
  }, 60_000);
});

describe('whatever is looked at', () => {
  const QUESTIONS = 12;
  const looks = fc.array(
    fc.record({
      suite: fc.integer({ min: 0, max: 2 }),
      cases: fc.array(
        fc.record({
          question: fc.integer({ min: 0, max: QUESTIONS - 1 }),
          quality: fc.constantFrom(0, 1, 1, 1),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      /** Besides the cases of the look before, as who appends does. */
      keep: fc.boolean(),
    }),
    { minLength: 1, maxLength: 9 },
  );

  it('no question is looked at for more than 1 - confidence, and a number counts the earlier looks that overlap', () => {
    fc.assert(
      fc.property(looks, fc.integer(), (steps, turn) => {
        const { artifact } = emptyStore();
        /** Each look with all questions that it has touched, in the order of their beginning. */
        const begun = new Map<string, { delta: number; number: number; questions: Set<number> }>();
        const lookOf = new Map<string, string>();
        let before: Case[] = [];
        for (const { suite, cases, keep } of steps) {
          const added = cases.map(({ question, quality }) => caseOf(question, { quality }));
          const all = keep ? [...before, ...added] : added;
          before = all;
          const questions = new Set(all.map(({ id }) => Number(id.slice('case-'.length))));
          const overlapping = [...begun].filter(([, look]) =>
            [...look.questions].some((q) => questions.has(q)),
          );
          const request = requestOf(all, { suiteSha256: hashOf(suite) });
          const at = Math.abs(turn) % all.length;
          const turned = requestOf([...all.slice(at), ...all.slice(0, at)], { suiteSha256: hashOf(suite) });
          const planned = planLook(artifact, turned);
          const look = beginLook(artifact, request);
          expect(planned).toMatchObject({ number: look.number, delta: look.delta, batches: look.batches });
          expect(look.earlier).toHaveLength(look.number - 1);
          expect(Math.max(...look.batchOf)).toBeLessThan(look.batches);
          if (look.continues) {
            const record = lookOf.get(look.record) ?? [...begun.keys()].find((one) => continued(one, look))!;
            const old = begun.get(record)!;
            expect(look).toMatchObject({ number: old.number, delta: old.delta });
            for (const question of questions) old.questions.add(question);
            lookOf.set(look.record, record);
          } else {
            expect(look.number).toBe(1 + overlapping.length);
            begun.set(look.record, { delta: look.delta, number: look.number, questions });
            lookOf.set(look.record, look.record);
          }
        }
        for (let question = 0; question < QUESTIONS; question++) {
          const touching = [...begun.values()].filter(({ questions }) => questions.has(question));
          expect(touching.reduce((sum, { delta }) => sum + delta, 0)).toBeLessThanOrEqual(0.05);
        }

        /** The look that a new line continues, by the record itself. */
        function continued(first: string, look: { record: string }): boolean {
          const lines = linesOf(path.join(path.dirname(artifact), 'looks.jsonl')).map((line) =>
            JSON.parse(line),
          );
          return lookOf.get(lines.at(-1).continues) === first && look.record !== first;
        }
      }),
      { numRuns: scaled(60) },
    );
  }, 60_000);
});

it('a copy of a verdict among reports is not of an artifact of the store', () => {
  const { store, artifact } = emptyStore();
  const reports = path.join(store, 'reports');
  mkdirSync(reports);
  const verdict = JSON.stringify({ schema_version: 2, looks: { record: hashOf(7), number: 1 } });
  writeFileSync(path.join(reports, 'verdict.json'), verdict);
  expect(lookAt(artifact, casesOf(0, 3)).number).toBe(1);
});

describe('which cases no other look has seen', () => {
  const seenBy = (artifact: string, record: string | null, cases: readonly Case[]) =>
    unseenByLooks(artifact, record, fingerprintCases(cases, MODELS)).map((fresh) => !fresh);

  it('those of the look itself count as fresh, those of others do not, whatever their key', () => {
    const { artifact } = emptyStore();
    lookAt(artifact, casesOf(0, 3), { artifactSha256: hashOf('c') });
    const { record } = lookAt(artifact, casesOf(2, 6));
    expect(seenBy(artifact, record, casesOf(1, 7))).toEqual([true, true, false, false, false, false]);
    expect(seenBy(artifact, record, [caseOf(1, { key: 'of another program' })])).toEqual([true]);
    expect(seenBy(artifact, null, casesOf(4, 7))).toEqual([true, true, false]);
    expect(
      seenBy(
        artifact,
        record,
        copiesOf(casesOf(1, 4), (text) => `${text} 9`),
      ),
    ).toEqual([true, true, false]);
  });

  it('beside a line of version 1 none is: nobody knows what it saw', () => {
    const { artifact, file } = emptyStore();
    writeLines(file, [FORMER]);
    expect(seenBy(artifact, null, casesOf(0, 2))).toEqual([true, true]);
  });
});
