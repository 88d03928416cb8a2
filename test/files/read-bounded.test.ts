import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readLookRecord } from '../../evals/gate/look-record.ts';
import { listArtifacts, readArtifact, readCurrent, readVerdict } from '../../router/artifact/index.ts';
import { createLink } from '../../router/dashboard/index.ts';
import { readBounded } from '../../router/files/index.ts';
import { wordRedactionOf } from '../../router/records/redacted-words.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-bounded-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file of so many bytes, which takes no space. */
function sized(file: string, bytes: number): string {
  writeFileSync(file, '', { mode: 0o600 });
  truncateSync(file, bytes);
  return file;
}

const LIMITS = { mostBytes: 8, code: 'io', remedy: 'Restore it.' } as const;

test('a file is read up to its limit, and beyond it names both sizes', () => {
  const file = path.join(scratch(), 'some.json');
  writeFileSync(file, '12345678');
  expect(Buffer.from(readBounded(file, LIMITS)).toString()).toBe('12345678');
  writeFileSync(file, '123456789');
  expect(() => readBounded(file, LIMITS)).toThrow(`${file} has 9 bytes, and at most 8 are read. Restore it.`);
});

test('a pipe that nobody writes to is refused at once, and what is not there is said by the system', () => {
  const file = path.join(scratch(), 'pipe');
  execFileSync('mkfifo', [file]);
  expect(() => readBounded(file, LIMITS)).toThrow('pipe is no file. Restore it.');
  expect(() => readBounded(`${file}x`, LIMITS)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => readBounded(path.dirname(file), LIMITS)).toThrow(expect.objectContaining({ code: 'EISDIR' }));
});

describe('what a server reads at a request has a limit', () => {
  const MEBI = 2 ** 20;

  test.each([
    ['manifest.json', 5 * MEBI],
    ['golden.json', 5 * MEBI],
    ['MODEL_CARD.md', 5 * MEBI],
    ['seen-questions.bin', 513 * MEBI],
    ['classifier.onnx', 513 * MEBI],
  ])('%s of an artifact, also in the list of a store', async (name, bytes) => {
    const store = scratch();
    const folder = path.join(store, 'own');
    cpSync((await tinyArtifact()).folder, folder, { recursive: true });
    sized(path.join(folder, name), bytes);
    expect(() => readArtifact(folder)).toThrow(/bytes, and at most [\d,]+ are read/);
    expect(listArtifacts(store, new Date())).toMatchObject([{ kind: 'broken', fault: expect.any(String) }]);
  });

  test.each([
    ['verdict.json', (folder: string) => readVerdict(folder), 5 * MEBI],
    ['current.json', (folder: string) => readCurrent(folder), 5 * MEBI],
    ['looks.jsonl', (folder: string) => readLookRecord(path.join(folder, 'looks.jsonl')), 257 * MEBI],
    [
      'dashboard.secret',
      (folder: string) => createLink('http://x', 0, path.join(folder, 'dashboard.secret')),
      2_000,
    ],
    [
      'names.txt',
      (folder: string) => wordRedactionOf({ redact: ['name'], namesFile: path.join(folder, 'names.txt') }),
      17 * MEBI,
    ],
  ])('%s', (name, read, bytes) => {
    const folder = scratch();
    sized(path.join(folder, name), bytes);
    expect(() => read(folder)).toThrow(/bytes, and at most [\d,]+ are read\. \S/);
  });
});
