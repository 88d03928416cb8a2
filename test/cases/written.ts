import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Writes a file into a new folder, gzipped if its name ends in .gz, and returns its path. */
export function written(name: string, content: string | Uint8Array): string {
  const file = join(mkdtempSync(join(tmpdir(), 'plimsoll-cases-')), name);
  writeFileSync(file, name.endsWith('.gz') && typeof content === 'string' ? gzipSync(content) : content);
  return file;
}

/** JSON Lines of the given rows. */
export function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** A sound row; `over` replaces or adds fields. */
export function soundRow(index: number, over: Record<string, unknown> = {}): Record<string, unknown> {
  const outcomes = { small: { quality: index % 2 }, large: { quality: 1 } };
  return { id: `row-${index}`, prompt: `How many knots are ${index} miles an hour?`, outcomes, ...over };
}

/** The path of a fixture. */
export function fixture(name: string): string {
  return join(import.meta.dirname, '..', 'fixtures', 'cases', name);
}
