import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ImportOptions, type ImportSummary, runImport } from '../../scripts/importers/run-import.ts';

export interface Imported {
  readonly summary: ImportSummary;
  readonly rows: readonly Record<string, unknown>[];
}

/** Imports fixtures of a format into a folder of its own. Bad rows are let through, so that tests can look at them. */
export async function imported(
  format: string,
  inputs: readonly string[],
  over: Partial<ImportOptions> = {},
): Promise<Imported> {
  const out = join(mkdtempSync(join(tmpdir(), 'plimsoll-import-')), 'cases.jsonl.gz');
  const files = inputs.map((name) => fixture(format, name));
  const summary = await runImport({ format, inputs: files, out, maxRejectShare: 1, ...over });
  const lines = gunzipSync(readFileSync(summary.out)).toString().trimEnd().split('\n');
  return { summary, rows: lines.map((line) => JSON.parse(line)) };
}

/** The models' qualities of a row. */
export function qualities(row: Record<string, unknown> | undefined): Record<string, number> {
  const outcomes = Object.entries(row?.['outcomes'] as Record<string, { quality: number }>);
  return Object.fromEntries(outcomes.map(([model, { quality }]) => [model, quality]));
}

export function fixture(format: string, name: string): string {
  return join(import.meta.dirname, '..', 'fixtures', 'importers', format, name);
}
