import { createHash } from 'node:crypto';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Case,
  DEFAULT_SHARES,
  fingerprints,
  hashCases,
  questionKey,
  seenQuestions,
  splitByKey,
} from '../../evals/cases/index.ts';
import { heldOutCases, runGate } from '../../evals/gate/index.ts';
import { htmlReport } from '../../evals/report/html/page.ts';
import { junitReport, markdownReport, terminalReport } from '../../evals/report/index.ts';
import { type ArtifactFiles, readArtifact, verdictSchema } from '../../router/artifact/index.ts';
import { CHEAP, type GateWorld, gateWorld, writeCaseFile, writeSuite } from './gate-world.ts';

let world: GateWorld;
let artifact: ArtifactFiles;
let seen: readonly Case[];
let heldOutInTraining: readonly Case[];

beforeAll(async () => {
  world = await gateWorld();
  artifact = readArtifact(world.artifact);
  const { train, test } = splitByKey(world.cases, DEFAULT_SHARES, artifact.manifest.split.seed);
  seen = train;
  heldOutInTraining = test;
});

/** Questions that the artifact has never seen. */
function fresh(count: number, over: Partial<Case> = {}): Case[] {
  return world.cases.slice(0, count).map((one, i) => {
    const text = `Another question, number ${i}: ${one.text}`;
    return { ...one, id: `fresh-${i}`, text, key: questionKey(text), ...over };
  });
}

/** Cases that were seen, or share a key or a group with one, over any number of steps: added until nothing more comes. */
function tiedToSeen(cases: readonly Case[], isSeen: (one: Case) => boolean): ReadonlySet<Case> {
  const tied = new Set(cases.filter(isSeen));
  for (let before = -1; before < tied.size; ) {
    before = tied.size;
    const keys = new Set([...tied].map(({ key }) => key));
    const groups = new Set([...tied].flatMap(({ group }) => group ?? []));
    for (const one of cases) if (keys.has(one.key) || groups.has(one.group ?? '')) tied.add(one);
  }
  return tied;
}

