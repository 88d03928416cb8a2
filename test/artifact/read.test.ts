import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import { servedLadder } from '../../router/artifact/served-ladder.ts';
import { draft, scratchFolder } from './draft.ts';

const BOUND = ['classifier.onnx', 'golden.json', 'MODEL_CARD.md'];

function written(): string {
  const folder = path.join(scratchFolder(), 'made-up');
  writeArtifact(folder, draft);
  return folder;
}

/** The manifest with a change, written as it stands. */
function withManifest(change: (manifest: Record<string, never>) => void): string {
  const folder = written();
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
  return folder;
}

describe('readArtifact', () => {
  it.each(BOUND)('refuses a single changed byte anywhere in %s, and names the file', (name) => {
    const folder = written();
    const file = path.join(folder, name);
    const bytes = readFileSync(file);
    for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      writeFileSync(file, bytes.with(at, bytes[at]! ^ 1));
      expect(() => readArtifact(folder)).toThrow(
        expect.objectContaining({
          code: 'invalid-artifact',
          place: { file },
          message: expect.stringContaining(`${file} was changed`),
        }),
      );
    }
    writeFileSync(file, bytes);
    expect(readArtifact(folder).manifest.name).toBe('made-up');
  });

  it.each(BOUND)('refuses %s with a byte more or less', (name) => {
    const folder = written();
    const file = path.join(folder, name);
    const bytes = readFileSync(file);
    for (const changed of [bytes.subarray(1), Buffer.concat([bytes, Buffer.of(10)]), Buffer.alloc(0)]) {
      writeFileSync(file, changed);
      expect(() => readArtifact(folder)).toThrow(expect.objectContaining({ place: { file } }));
    }
  });

  it('has another sha256 where a byte of manifest.json is changed and it can still be read', () => {
    const before = readArtifact(written()).sha256;
    const folder = withManifest((manifest) => Object.assign(manifest, { name: 'made-uq' }));
    expect(readArtifact(folder).sha256).not.toBe(before);
  });

  it.each(['manifest.json', ...BOUND])('says that %s is missing', (name) => {
    const folder = written();
    rmSync(path.join(folder, name));
    expect(() => readArtifact(folder)).toThrow(
      expect.objectContaining({
        code: 'invalid-artifact',
        place: { file: path.join(folder, name) },
        message: expect.stringContaining('missing'),
      }),
    );
  });

  it('says that manifest.json is not JSON', () => {
    const folder = written();
    const file = path.join(folder, 'manifest.json');
    for (const text of ['', '{"name": ', '<<<<<<< ours']) {
      writeFileSync(file, text);
      expect(() => readArtifact(folder)).toThrow(
        expect.objectContaining({ code: 'invalid-artifact', message: `${file} is not valid JSON.` }),
      );
    }
  });

  it.each<[string, string, (manifest: Record<string, never>) => void]>([
    ['an unknown field', '', (m) => Object.assign(m, { colour: 'blue' })],
    ['an unknown field further in', 'policy', (m) => Object.assign(m['policy']!, { colour: 'blue' })],
    ['another schema version', 'schema_version', (m) => Object.assign(m, { schema_version: 2 })],
    ['a threshold out of range', 'policy.threshold', (m) => Object.assign(m['policy']!, { threshold: 1.5 })],
    ['a hash that is none', 'encoder.sha256', (m) => Object.assign(m['encoder']!, { sha256: 'abc' })],
    [
      'abstaining without a limit',
      'classifier.abstain',
      (m) => Object.assign(m['classifier']!, { abstain: 'escalate' }),
    ],
    ['no ladder', 'ladder', (m) => Reflect.deleteProperty(m, 'ladder')],
  ])('names the file and the field of %s', (_, field, change) => {
    const folder = withManifest(change);
    expect(() => readArtifact(folder)).toThrow(
      expect.objectContaining({
        code: 'invalid-artifact',
        place: { file: path.join(folder, 'manifest.json'), field },
      }),
    );
  });

  it('names an unknown field', () => {
    const folder = withManifest((manifest) => Object.assign(manifest, { colour: 'blue' }));
    expect(() => readArtifact(folder)).toThrow('colour');
  });

  it('refuses a file that the manifest does not bind', () => {
    const folder = withManifest((manifest) => Reflect.deleteProperty(manifest['files']!, 'golden.json'));
    expect(() => readArtifact(folder)).toThrow(
      expect.objectContaining({ place: { file: path.join(folder, 'golden.json') } }),
    );
  });

  it('says that there is no folder: nothing there, a file, a place below a file', () => {
    const home = scratchFolder();
    writeFileSync(path.join(home, 'file'), '');
    for (const place of ['nothing', 'file', 'file/below']) {
      const folder = path.join(home, place);
      expect(() => readArtifact(folder)).toThrow(
        expect.objectContaining({ code: 'not-found', message: expect.stringContaining(folder) }),
      );
    }
  });
});

describe('servedLadder', () => {
  it('puts the models that are served in the place of those that were learned from', () => {
    expect(servedLadder(draft.manifest, { strong: 'larger' })).toEqual({
      rungs: [
        { candidate: 'cheap', learnedFrom: 'small', model: 'small' },
        { candidate: 'strong', learnedFrom: 'large', model: 'larger' },
      ],
      stale: true,
    });
  });

  it('is stale only if another model is served than was learned from', () => {
    expect(servedLadder(draft.manifest, {}).stale).toBe(false);
    expect(servedLadder(draft.manifest, { cheap: 'small', strong: 'large' }).stale).toBe(false);
    expect(servedLadder(draft.manifest, { cheap: 'openai/small', strong: 'azure/large' }).stale).toBe(false);
    expect(servedLadder(draft.manifest, { cheap: 'openai/small-2' }).stale).toBe(true);
    expect(servedLadder(draft.manifest, { cheap: 'large' }).stale).toBe(true);
  });

  it('refuses a candidate that the artifact does not have', () => {
    expect(() => servedLadder(draft.manifest, { constructor: 'm' }, 'profiles.a.ladder')).toThrow(
      expect.objectContaining({ place: { field: 'profiles.a.ladder.constructor' } }),
    );
    expect(() => servedLadder(draft.manifest, { medium: 'm' })).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: 'ladder.medium: the artifact made-up has no such candidate. It has: cheap, strong.',
      }),
    );
  });
});
