import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import { sha256OfJson } from '../../router/artifact/sha256.ts';
import { readVerdict, sealedVerdict, type Verdict, writeVerdict } from '../../router/artifact/verdict.ts';
import {
  type EarlierVerdict,
  layEarlierVerdict,
  layVerdict,
  PASSED,
  verdictOf,
} from '../helpers/verdicts.ts';
import { draft, scratchFolder } from './draft.ts';

function written(): string {
  const folder = path.join(scratchFolder(), 'made-up');
  writeArtifact(folder, draft);
  return folder;
}

/** An artifact whose verdict.json was edited by hand: the hash in it stays. */
function edited(change: (verdict: Verdict) => object): { folder: string; file: string } {
  return editedBy((folder) => change(layVerdict(folder)));
}

function editedEarlier(change: (verdict: EarlierVerdict) => object): { folder: string; file: string } {
  return editedBy((folder) => change(layEarlierVerdict(folder)));
}

function editedBy(verdictIn: (folder: string) => object): { folder: string; file: string } {
  const folder = written();
  const file = path.join(folder, 'verdict.json');
  writeFileSync(file, JSON.stringify(verdictIn(folder)));
  return { folder, file };
}

describe('writeVerdict and readVerdict', () => {
  it('give back what the gate said, and leave nothing else behind', () => {
    const folder = written();
    const before = readdirSync(folder);
    const verdict = layVerdict(folder);
    expect(readVerdict(folder)).toEqual(verdict);
    expect(readdirSync(folder).sort()).toEqual([...before, 'verdict.json'].sort());
  });

  it('put a later verdict in the place of an earlier one', () => {
    const folder = written();
    layVerdict(folder);
    const later = layVerdict(folder, { verdict: 'FAIL' });
    expect(readVerdict(folder)).toEqual(later);
  });

  it('leave the artifact whole: its hashes do not cover the verdict', () => {
    const folder = written();
    const { sha256 } = readArtifact(folder);
    layVerdict(folder);
    expect(readArtifact(folder).sha256).toBe(sha256);
  });

  it('know no verdict where there is no file', () => {
    expect(readVerdict(written())).toBeUndefined();
  });

  it('do not find the verdict of the artifact that stood there before', () => {
    const folder = written();
    layVerdict(folder);
    writeArtifact(folder, { ...draft, modelCard: 'another' }, { replace: true });
    expect(readVerdict(folder)).toBeUndefined();
  });

  it('say where nothing can be written, and leave nothing', () => {
    const home = scratchFolder();
    const verdict = verdictOf(readArtifact(written()));
    expect(() => writeVerdict(path.join(home, 'nowhere'), verdict)).toThrow(
      expect.objectContaining({ code: 'io', message: expect.stringContaining('ENOENT') }),
    );
    mkdirSync(path.join(home, 'verdict.json'));
    expect(() => writeVerdict(home, verdict)).toThrow(expect.objectContaining({ code: 'io' }));
    expect(readdirSync(home)).toEqual(['verdict.json']);
  });
});

