import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ISOLATED_ROOMS } from '../../vitest.config.ts';

const TESTS = path.join(import.meta.dirname, '..');
const HOOK = /^(?:before|after)(?:All|Each)\(/m;

test('helpers of rooms whose files share a process register no hooks when they are loaded: only the first file would run them', () => {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
  const helpers = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const hooked = helpers.filter((file) => HOOK.test(readFileSync(path.join(TESTS, file), 'utf8')));
  expect(hooked).toContain(path.join('files', 'tiny-disk.ts'));
  expect(hooked.filter((file) => !ISOLATED_ROOMS.includes(file.split(path.sep)[0]!))).toEqual([]);
});
