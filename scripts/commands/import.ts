import { Command, InvalidArgumentError } from 'commander';
import { addReadingFlags, type ReadingFlags, readingOptions } from '../data-flags.ts';
import {
  IMPORTERS,
  type ImportSummary,
  importLogs,
  LOG_FORMATS,
  type LogImportSummary,
  logFormat,
  requireOut,
  runImport,
} from '../importers/index.ts';
import { counted, print, printJson, printNotes, startProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends ReadingFlags {
  readonly out: string;
  readonly force: boolean;
  readonly maxRejects?: number;
  readonly rejects?: string;
  readonly json: boolean;
}

/** `plimsoll import`: raw files of a public repository, or any table or JSON of cases, to canonical cases; logs of calls to requests. */
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
  const log = logFormat(format);
  if (log !== undefined) {
    await runLogs(log, inputs, flags);
    return;
  }
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

async function runLogs(log: NonNullable<ReturnType<typeof logFormat>>, inputs: string[], flags: Flags) {
  if (flags.map !== undefined || flags.qualityScale !== undefined) {
    throw new UsageError(
      `--map and --quality-scale are for the formats csv and jsonl; ${log.format} knows how its files are written.`,
    );
  }
  requireOut(flags.out, inputs, flags.force);
  const progress = startProgress('importing');
  const notes: string[] = [];
  try {
    const summary = await importLogs(log, {
      format: log.format,
      inputs,
      out: flags.out,
      onProgress: (read) => progress.update(read),
      ...(flags.maxRejects !== undefined && { maxRejectShare: flags.maxRejects }),
      ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
      onNotes: (lines) => notes.push(...lines),
    });
    progress.end(`${summary.read} records`);
    printNotes(notes);
    if (flags.json) printJson(summary);
    else print(logSentence(summary));
  } catch (error) {
    progress.end();
    throw error;
  }
}

function logSentence({
  requests,
  labelled,
  models,
  missing,
  rejected,
  excluded,
  out,
}: LogImportSummary): string {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} (${count})`)
      .join(', ') || 'none';
  return `${requests} requests in ${out}, ${labelled} of them with labels; ${rejected} rows rejected, ${excluded} left out
models: ${list(models)}
missing: ${list(missing)}
`;
}

function sentence({ cases, models, rejected, excluded, out }: ImportSummary): string {
  return `${cases} cases of ${counted(models.length, 'model')} in ${out}; ${rejected} rows rejected, ${excluded} left out\n`;
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
  const logs = LOG_FORMATS.map(({ format, describe }) => `  ${format.padEnd(width)}  ${describe}`);
  return `\nFormats:\n${formats.join('\n')}\n\nLogs of calls, to rows that plimsoll label --from reads:\n${logs.join('\n')}\n\nExample:\n  plimsoll import csv labelled.csv --out cases.jsonl.gz\n`;
}
