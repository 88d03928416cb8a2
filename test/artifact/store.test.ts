import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import {
  artifactMark,
  listArtifacts,
  promote,
  resolveArtifact,
  rollback,
} from '../../router/artifact/store.ts';
import { DAY_MS, layVerdict } from '../helpers/verdicts.ts';
import { draft, scratchFolder } from './draft.ts';

const NOW = new Date();
const at = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

/** A store with artifacts of these names, each with a PASS. */
function storeOf(...names: string[]): string {
  const store = scratchFolder();
  for (const name of names) {
    const folder = path.join(store, name);
    writeArtifact(folder, { ...draft, manifest: { ...draft.manifest, name } });
    layVerdict(folder);
  }
  return store;
}

/** Another artifact in the place of the one that lies there. */
function replaceIn(store: string, name: string): void {
  writeArtifact(path.join(store, name), { ...draft, modelCard: 'another' }, { replace: true });
}

const currentOf = (store: string) => JSON.parse(readFileSync(path.join(store, 'current.json'), 'utf8'));
const historyOf = (store: string) =>
  currentOf(store).history.map(({ artifact }: { artifact: string }) => artifact);

describe('promote', () => {
  it('makes the pointer name the artifact, by hash, and leaves nothing else', () => {
    const store = storeOf('a', 'b');
    const { sha256 } = readArtifact(path.join(store, 'a'));
    expect(promote(store, 'a', NOW)).toEqual({ artifact: 'a', sha256, at: NOW.toISOString() });
    expect(currentOf(store)).toEqual({
      schema_version: 1,
      artifact: 'a',
      history: [{ artifact: 'a', sha256, at: NOW.toISOString() }],
    });
    expect(readdirSync(store).sort()).toEqual(['a', 'b', 'current.json']);
  });

  it('changes nothing where it is current already', () => {
    const store = storeOf('a');
    promote(store, 'a', NOW);
    const before = readFileSync(path.join(store, 'current.json'));
    expect(promote(store, 'a', at(1)).at).toBe(NOW.toISOString());
    expect(readFileSync(path.join(store, 'current.json')).equals(before)).toBe(true);
  });

  it('keeps the history in the order of its times, also if a command waited for another that began later', () => {
    const store = storeOf('a', 'b');
    promote(store, 'a', at(2));
    expect(promote(store, 'b', at(1)).at).toBe(at(2).toISOString());
    expect(rollback(store, NOW)).toMatchObject({ artifact: 'a', at: at(2).toISOString() });
    expect(historyOf(store)).toEqual(['a', 'b', 'a']);
  });

  it('refuses what has no valid PASS, and leaves the pointer', () => {
    const store = storeOf('a', 'failed', 'expired', 'ungated');
    promote(store, 'a', NOW);
    layVerdict(path.join(store, 'failed'), { verdict: 'FAIL' });
    layVerdict(path.join(store, 'expired'), { issued: at(-91).toISOString() });
    rmSync(path.join(store, 'ungated', 'verdict.json'));
    for (const name of ['failed', 'expired', 'ungated']) {
      expect(() => promote(store, name, NOW)).toThrow(expect.objectContaining({ code: 'ungated' }));
    }
    expect(historyOf(store)).toEqual(['a']);
  });

  it('refuses what is no whole artifact', () => {
    const store = storeOf('a');
    writeFileSync(path.join(store, 'a', 'golden.json'), '[]');
    expect(() => promote(store, 'a', NOW)).toThrow(expect.objectContaining({ code: 'invalid-artifact' }));
    expect(() => promote(store, 'nowhere', NOW)).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(readdirSync(store)).toEqual(['a']);
  });
});

