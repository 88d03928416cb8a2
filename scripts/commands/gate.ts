import { Command } from 'commander';
import { type ColumnMap, parseColumnMap } from '../../evals/case-files/index.ts';
import { gateDecisions, runGate } from '../../evals/gate/index.ts';
import { terminalReport, writeReports } from '../../evals/report/index.ts';
import {
  type GateVerdict,
  readVerdict,
  type StoredVerdict,
  sha256OfJson,
  type Verdict,
  type VerdictWord,
} from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { verdictSummary } from '../../router/verdict-report/index.ts';
import { addReadingFlags, type ReadingFlags, readingOptions } from '../data-flags.ts';
import { isoTime, ladderFrom, usage } from '../flags.ts';
import { print, printJson, printNotes, startProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** A verdict in a word that a shell understands; 1 and 2 stay for errors and wrong usage. */
export const GATE_EXIT_CODES: Readonly<Record<VerdictWord, number>> = { PASS: 0, FAIL: 10, INCONCLUSIVE: 11 };

interface Flags extends ReadingFlags {
  readonly artifact?: string;
  readonly decisions?: string;
  readonly ladder?: string;
  readonly decisionsMap?: ColumnMap;
  readonly ignoreUnknown: boolean;
  readonly looks?: string;
  readonly out?: string;
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
      .option('--artifact <folder>', 'the artifact to judge, or a store: then its current one')
      .option(
        '--decisions <file>',
        'in its place: what any router chose (.jsonl, .json, .csv; docs/GATE-ANY-ROUTER.md)',
      )
      .option(
        '--ladder <models>',
        'with --decisions: the models to choose from, cheapest first: small,medium,large',
      )
      .option(
        '--decisions-map <names>',
        'with --decisions: names in that file, where they differ: id=request,model=chosen_model',
        usage(parseColumnMap),
      )
      .option(
        '--ignore-unknown',
        'with --decisions: leave out decisions of which the data have no case',
        false,
      )
      .option(
        '--looks <file>',
        'with --decisions: the record of looks (default: looks.jsonl beside that file)',
      )
      .option('--out <file>', 'with --decisions: write the verdict here')
      .requiredOption('--suite <file>', 'what is demanded of it (evals/suites/*.yaml; docs/CI.md)')
      .option('--data <file...>', 'labelled cases, in place of those that the suite names')
      .option('--label-plan <file>', 'the plan by which the labels were drawn (plan-labels)')
      .option('--previous <folder>', 'an artifact with a verdict: the reports say what changed')
      .option('--reports <folder>', 'write verdict.json, report.md, report.xml (JUnit) and report.html here')
      .option('--texts', 'show the prompts of the worst downgrades in report.html', false)
      .option('--check', 'test again what is on record by the same suite and cases, and write nothing', false)
      .option('--issued <time>', 'ISO time to write into the verdict (default: now)')
      .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
      .option('--json', 'print the verdict as JSON', false)
      .addHelpText(
        'after',
        `
Exit codes: 0 PASS, 10 FAIL, 11 INCONCLUSIVE, 2 wrong usage, 1 any other error.

Examples:
  plimsoll gate --artifact models/mine --suite evals/suites/mine.yaml --data labelled.jsonl --reports gate-reports
  plimsoll gate --decisions chosen.csv --ladder small,large --suite suite.yaml --data labelled.jsonl
`,
      )
      .action(run),
  );
}

async function run(flags: Flags): Promise<void> {
  const fault = faultOf(flags);
  if (fault !== undefined) throw new UsageError(fault);
  const previous = flags.previous === undefined ? undefined : previousVerdict(flags.previous);
  const { artifact, decisions } = flags;
  const { verdict, notes, texts } =
    artifact === undefined ? await judgeDecisions(decisions!, flags) : await judgeArtifact(artifact, flags);
  printNotes(notes);
  if (flags.reports !== undefined)
    await writeReports(flags.reports, verdict, {
      ...(previous && { previous }),
      ...(flags.texts && { texts }),
    });
  if (flags.json) printJson({ summary: verdictSummary(verdict), ...verdict });
  else
    print(
      `${terminalReport(verdict, { colour: process.stdout.isTTY === true, ...(previous && { previous }) })}\n`,
    );
  process.exitCode = GATE_EXIT_CODES[verdict.verdict];
}