describe('the cases that the gate judges', () => {
  it('are all of them, if none was seen', () => {
    const cases = fresh(1193);
    const { heldOut, excluded, sha256 } = heldOutCases(cases, artifact);
    expect(heldOut).toEqual(cases);
    expect(excluded).toEqual({ seen: 0, seenCopies: 0, seenGroup: 0 });
    expect(sha256).toBe(hashCases(cases));
  });

  it.each([0, 600, 1193])('are all that are fresh, with one seen question at row %i', (at) => {
    const cases = fresh(1193);
    const { heldOut, excluded } = heldOutCases(cases.toSpliced(at, 0, seen[0]!), artifact);
    expect(heldOut).toEqual(cases);
    expect(excluded).toEqual({ seen: 1, seenCopies: 0, seenGroup: 0 });
  });

  it('are the test part of the file that was trained on', () => {
    const { heldOut, excluded, sha256 } = heldOutCases(world.cases, artifact);
    expect(heldOut).toEqual(heldOutInTraining);
    expect(sha256).toBe(artifact.manifest.split.test.sha256);
    expect(excluded).toEqual({ seen: seen.length, seenCopies: 0, seenGroup: 0 });
  });

  it('are the test part and all that is new, of that file with fresh cases', () => {
    const added = fresh(500);
    const { heldOut, excluded } = heldOutCases([...added, ...world.cases], artifact);
    expect(heldOut).toEqual([...added, ...heldOutInTraining]);
    expect(excluded).toEqual({ seen: seen.length, seenCopies: 0, seenGroup: 0 });
  });

  it('are what is left of a part of that file', () => {
    const { heldOut } = heldOutCases(world.cases.slice(0, 2000), artifact);
    expect(heldOut).toEqual(heldOutInTraining.filter((one) => world.cases.indexOf(one) < 2000));
  });

  it('leave out a question that was seen under another key or id', () => {
    const renamed = { ...seen[7]!, id: 'renamed', key: 'of another program' };
    const { heldOut, excluded } = heldOutCases([...fresh(10), renamed], artifact);
    expect([heldOut.length, excluded]).toEqual([10, { seen: 1, seenCopies: 0, seenGroup: 0 }]);
  });

  it.each([
    ['a number at its end', (text: string) => `${text} (request 17)`],
    ['a number before it', (text: string) => `17. ${text}`],
  ])('leave out a question that was seen, with %s', (_, edited) => {
    const text = edited(seen[9]!.text);
    const copy = { ...seen[9]!, id: 'copy', text, key: 'of another program' };
    const { heldOut, excluded, notes } = heldOutCases([...fresh(10), copy], artifact);
    expect([heldOut.length, excluded, notes]).toEqual([10, { seen: 0, seenCopies: 1, seenGroup: 0 }, []]);
  });

  it('are other questions of a template, which are counted; a copy of one with numbers in it is left out', () => {
    const ask = (text: string) => ({ ...fresh(1)[0]!, id: text, text, key: text });
    const learned = ask('Convert 12 kilometres to metres.');
    const known = { ...artifact, seenQuestions: fingerprints([learned]) };
    const [other, copy] = [
      ask('Convert 7,311 kilometres to metres.'),
      ask('[request 5] convert 12 kilometres to metres'),
    ];
    const { heldOut, excluded, alike, notes } = heldOutCases([ask('Hello there'), other, copy], known);
    expect(heldOut.map(({ text }) => text)).toEqual(['Hello there', other.text]);
    expect([excluded, alike]).toEqual([{ seen: 0, seenCopies: 1, seenGroup: 0 }, 1]);
    expect(notes).toEqual([expect.stringContaining('1 of 2 held-out cases differ')]);
  });

  it('leave out what a group ties to a copy', () => {
    const copy = { ...seen[9]!, text: `${seen[9]!.text} (2)`, key: 'other', group: 'talk' };
    const cases = [...fresh(10), copy, { ...fresh(11)[10]!, group: 'talk' }];
    expect(heldOutCases(cases, artifact).excluded).toEqual({ seen: 0, seenCopies: 1, seenGroup: 1 });
  });

  it('keep sums of other numbers: texts without a letter are copies only if their digits are the same', () => {
    const sums = ['12 + 30', '12+30 =', '13 + 30'].map((text) => ({ ...fresh(1)[0]!, text, key: text }));
    const known = { ...artifact, seenQuestions: fingerprints(sums.slice(0, 1)) };
    const { heldOut, excluded } = heldOutCases(sums.slice(1), known);
    expect([heldOut.map(({ text }) => text), excluded.seen]).toEqual([['13 + 30'], 1]);
  });

  it('keep copies if the artifact is of a version that kept no hashes of them, and a note says what to do', () => {
    const copy = { ...seen[9]!, id: 'copy', text: `${seen[9]!.text} (request 17)`, key: 'other' };
    const hash = (name: string) => createHash('sha256').update(name).digest().subarray(0, 8);
    const old = { ...artifact, seenQuestions: Buffer.concat(seen.map(({ key }) => hash(key))) };
    const { heldOut, excluded, notes } = heldOutCases([copy, seen[9]!], old);
    expect([heldOut, excluded]).toEqual([[copy], { seen: 1, seenCopies: 0, seenGroup: 0 }]);
    expect(notes).toEqual([expect.stringMatching(/kept no hashes of copies.*Train it again/)]);
    const more = { ...old, seenQuestions: fingerprints(fresh(5), old.seenQuestions) };
    expect(heldOutCases([copy], more).notes, 'recalibrated').toHaveLength(1);
  });

  it('leave out what a group ties to a seen question, also over a third case', () => {
    const [a, b, c, ...others] = fresh(20);
    const tied = [
      { ...a!, group: 'talk' },
      { ...b!, group: 'talk' },
      { ...c!, key: b!.key, group: 'other talk' },
    ];
    const cases = [...tied, { ...seen[3]!, group: 'talk' }, ...others];
    const { heldOut, excluded } = heldOutCases(cases, artifact);
    expect(heldOut).toEqual(others);
    expect(excluded).toEqual({ seen: 1, seenCopies: 0, seenGroup: 3 });
  });

  it('stay whole in groups of their own', () => {
    const cases = fresh(40).map((one, i) => ({ ...one, group: `talk-${i % 7}` }));
    expect(heldOutCases([...cases, seen[0]!], artifact).heldOut).toEqual(cases);
  });

  it('whatever the mixture: each case counts or has one reason, and none that counts was seen', () => {
    const known = seenQuestions(artifact.seenQuestions);
    const isSeen = (one: Case) => known.sighting(one) !== undefined;
    const pool = [...fresh(30), ...seen.slice(0, 30), ...heldOutInTraining.slice(0, 30)];
    const group = fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined });
    const one = fc.tuple(fc.constantFrom(...pool), group).map(([item, name]) => ({
      ...item,
      ...(name !== undefined && { group: name }),
    }));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), (cases) => {
        const tied = tiedToSeen(cases, isSeen);
        fc.pre(tied.size < cases.length);
        const { heldOut, excluded } = heldOutCases(cases, artifact);
        const seenCount = cases.filter(isSeen).length;
        expect(heldOut).toEqual(cases.filter((item) => !tied.has(item)));
        expect(excluded).toEqual({ seen: seenCount, seenCopies: 0, seenGroup: tied.size - seenCount });
      }),
    );
  });

  it('are an error if none is left, with the reason and what to give', () => {
    const tied = { ...fresh(1)[0]!, group: 'talk' };
    const cases = [...seen.slice(0, 5), { ...seen[5]!, group: 'talk' }, tied];
    expect(() => heldOutCases(cases, artifact)).toThrow(
      expect.objectContaining({
        code: 'insufficient-data',
        message: expect.stringMatching(
          /all 7 ask questions that made saw .*\(6\), or share a group .*\(1\).*Give/,
        ),
      }),
    );
  });
});

