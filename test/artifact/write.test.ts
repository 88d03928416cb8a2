import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertWritable, readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import { sha256, sha256OfJson } from '../../router/artifact/sha256.ts';
import { draft, scratchFolder } from './draft.ts';

const NOBODY = 65_534;

/** Root may write everywhere, so a test as root becomes nobody for the while. */
function asOrdinaryUser(action: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('writeArtifact', () => {
  it('writes what readArtifact reads', () => {
    const folder = path.join(scratchFolder(), 'deep', 'made-up');
    const manifest = writeArtifact(folder, draft);
    const read = readArtifact(folder);
    expect(read.manifest).toEqual(manifest);
    expect({ ...read.manifest, files: undefined }).toEqual({ ...draft.manifest, files: undefined });
    expect(Uint8Array.from(read.classifier)).toEqual(draft.classifier);
    expect(read.golden).toEqual(draft.golden);
    expect(read.modelCard).toBe(draft.modelCard);
    expect(read.folder).toBe(folder);
    expect(read.sha256).toBe(sha256(readFileSync(path.join(folder, 'manifest.json'))));
  });

  it('binds each other file by its sha256, and leaves nothing beside the folder', () => {
    const home = scratchFolder();
    const { files } = writeArtifact(path.join(home, 'made-up'), draft);
    expect(readdirSync(home)).toEqual(['made-up']);
    expect(readdirSync(path.join(home, 'made-up')).sort()).toEqual([
      'MODEL_CARD.md',
      'classifier.onnx',
      'golden.json',
      'manifest.json',
      'seen-questions.bin',
    ]);
    expect(Object.keys(files).sort()).toEqual([
      'MODEL_CARD.md',
      'classifier.onnx',
      'golden.json',
      'seen-questions.bin',
    ]);
    expect(files['MODEL_CARD.md']).toBe(sha256(draft.modelCard));
  });

  it('writes the same bytes twice', () => {
    const home = scratchFolder();
    const [a, b] = ['a', 'b'].map((name) => path.join(home, name));
    writeArtifact(a!, draft);
    writeArtifact(b!, draft);
    for (const name of readdirSync(a!))
      expect(readFileSync(path.join(b!, name)).equals(readFileSync(path.join(a!, name)))).toBe(true);
  });

  it('lets everybody read the folder whom the umask lets', () => {
    const home = scratchFolder();
    mkdirSync(path.join(home, 'plain'));
    writeArtifact(path.join(home, 'made-up'), draft);
    const modeOf = (name: string) => statSync(path.join(home, name)).mode;
    expect(modeOf('made-up')).toBe(modeOf('plain'));
  });

  it('refuses a folder that exists, and leaves it as it was', () => {
    const folder = path.join(scratchFolder(), 'made-up');
    writeArtifact(folder, draft);
    const other = { ...draft, modelCard: 'another' };
    expect(() => writeArtifact(folder, other)).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringContaining(folder) }),
    );
    expect(readArtifact(folder).modelCard).toBe(draft.modelCard);
  });

  it('replaces an artifact where it is told to', () => {
    const home = scratchFolder();
    const folder = path.join(home, 'made-up');
    writeArtifact(folder, draft);
    writeFileSync(path.join(folder, 'verdict.json'), '{}');
    writeArtifact(folder, { ...draft, modelCard: 'another' }, { replace: true });
    expect(readArtifact(folder).modelCard).toBe('another');
    expect(readdirSync(folder)).not.toContain('verdict.json');
    expect(readdirSync(home)).toEqual(['made-up']);
  });

  it('is done when the new one is in its place, though the old one cannot be removed', () => {
    const home = scratchFolder();
    const folder = path.join(home, 'mine');
    writeArtifact(folder, draft);
    mkdirSync(path.join(folder, 'kept'));
    writeFileSync(path.join(folder, 'kept', 'file'), '');
    chmodSync(path.join(folder, 'kept'), 0o555);
    for (const place of [home, folder]) chmodSync(place, 0o777);
    asOrdinaryUser(() => writeArtifact(folder, { ...draft, modelCard: 'new' }, { replace: true }));
    expect(readArtifact(folder).modelCard).toBe('new');
    const left = readdirSync(home).filter((name) => name.endsWith('.before'));
    for (const name of left) chmodSync(path.join(home, name, 'kept'), 0o755);
    writeArtifact(path.join(home, 'other'), draft);
    expect(
      readdirSync(home)
        .filter((name) => !name.startsWith('.') || name.includes('.lock'))
        .sort(),
    ).toEqual(['mine', 'other']);
  });

  it('never replaces a folder that is no artifact, or a file', () => {
    const home = scratchFolder();
    writeFileSync(path.join(home, 'precious.txt'), 'precious');
    for (const place of [home, path.join(home, 'precious.txt')]) {
      expect(() => writeArtifact(place, draft, { replace: true })).toThrow(
        expect.objectContaining({ code: 'invalid-input', message: expect.stringContaining('no artifact') }),
      );
    }
    expect(readFileSync(path.join(home, 'precious.txt'), 'utf8')).toBe('precious');
  });

  it('names the field of a manifest that is wrong, and writes nothing', () => {
    const home = scratchFolder();
    const wrong = { ...draft, manifest: { ...draft.manifest, name: 'no spaces please' } };
    expect(() => writeArtifact(path.join(home, 'made-up'), wrong)).toThrow(
      expect.objectContaining({ code: 'invalid-input', place: { field: 'name' } }),
    );
    expect(readdirSync(home)).toEqual([]);
  });

  it('leaves nothing behind where the last step fails, with all files written', () => {
    const home = scratchFolder();
    const folder = path.join(home, 'made-up');
    symlinkSync(path.join(home, 'nowhere'), folder); // a folder cannot be moved onto a link
    expect(() => writeArtifact(folder, draft)).toThrow(expect.objectContaining({ code: 'io' }));
    expect(readdirSync(home)).toEqual(['made-up']);
    expect(lstatSync(folder).isSymbolicLink()).toBe(true);
  });
});

