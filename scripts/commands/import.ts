import { Command, InvalidArgumentError } from 'commander';
import { addReadingFlags, type ReadingFlags, readingOptions } from '../flags.ts';
import { IMPORTERS, type ImportSummary, runImport } from '../importers/index.ts';
import { print, printJson, printNotes, startProgress } from '../terminal.ts';

interface Flags extends ReadingFlags {
  readonly out: string;
  readonly force: boolean;
  readonly maxRejects?: number;
  readonly rejects?: string;
  readonly json: boolean;
}

/** `plimsoll import`: raw files of a public repository, or any table or JSON of cases, to canonical cases. */
export function importCommand(): Command {
  return addReadingFlags(
    new Command('import')
      .argument('<format>', 'one of the formats below')
      .argument('<input...>', 'files to read, plain or .gz')
      .requiredOption('--out <file>', 'the file to write, .jsonl or .jsonl.gz')
      .option('--force', 'replace the output if it is there', false)
      .option('--max-rejects <share>', 'largest share of bad rows, 0 to 1 (default: 0.02)', share)
      .option('--rejects <file>', 'write the bad rows there, as JSON Lines: file, line, field, reason')
      .option('--json', 'print the result as JSON', false)
      .addHelpText('after', formatsHelp())
      .action(run),
  );
}

async function run(format: string, inputs: string[], flags: Flags): Promise<void> {
  const progress = startProgress('importing');
  const notes: string[] = [];
  try {
    const summary = await runImport({
      format,
      inputs,
      out: flags.out,
      force: flags.force,
      onProgress: (rowsRead) => progress.update(rowsRead),
      ...(flags.maxRejects !== undefined && { maxRejectShare: flags.maxRejects }),
      ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
      ...readingOptions(flags),
      onNotes: (lines) => notes.push(...lines),
    });
    progress.end(`${summary.read} rows`);
    printNotes(notes);
    if (flags.json) printJson(summary);
    else print(sentence(summary));
  } catch (error) {
    progress.end();
    throw error;
  }
}

function sentence({ cases, models, rejected, excluded, out }: ImportSummary): string {
  return `${cases} cases of ${models.length} models in ${out}; ${rejected} rows rejected, ${excluded} left out\n`;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('A share is a number from 0 to 1.');
}

function formatsHelp(): string {
  const width = Math.max(...IMPORTERS.map(({ format }) => format.length));
  const indent = ' '.repeat(width + 4);
  const formats = IMPORTERS.map(
    ({ format, describe, accepts }) => `  ${format.padEnd(width)}  ${describe}\n${indent}reads ${accepts}`,
  );
  return `\nFormats:\n${formats.join('\n')}\n\nExample:\n  plimsoll import csv labelled.csv --out cases.jsonl.gz\n`;
}