describe('a verdict on fresh, seen, grouped, double and unlabelled rows', () => {
  it('counts each that is left out by its reason, in every report', async () => {
    const cases: Case[] = [
      ...fresh(1000),
      ...fresh(3), // labelled again
      ...fresh(2).map((one) => ({ ...one, id: `${one.id}-again` })), // asked again
      ...fresh(1002)
        .slice(1000)
        .map((one) => ({ ...one, outcomes: new Map([[CHEAP, { quality: 1 }]]) })),
      seen[0]!,
      seen[1]!,
      { ...seen[2]!, id: 'copy', text: `${seen[2]!.text} 17`, key: 'copy' },
    ];
    const data = writeCaseFile(path.join(world.home, 'mixed.jsonl'), cases);
    const suite = writeSuite(world.home, { slices: [] });
    const { verdict } = await runGate({ artifact: world.artifact, suite, data: [data] });
    expect(verdict.sealed).toMatchObject({ n: 1004, labelled: 1002 });
    expect(verdict.sealed.excluded).toEqual({
      duplicates: 3,
      rejected: 0,
      seen: 2,
      seen_copies: 1,
      seen_group: 0,
    });
    expect(verdictSchema.safeParse(JSON.parse(JSON.stringify(verdict))).error).toBeUndefined();
    expect(verdict.conditions[0]!.note).toMatch(/^2 of 1004 cases repeat the text of another: /);
    const sentence =
      'Excluded: 2 seen in training or calibration, 1 that is a copy of what was seen, but for case, white space, punctuation and numbers at either end, 3 duplicates.';
    expect(terminalReport(verdict, { colour: false })).toContain(sentence);
    expect(markdownReport(verdict)).toContain(sentence);
    expect(htmlReport(verdict)).toContain(sentence);
    expect(junitReport(verdict)).toContain(`name="sealed.excluded" value="${sentence}`);
  });
});