/** Flags that have no meaning together. */
function faultOf({
  artifact,
  decisions,
  ladder,
  decisionsMap,
  ignoreUnknown,
  looks,
  out,
  check,
  labelPlan,
}: Flags): string | undefined {
  if (artifact !== undefined && decisions !== undefined)
    return '--artifact and --decisions exclude each other';
  if (artifact === undefined && decisions === undefined)
    return "required option '--artifact <folder>' or '--decisions <file>' not specified";
  if (decisions !== undefined) {
    if (ladder === undefined)
      return '--decisions needs --ladder: the models to choose from, cheapest first, with commas between';
    if (labelPlan !== undefined)
      return '--label-plan goes with --artifact: it rests on the scores of a classifier';
    return check && out !== undefined ? '--check writes nothing, and --out writes the verdict' : undefined;
  }
  const lone = Object.entries({
    ladder,
    decisionsMap,
    looks,
    out,
    ignoreUnknown: ignoreUnknown || undefined,
  });
  return lone.some(([, value]) => value !== undefined)
    ? '--ladder, --decisions-map, --ignore-unknown, --looks and --out go with --decisions'
    : undefined;
}

interface Judged {
  readonly verdict: GateVerdict;
  readonly notes: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
}

async function judgeArtifact(artifact: string, flags: Flags): Promise<Judged> {
  const progress = startProgress('replaying');
  const { folder, verdict, notes, texts } = await runGate({
    ...commonRequest(flags),
    artifact,
    ...(flags.labelPlan && { labelPlan: flags.labelPlan }),
    allowHub: flags.allowHub,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.end(`${verdict.sealed.n} sealed cases`);
  return { verdict, texts, notes: flags.check ? [...notes, checkNote(folder, verdict)] : notes };
}

async function judgeDecisions(decisions: string, flags: Flags): Promise<Judged> {
  const { decisionsMap: columns, ignoreUnknown, looks, out } = flags;
  const ladder = ladderFrom(flags.ladder ?? '');
  return gateDecisions({
    ...commonRequest(flags),
    decisions,
    ladder,
    ...(columns && { columns }),
    ignoreUnknown,
    ...(looks !== undefined && { looks }),
    ...(out !== undefined && { out }),
  });
}

function commonRequest(flags: Flags) {
  const reading = startProgress('reading cases');
  return {
    suite: flags.suite,
    ...(flags.data && { data: flags.data }),
    reading: {
      ...readingOptions(flags),
      onSurvey: (rows: number) => reading.update(rows),
      onProgress: (rows: number) => reading.update(rows),
    },
    issued: isoTime('--issued', flags.issued),
    write: !flags.check,
    check: flags.check,
  };
}

/** Whether the verdict that lies there is the one that comes out now. */
function checkNote(folder: string, now: Verdict): string {
  const before = readVerdict(folder);
  if (before === undefined) return `${folder} has no verdict.json; nothing is written`;
  return sha256OfJson(withoutTime(now)) === sha256OfJson(withoutTime(before))
    ? `${folder}/verdict.json says the same`
    : `${folder}/verdict.json differs: ${before.verdict} at threshold ${before.policy.threshold}, and now ${now.verdict} at ${now.policy.threshold}`;
}

/** A verdict without what differs whenever it is made again: its time, and what the record of looks ended with. */
function withoutTime({ issued: _, sha256: __, ...verdict }: StoredVerdict): object {
  if (verdict.schema_version === 1) return verdict;
  const { head: ___, ...looks } = verdict.looks;
  return { ...verdict, looks };
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
