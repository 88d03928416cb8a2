import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Case, parseCase } from '../../evals/cases/index.ts';

export const LADDER = ['small', 'large'];

const HOME = mkdtempSync(path.join(tmpdir(), 'plimsoll-decisions-'));
process.once('exit', () => rmSync(HOME, { recursive: true, force: true }));

let files = 0;

/** Writes a file of a test, each into a folder of its own. Lists become JSON Lines, text stays, `.gz` is compressed. */
export function written(name: string, content: string | readonly unknown[]): string {
  const folder = mkdtempSync(path.join(HOME, `${files++}-`));
  const file = path.join(folder, name);
  const text =
    typeof content === 'string' ? content : content.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
}

export function promptOf(i: number): string {
  return `What is the capital of country number ${'abcdefghij'[i % 10]} ${i}?`;
}

/** Three cases, unless there shall be more: the small model answers every second one as well. */
export function threeCases(count = 3): Case[] {
  return Array.from({ length: count }, (_, i) =>
    parseCase(
      {
        id: `case-${i}`,
        prompt: promptOf(i),
        outcomes: { small: { quality: i % 2 }, large: { quality: 1 } },
      },
      '',
    ),
  );
}