describe('rollback', () => {
  it('goes back to what served before, twice leads forward again, and the history keeps each step', () => {
    const store = storeOf('a', 'b');
    promote(store, 'a', NOW);
    promote(store, 'b', at(1));
    expect(rollback(store, at(2))).toMatchObject({ artifact: 'a', at: at(2).toISOString() });
    expect(rollback(store, at(3))).toMatchObject({ artifact: 'b' });
    expect(currentOf(store).artifact).toBe('b');
    expect(historyOf(store)).toEqual(['a', 'b', 'a', 'b']);
  });

  it('says that there is nothing to go back to', () => {
    const store = storeOf('a');
    expect(() => rollback(store, NOW)).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining('no current.json') }),
    );
    promote(store, 'a', NOW);
    expect(() => rollback(store, NOW)).toThrow('nothing before a');
  });

  it('refuses what was replaced since, and what expired since', () => {
    const store = storeOf('a', 'b');
    promote(store, 'a', NOW);
    promote(store, 'b', NOW);
    expect(() => rollback(store, at(91))).toThrow(expect.objectContaining({ code: 'ungated' }));
    replaceIn(store, 'a');
    layVerdict(path.join(store, 'a'));
    expect(() => rollback(store, NOW)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', message: expect.stringContaining('replaced') }),
    );
    expect(historyOf(store)).toEqual(['a', 'b']);
  });
});

describe('resolveArtifact', () => {
  it('an artifact is itself; a store is what its pointer names', () => {
    const store = storeOf('a', 'b');
    const folder = path.join(store, 'b');
    expect(resolveArtifact(folder)).toBe(folder);
    promote(store, 'b', NOW);
    expect(resolveArtifact(store)).toBe(folder);
  });

  it('says that none was chosen in a folder of artifacts', () => {
    const store = storeOf('a');
    expect(() => resolveArtifact(store)).toThrow(
      expect.objectContaining({
        code: 'not-found',
        message: expect.stringContaining(
          `npm run -s plimsoll -- promote --artifact ${path.join(store, 'a')}`,
        ),
      }),
    );
  });

  it('leaves to the reader of artifacts what is neither', () => {
    const nowhere = path.join(scratchFolder(), 'nowhere');
    expect(resolveArtifact(nowhere)).toBe(nowhere);
  });

  it('refuses a pointer to what is gone or was replaced', () => {
    const store = storeOf('a', 'b');
    promote(store, 'a', NOW);
    replaceIn(store, 'a');
    expect(() => resolveArtifact(store)).toThrow(/which was replaced since it was promoted/);
    rmSync(path.join(store, 'a'), { recursive: true });
    expect(() => resolveArtifact(store)).toThrow(
      expect.objectContaining({
        code: 'invalid-artifact',
        place: { file: path.join(store, 'current.json'), field: 'artifact' },
        message: expect.stringContaining('which is no artifact'),
      }),
    );
  });

  it.each<[string, string, (current: Record<string, unknown>) => object]>([
    ['another schema version', 'schema_version', (c) => ({ ...c, schema_version: 2 })],
    ['a path out of the store', 'artifact', (c) => ({ ...c, artifact: '../a' })],
    ['the store itself', 'artifact', (c) => ({ ...c, artifact: '..' })],
    ['a history of something else', 'artifact', (c) => ({ ...c, artifact: 'b' })],
    ['no history', 'history', (c) => ({ ...c, history: [] })],
  ])('names the field of a pointer with %s', (_, field, change) => {
    const store = storeOf('a', 'b');
    promote(store, 'a', NOW);
    const file = path.join(store, 'current.json');
    writeFileSync(file, JSON.stringify(change(currentOf(store))));
    expect(() => resolveArtifact(store)).toThrow(
      expect.objectContaining({ code: 'invalid-artifact', place: { file, field } }),
    );
  });

  it('refuses half a pointer', () => {
    const store = storeOf('a');
    writeFileSync(path.join(store, 'current.json'), '{"schema_version": 1, "art');
    expect(() => resolveArtifact(store)).toThrow('current.json is not valid JSON');
  });
});

