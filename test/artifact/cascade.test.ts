import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import type { Cascade } from '../../router/cascade/index.ts';
import { madeUpCascade } from './cascade.ts';
import { draft, scratchFolder } from './draft.ts';

function written(change: (cascade: Cascade) => unknown): string {
  const folder = path.join(scratchFolder(), 'made-up');
  const { files, ...manifest } = writeArtifact(folder, draft);
  const cascade = change(structuredClone(madeUpCascade()));
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ ...manifest, files, cascade }));
  return folder;
}

const refused = (field: string, message: string) =>
  expect.objectContaining({
    code: 'invalid-artifact',
    place: expect.objectContaining({ field }),
    message: expect.stringContaining(message),
  });

it('writes a cascade and reads the same', () => {
  const folder = path.join(scratchFolder(), 'made-up');
  const cascade = madeUpCascade();
  writeArtifact(folder, { ...draft, manifest: { ...draft.manifest, cascade } });
  expect(readArtifact(folder).manifest.cascade).toEqual(cascade);
});

it('refuses a cascade without a judge', () => {
  const folder = written(({ judge: _, ...rest }) => rest);
  expect(() => readArtifact(folder)).toThrow(refused('cascade.judge', 'plimsoll -- train --cascade'));
});

it.each([
  ['a name', (columns: readonly string[]) => columns.with(5, 'mood'), 5, 'is "mood", where'],
  [
    'the order',
    (columns: readonly string[]) => columns.with(2, columns[3]!).with(3, columns[2]!),
    2,
    'where',
  ],
  ['one more', (columns: readonly string[]) => [...columns, 'mood'], undefined, 'has no column'],
  ['one less', (columns: readonly string[]) => columns.slice(0, -1), undefined, 'ends before'],
  ['another model', (columns: readonly string[]) => columns.with(0, 'logit other'), 0, '"logit small"'],
])('refuses a judge of columns that this version does not have: %s', (_, change, at, message) => {
  let last = 0;
  const folder = written(({ judge, ...rest }) => {
    const columns = change(judge.columns);
    last = Math.min(columns.length, judge.columns.length);
    return { ...rest, judge: { ...judge, columns } };
  });
  expect(() => readArtifact(folder)).toThrow(refused(`cascade.judge.columns.${at ?? last}`, message));
});

it.each<[string, (cascade: Cascade) => unknown, string, string]>([
  [
    'a head of another length',
    ({ judge, ...rest }) => ({ ...rest, judge: { ...judge, better: { weights: [1], intercept: 0 } } }),
    'cascade.judge.better.weights',
    'has 1 weights',
  ],
  [
    'a weight that is no number',
    ({ judge, ...rest }) => ({
      ...rest,
      judge: { ...judge, cheap: { weights: judge.cheap.weights.with(3, Number.NaN), intercept: 0 } },
    }),
    'cascade.judge.cheap.weights.3',
    'expected number',
  ],
  [
    'ranges of other columns',
    ({ judge, ...rest }) => ({ ...rest, judge: { ...judge, ranges: [[0, 1]] } }),
    'cascade.judge.ranges',
    'has 1 ranges',
  ],
  [
    'a range whose ends are crossed',
    ({ judge, ...rest }) => ({ ...rest, judge: { ...judge, ranges: judge.columns.map(() => [1, 0]) } }),
    'cascade.judge.ranges.0',
    'must not be above',
  ],
  ['no step', (cascade) => ({ ...cascade, path: [] }), 'cascade.path', '1'],
  [
    'a limit that skips nothing at all, texts that cannot be read included',
    (cascade) => ({ ...cascade, skip: 1 }),
    'cascade.skip',
    '<1',
  ],
  [
    'accept levels out of order',
    (cascade) => ({ ...cascade, path: [cascade.path[1], cascade.path[0]] }),
    'cascade.path.1.accept',
    'above the one before',
  ],
  [
    'limits that fall',
    (cascade) => ({ ...cascade, path: [cascade.path[1], { accept: 0.3, skip: 0.1 }] }),
    'cascade.path.1.skip',
    'at least the one before',
  ],
])('refuses %s', (_, change, field, message) => {
  const folder = written(change);
  expect(() => readArtifact(folder)).toThrow(refused(field, message));
});

describe('a cascade of three candidates', () => {
  const models = ['small', 'middle', 'large'];
  const ladder = models.map((model) => ({ candidate: model, model }));
  const rung = madeUpCascade(models);
  const written = (cascade: Cascade, candidates = ladder) => {
    const folder = path.join(scratchFolder(), 'made-up');
    writeArtifact(folder, { ...draft, manifest: { ...draft.manifest, ladder: candidates, cascade } });
    return folder;
  };

  it('is written with a judge for each but the strongest, and read as it was', () => {
    const cascade = { ...rung, middle: [{ ...rung, skip: -0.3 }] };
    expect(readArtifact(written(cascade)).manifest.cascade).toEqual(cascade);
  });

  it.each<[string, Cascade, string, string]>([
    ['no judge for the middle one', rung, 'cascade.middle', 'has no judge for middle: each candidate but'],
    [
      'one judge too many',
      { ...rung, middle: [rung, rung] },
      'cascade.middle',
      'there are 3 judges, and only small, middle can be judged',
    ],
    [
      'a judge of other models',
      { ...rung, middle: [madeUpCascade(['small', 'other', 'large'])] },
      'cascade.middle.0.judge.columns.1',
      'is "logit other", where this version of Plimsoll has "logit middle"',
    ],
    [
      'limits that fall',
      { ...rung, middle: [{ ...rung, path: [rung.path[1]!, { accept: 0.3, skip: 0.1 }] }] },
      'cascade.middle.0.path.1.skip',
      'at least the one before',
    ],
  ])('is refused with %s', (_, cascade, field, message) => {
    expect(() => written(cascade)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(message),
        place: expect.objectContaining({ field }),
      }),
    );
  });

  it('is refused where the ladder has two', () => {
    const pair = ladder.filter((_, at) => at !== 1);
    const own = madeUpCascade(['small', 'large']);
    expect(() => written({ ...own, middle: [own] }, pair)).toThrow(/only small can be judged/);
  });
});
