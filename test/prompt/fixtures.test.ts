import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { routedText } from '../../router/prompt/routed-text.ts';
import type { RouteInput } from '../../router/types.ts';

interface Fixture {
  readonly name: string;
  readonly why: string;
  readonly input: RouteInput;
  readonly expected: string;
}

const FOLDER = new URL('../fixtures/routed-text/', import.meta.url);
const FIXTURES = readdirSync(FOLDER).map((file): [string, Fixture] => [
  file,
  JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')),
]);

describe('requests as harnesses send them', () => {
  it('are at least 25', () => {
    expect(FIXTURES.length).toBeGreaterThanOrEqual(25);
  });

  it.each(FIXTURES)('%s', (_file, { input, expected }) => {
    expect(routedText(input)).toBe(expected);
  });

  it.each(FIXTURES)('%s: the result as a prompt gives itself', (_file, { expected }) => {
    expect(routedText({ prompt: expected })).toBe(expected);
  });
});
