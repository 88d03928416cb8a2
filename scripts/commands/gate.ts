import { Command } from 'commander';
import { runGate } from '../../evals/gate/index.ts';
import { terminalReport, writeReports } from '../../evals/report/index.ts';
import {
  readVerdict,
  type StoredVerdict,
  sha256OfJson,
  type Verdict,
  type VerdictWord,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { addReadingFlags, type ReadingFlags, readingOptions } from '../data-flags.ts';
import { isoTime } from '../flag-values.ts';
import { print, printJson, printNotes, startProgress } from '../terminal.ts';

/** A verdict in a word that a shell understands; 1 and 2 stay for errors and wrong usage. */
export const GATE_EXIT_CODES: Readonly<Record<VerdictWord, number>> = { PASS: 0, FAIL: 10, INCONCLUSIVE: 11 };

interface Flags extends ReadingFlags {
  readonly artifact: string;
  readonly suite: string;
  readonly data?: string[];
  readonly labelPlan?: string;
  readonly previous?: string;
  readonly reports?: string;
  readonly texts: boolean;
  readonly check: boolean;
  readonly issued?: string;
  readonly allowHub: boolean;
  readonly json: boolean;
}

export function gateCommand(): Command {
  return addReadingFlags(
    new Command('gate')
      .requiredOption('--artifact <folder>', 'the artifact to judge, or a store: then its current one')
      .requiredOption('--suite <file>', 'what is demanded of it (evals/suites/*.yaml; docs/CI.md)')
      .option('--data <file...>', 'labelled cases, in place of those that the suite names')
      .option('--label-plan <file>', 'the plan by which the labels were drawn (plan-labels)')
      .option('--previous <folder>', 'an artifact with a verdict: the reports say what changed')
      .option('--reports <folder>', 'write verdict.json, report.md, report.xml (JUnit) and report.html here')
      .option('--texts', 'show the prompts of the worst downgrades in report.html', false)
      .option('--check', 'test again and write nothing, neither verdict.json nor a look', false)
      .option('--issued <time>', 'ISO time to write into the verdict (default: now)')
      .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
      .option('--json', 'print the verdict as JSON', false)
      .addHelpText(
        'after',
        `
Exit codes: 0 PASS, 10 FAIL, 11 INCONCLUSIVE, 2 wrong usage, 1 any other error.

Example:
  plimsoll gate --artifact models/mine --suite evals/suites/mine.yaml --data labelled.jsonl --reports gate-reports
`,
      )
      .action(run),
  );
}

async function run(flags: Flags): Promise<void> {
  const issued = isoTime('--issued', flags.issued);
  const previous = flags.previous === undefined ? undefined : previousVerdict(flags.previous);
  const reading = startProgress('reading cases');
  const progress = startProgress('replaying');
  const { folder, verdict, notes, texts } = await runGate({
    artifact: flags.artifact,
    suite: flags.suite,
    ...(flags.data && { data: flags.data }),
    ...(flags.labelPlan && { labelPlan: flags.labelPlan }),
    reading: {
      ...readingOptions(flags),
      onSurvey: (rows) => reading.update(rows),
      onProgress: (rows) => reading.update(rows),
    },
    issued,
    allowHub: flags.allowHub,
    write: !flags.check,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.end(`${verdict.sealed.n} sealed cases`);
  printNotes(notes);
  if (flags.check) printNotes([checkNote(folder, verdict)]);
  if (flags.reports !== undefined)
    await writeReports(flags.reports, verdict, {
      ...(previous && { previous }),
      ...(flags.texts && { texts }),
    });
  if (flags.json) printJson(verdict);
  else
    print(
      `${terminalReport(verdict, { colour: process.stdout.isTTY === true, ...(previous && { previous }) })}\n`,
    );
  process.exitCode = GATE_EXIT_CODES[verdict.verdict];
}

/** Whether the verdict that lies there is the one that comes out now, but for its time. */
function checkNote(folder: string, now: Verdict): string {
  const before = readVerdict(folder);
  if (before === undefined) return `${folder} has no verdict.json; nothing is written`;
  const { issued: _, sha256: __, ...same } = { ...now, issued: before.issued };
  const { issued: ___, sha256: ____, ...lying } = before;
  return sha256OfJson(same) === sha256OfJson(lying)
    ? `${folder}/verdict.json says the same`
    : `${folder}/verdict.json differs: ${before.verdict} at threshold ${before.policy.threshold}, and now ${now.verdict} at ${now.policy.threshold}`;
}

function previousVerdict(folder: string): StoredVerdict {
  const verdict = readVerdict(folder);
  if (verdict !== undefined) return verdict;
  throw new PlimsollError(
    'not-found',
    `${folder} has no verdict.json to compare with. Gate it first, or leave --previous out.`,
    {
      place: { file: folder },
    },
  );
}
