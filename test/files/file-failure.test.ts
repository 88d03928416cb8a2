import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileFailure } from '../../router/files/index.ts';
import { cli, expectRefusal } from '../cli/run-cli.ts';

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-failure-'));
  writeFileSync(path.join(folder, 'file'), '');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What the operating system says of real calls, each the message of one kind. */
test.each([
  [
    'ENOENT',
    (at: string) => readFileSync(path.join(at, 'none')),
    /none cannot be used \(ENOENT at open\): it does not exist/,
  ],
  ['ENOTDIR', (at: string) => readFileSync(path.join(at, 'file/x')), /a part of its path is a file/],
  ['EISDIR', (at: string) => readFileSync(at), /it is a folder/],
  ['EEXIST', (at: string) => mkdirSync(path.join(at, 'file')), /it exists already/],
  ['ENOTEMPTY', (at: string) => rmdirSync(at), /the folder is not empty/],
  ['ENAMETOOLONG', (at: string) => readFileSync(path.join(at, 'n'.repeat(300))), /the name is too long/],
  ['ENOSPC', () => writeSync(openSync('/dev/full', 'w'), 'x'), /no space left on the device/],
])('%s is said with the place and what to do', (code, work, message) => {
  let thrown: unknown;
  try {
    work(scratch());
  } catch (error) {
    thrown = error;
  }
  const failure = fileFailure(thrown);
  expect(failure).toMatchObject({ code: 'io', message: expect.stringMatching(message) });
  expect(failure!.message).toContain(`(${code} at `);
});

test('a fault of the program or of a connection is none', () => {
  const connection = Object.assign(new Error('x'), { code: 'EACCES', syscall: 'connect', address: '::1' });
  for (const error of [new TypeError('x is not a function'), connection, 'text', undefined])
    expect(fileFailure(error)).toBeUndefined();
});

test('a command whose data lie below a file, or have too long a name, says so in one line', async () => {
  const folder = scratch();
  for (const [name, message] of [
    ['file/cases.jsonl', /cannot be used \(ENOTDIR at stat\): a part of its path is a file/],
    ['n'.repeat(300), /cannot be used \(ENAMETOOLONG at stat\): the name is too long/],
  ] as const)
    expectRefusal(await cli(['assess', '--data', path.join(folder, name), '--ladder', 'a,b']), message);
});
