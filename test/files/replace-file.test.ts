import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openReplacement, replaceFile } from '../../router/files/index.ts';
import { temporaryName } from '../../router/files/temporary.ts';
import { hiddenIn } from './tiny-disk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});
const at = (name: string) => path.join(folder, name);

test('the old contents stay until all of the new ones are there', () => {
  writeFileSync(at('file'), 'old');
  const replacement = openReplacement(at('file'));
  replacement.write('ne');
  replacement.write(Buffer.from('w'));
  expect(readFileSync(at('file'), 'utf8')).toBe('old');
  replacement.commit();
  replacement.discard();
  expect(readFileSync(at('file'), 'utf8')).toBe('new');
  const dropped = openReplacement(at('file'));
  dropped.write('dropped');
  dropped.discard();
  expect(readFileSync(at('file'), 'utf8')).toBe('new');
  expect(hiddenIn(folder)).toEqual([]);
});

test('the rights of the old file stay, and its owner where root replaces it', () => {
  writeFileSync(at('file'), 'old');
  chmodSync(at('file'), 0o640);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) chownSync(at('file'), 65_534, 65_534);
  replaceFile(at('file'), 'new');
  const { mode, uid } = statSync(at('file'));
  expect(mode & 0o777).toBe(0o640);
  if (isRoot) expect(uid).toBe(65_534);
  replaceFile(at('file'), 'newer', { mode: 0o600 });
  expect(statSync(at('file')).mode & 0o777).toBe(0o600);
});

test('a link stays a link, also into another folder', () => {
  mkdirSync(at('real'));
  writeFileSync(at('real/file'), 'old');
  symlinkSync('real/file', at('link'));
  replaceFile(at('link'), 'new');
  expect(readlinkSync(at('link'))).toBe('real/file');
  expect(readFileSync(at('real/file'), 'utf8')).toBe('new');
});

test('what is no file is written as it is, never replaced', () => {
  replaceFile('/dev/null', 'gone');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  expect(() => replaceFile(folder, 'x')).toThrow(/\(EISDIR\): it is a folder\. Name a file/);
  expect(() => replaceFile(at('no/such/file'), 'x')).toThrow(
    /\(ENOENT\): no such folder\. Make its folder first/,
  );
});

test('what killed commands left goes with the next write, whatever it was for; what runs is left alone', () => {
  const running = temporaryName(at('other'), 'tmp');
  const killed = running.replace(/-\d+-\d+-/, '-2147483646-1-');
  const elsewhere = running.replace(/[0-9a-f]{8}-/, '00000000-');
  const longAgo = temporaryName(at('third'), 'tmp').replace(/[0-9a-f]{8}-/, '00000000-');
  mkdirSync(killed);
  writeFileSync(path.join(killed, 'part'), '');
  for (const file of [running, elsewhere, longAgo, at('.hidden.tmp')]) writeFileSync(file, '');
  utimesSync(longAgo, new Date(0), new Date(0));
  replaceFile(at('file'), 'new');
  expect(hiddenIn(folder).sort()).toEqual(
    [running, elsewhere, at('.hidden.tmp')].map((file) => path.basename(file)).sort(),
  );
});