describe('listArtifacts', () => {
  it('sees each change of a file that it has checked before, also of one that keeps its size and time', async () => {
    const store = storeOf('a', 'b');
    const kinds = () => listArtifacts(store, NOW).map(({ kind }) => kind);
    expect(kinds()).toEqual(['whole', 'whole']);
    await sleep(2_100); // of files that were written just now nothing is kept
    expect(kinds()).toEqual(['whole', 'whole']);
    expect(kinds()).toEqual(['whole', 'whole']);
    const file = path.join(store, 'a', 'classifier.onnx');
    const bytes = readFileSync(file);
    const { atime, mtime } = statSync(file);
    writeFileSync(
      file,
      Uint8Array.from(bytes, (byte, i) => (i === 100 ? byte ^ 1 : byte)),
    );
    utimesSync(file, atime, mtime);
    expect(kinds()).toEqual(['broken', 'whole']);
    writeFileSync(file, bytes);
    expect(kinds()).toEqual(['whole', 'whole']);
    rmSync(file);
    expect(kinds()).toEqual(['broken', 'whole']);
  });

  it('lists each artifact with its verdict and what is current, and a broken one with its fault', () => {
    const store = storeOf('a', 'b', 'broken', 'failed');
    promote(store, 'b', NOW);
    writeFileSync(path.join(store, 'broken', 'classifier.onnx'), '');
    layVerdict(path.join(store, 'failed'), { verdict: 'FAIL' });
    writeArtifact(path.join(store, '.half-written'), draft);
    const listed = listArtifacts(store, NOW);
    expect(listed).toMatchObject([
      { folder: 'a', current: false, kind: 'whole', name: 'a', threshold: 0.1, standing: { kind: 'pass' } },
      { folder: 'b', current: true, kind: 'whole', created: draft.manifest.created },
      { folder: 'broken', current: false, kind: 'broken', fault: expect.stringContaining('was changed') },
      { folder: 'failed', kind: 'whole', standing: { kind: 'none', reason: 'not-passed' } },
    ]);
    expect(listed).toHaveLength(4);
  });

  it('lists what is current though it is gone or replaced', () => {
    const store = storeOf('a', 'b');
    promote(store, 'a', NOW);
    replaceIn(store, 'a');
    expect(listArtifacts(store, NOW)[0]).toMatchObject({
      current: true,
      fault: expect.stringContaining('replaced'),
    });
    rmSync(path.join(store, 'a'), { recursive: true });
    expect(listArtifacts(store, NOW)).toMatchObject([
      { folder: 'a', current: true, kind: 'broken' },
      { folder: 'b', current: false, kind: 'whole' },
    ]);
  });

  it('an empty store is empty, and none is an error', () => {
    const store = scratchFolder();
    expect(listArtifacts(store, NOW)).toEqual([]);
    expect(() => listArtifacts(path.join(store, 'nowhere'), NOW)).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});

describe('artifactMark', () => {
  it('tells states apart: replaced, gated, signed, another pointer; and is undefined where nothing lies', async () => {
    const store = storeOf('a', 'b');
    const folder = path.join(store, 'a');
    expect(await artifactMark(path.join(store, 'nowhere'))).toBeUndefined();
    expect(await artifactMark(store)).toBeUndefined();
    const marks = [await artifactMark(folder)];
    expect(await artifactMark(folder)).toBe(marks[0]);
    layVerdict(folder, { verdict: 'FAIL' });
    marks.push(await artifactMark(folder));
    writeFileSync(path.join(folder, 'verdict.json.sig'), 'signed');
    marks.push(await artifactMark(folder));
    writeArtifact(folder, draft, { replace: true });
    marks.push(await artifactMark(folder));
    layVerdict(folder);
    for (const name of ['a', 'b']) {
      promote(store, name, NOW);
      marks.push(await artifactMark(store));
    }
    expect(new Set(marks).size).toBe(6);
  });
});
