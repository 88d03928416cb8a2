import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const TESTS = path.join(import.meta.dirname, '..');
const HOOK = /^(?:before|after)(?:All|Each)\(/m;

test('helpers register no hooks when they are loaded: files share a process, and only the first that loads a helper would run them', () => {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const hooked = files.filter((file) => HOOK.test(readFileSync(path.join(TESTS, file), 'utf8')));
  expect(hooked).toContain(path.join('pins', 'transcripts.test.ts'));
  expect(hooked.filter((file) => !file.endsWith('.test.ts'))).toEqual([]);
});