describe('readVerdict', () => {
  it.each<[string, (verdict: Verdict) => object]>([
    ['the word', (v) => ({ ...v, verdict: 'FAIL' })],
    ['a bound', (v) => ({ ...v, conditions: [{ ...PASSED, bounds: { lower: -0.002, upper: 0.014 } }] })],
    ['the time it was issued', (v) => ({ ...v, issued: '2030-01-01T00:00:00.000Z' })],
    ['what was found', (v) => ({ ...v, evidence: { extra: 1 } })],
    ['the hash', (v) => ({ ...v, sha256: 'f'.repeat(64) })],
  ])('sees that %s was changed', (_, change) => {
    const { folder, file } = edited(change);
    expect(() => readVerdict(folder)).toThrow(
      expect.objectContaining({
        code: 'invalid-artifact',
        place: { file, field: 'sha256' },
        message: expect.stringContaining('was changed after the gate wrote it'),
      }),
    );
  });

  it('does not mind another layout or another order of fields', () => {
    const { folder } = edited((verdict) => Object.fromEntries(Object.entries(verdict).reverse()));
    expect(readVerdict(folder)?.verdict).toBe('PASS');
  });

  it('of a later version says what to do', () => {
    const { folder } = edited((v) => ({ ...v, schema_version: 3 }));
    expect(() => readVerdict(folder)).toThrow(
      /field "schema_version": this version of Plimsoll reads 1 and 2\. Update Plimsoll if a later one wrote it, or gate the artifact again\.$/,
    );
  });

  it.each<[string, string, (verdict: Verdict) => object]>([
    ['another schema version', 'schema_version', (v) => ({ ...v, schema_version: 3 })],
    [
      'version 2 that says it is version 1',
      'sealed.excluded.missing_outcome',
      (v) => ({ ...v, schema_version: 1 }),
    ],
    ['no schema version', 'schema_version', ({ schema_version: _, ...v }) => v],
    ['no walk', 'walk', ({ walk: _, ...v }) => v],
    ['no looks', 'looks', ({ looks: _, ...v }) => v],
    ['a look that spends nothing', 'looks.delta', (v) => ({ ...v, looks: { ...v.looks, delta: 0 } })],
    [
      'a proof that is none',
      'conditions.0.proof',
      (v) => ({ ...v, conditions: [{ ...PASSED, proof: 'yes' }] }),
    ],
    [
      'a threshold out of range',
      'policy.threshold',
      (v) => ({ ...v, policy: { ...v.policy, threshold: 1.1 } }),
    ],
    ['a word that is none', 'verdict', (v) => ({ ...v, verdict: 'pass' })],
    ['no conditions', 'conditions', (v) => ({ ...v, conditions: [] })],
    ['a bound that is text', 'conditions.0.bounds.upper', (v) => withUpper(v, '0.01')],
    ['days that are none', 'valid_for_days', (v) => ({ ...v, valid_for_days: 0 })],
    ['an unknown field', '', (v) => ({ ...v, colour: 'blue' })],
  ])('names the file and the field of %s', (_, field, change) => {
    const { folder, file } = edited(change);
    expect(() => readVerdict(folder)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', place: { file, field } }),
    );
  });

  it('reads what an earlier version wrote, and sees that it was changed', () => {
    const folder = written();
    const verdict = layEarlierVerdict(folder);
    expect(readVerdict(folder)).toEqual(verdict);
    expect(verdict.schema_version).toBe(1);
    for (const change of [
      (v: EarlierVerdict) => ({ ...v, verdict: 'FAIL' }),
      (v: EarlierVerdict) => ({ ...v, policy: { ...v.policy, threshold: 0.2 } }),
    ]) {
      const { folder: changed, file } = editedEarlier(change);
      expect(() => readVerdict(changed)).toThrow(
        expect.objectContaining({ code: 'invalid-artifact', place: { file, field: 'sha256' } }),
      );
    }
  });

  it.each<[string, string, (verdict: EarlierVerdict) => object]>([
    ['version 1 that says it is version 2', 'walk', (v) => ({ ...v, schema_version: 2 })],
    ['version 1 with a walk', '', (v) => ({ ...v, walk: verdictOf(readArtifact(written())).walk })],
    [
      'version 1 without earlier looks',
      'sealed.earlier_looks',
      (v) => ({
        ...v,
        sealed: { ...v.sealed, earlier_looks: undefined },
      }),
    ],
  ])('names the file and the field of %s', (_, field, change) => {
    const { folder, file } = editedEarlier(change);
    expect(() => readVerdict(folder)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', place: { file, field } }),
    );
  });

  it.each([
    ['half of it', (text: string) => text.slice(0, text.length / 2)],
    ['nothing in it', () => ''],
  ])('refuses a file with %s', (_, cut) => {
    const folder = written();
    layVerdict(folder);
    const file = path.join(folder, 'verdict.json');
    writeFileSync(file, cut(readFileSync(file, 'utf8')));
    expect(() => readVerdict(folder)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', message: `${file} is not valid JSON.` }),
    );
  });

  it('refuses a folder of that name', () => {
    const folder = written();
    mkdirSync(path.join(folder, 'verdict.json'));
    expect(() => readVerdict(folder)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', message: expect.stringContaining('EISDIR') }),
    );
  });
});

describe('sealedVerdict', () => {
  it('hashes all but the hash itself, whatever the order of the keys', () => {
    const { sha256, ...content } = verdictOf(readArtifact(written()));
    expect(sha256).toBe(sha256OfJson(content));
    const reversed = Object.fromEntries(Object.entries(content).reverse()) as typeof content;
    expect(sealedVerdict(reversed).sha256).toBe(sha256);
  });
});

function withUpper(verdict: Verdict, upper: unknown): object {
  return { ...verdict, conditions: [{ ...PASSED, bounds: { lower: 0, upper } }] };
}
