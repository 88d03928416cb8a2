import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SyncedLines } from '../../router/files/index.ts';

function place(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-lines-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'lines.jsonl');
}

test('lines are added, found again, and readable by their owner alone', () => {
  const file = place();
  const first = new SyncedLines(file, 'the lines');
  expect(first.earlier).toEqual([]);
  first.append({ a: 1 });
  first.append({ b: 'ü\n' });
  first.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const second = new SyncedLines(file, 'the lines');
  expect(second.earlier).toEqual(['{"a":1}', '{"b":"ü\\n"}']);
  second.close();
});

test('half a line of a killed process stays until the next line takes its place', () => {
  const file = place();
  const before = new SyncedLines(file, 'the lines');
  before.append({ a: 1 });
  before.close();
  appendFileSync(file, '{"b":');
  const lines = new SyncedLines(file, 'the lines');
  onTestFinished(() => lines.close());
  expect(lines.earlier).toEqual(['{"a":1}']);
  expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n{"b":');
  lines.append({ c: 3 });
  lines.append({ d: 4 });
  expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n{"c":3}\n{"d":4}\n');
});

test('a place that cannot be written is told', () => {
  expect(() => new SyncedLines(path.join(place(), 'x'), 'the grades')).toThrow(
    expect.objectContaining({ code: 'io', message: expect.stringContaining('Cannot write the grades') }),
  );
});