describe.each([
  ['writeArtifact', (folder: string) => writeArtifact(folder, draft)],
  ['assertWritable', (folder: string) => assertWritable(folder)],
])('%s', (_, write) => {
  it('says that a place below a file cannot be written', () => {
    const home = scratchFolder();
    writeFileSync(path.join(home, 'file'), '');
    for (const place of ['file/made-up', 'file/deep/made-up']) {
      const folder = path.join(home, place);
      expect(() => write(folder)).toThrow(
        expect.objectContaining({
          code: 'io',
          place: { file: folder },
          message: expect.stringMatching(/ENOTDIR|EEXIST/),
        }),
      );
    }
    expect(readdirSync(home)).toEqual(['file']);
  });

  it('says that a read-only place cannot be written', () => {
    const home = scratchFolder();
    chmodSync(home, 0o755); // readable for the user that a root test becomes
    const parent = path.join(home, 'read-only');
    mkdirSync(parent);
    chmodSync(parent, 0o555);
    asOrdinaryUser(() => {
      expect(() => write(path.join(parent, 'made-up'))).toThrow(
        expect.objectContaining({ code: 'io', message: expect.stringContaining('EACCES') }),
      );
    });
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('assertWritable', () => {
  it('leaves nothing where it could write', () => {
    const home = scratchFolder();
    assertWritable(path.join(home, 'made-up'));
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('sha256OfJson', () => {
  it('is the same for every order of keys, at every depth, and another for another order of a list', () => {
    expect(sha256OfJson({ a: [{ x: 1, y: 2 }], b: null })).toBe(
      sha256OfJson({ b: null, a: [{ y: 2, x: 1 }] }),
    );
    expect(sha256OfJson([1, 2])).not.toBe(sha256OfJson([2, 1]));
  });

  it('is the sha256 of the sorted JSON', () => {
    expect(sha256OfJson({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'));
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'); // FIPS 180-2, B.1
  });
});
