import { Command } from 'commander';
import {
  assertDisplaces,
  placeInStore,
  promoteChallenger,
  type Retrained,
  retrain,
  retrainReport,
  writeRetrainReports,
} from '../../evals/lifecycle/index.ts';
import {
  type Promotion,
  readArtifact,
  resolveArtifact,
  standingInFolder,
  type VerdictWord,
} from '../../router/artifact/index.ts';
import { COMMAND } from '../../router/package.ts';
import { shellWord } from '../../router/shell-word.ts';
import { addReadingFlags, type ReadingFlags, readingOptions } from '../data-flags.ts';
import { share } from '../flags.ts';
import { addLearnerFlag, type LearnerFlag } from '../learning-flags.ts';
import { print, printJson, printNotes, showProgress } from '../terminal.ts';
import { GATE_EXIT_CODES } from './gate.ts';

interface Flags extends ReadingFlags, LearnerFlag {
  readonly data: string[];
  readonly champion: string;
  readonly out: string;
  readonly suite: string;
  /** Not given: as the champion. */
  readonly cascade?: true;
  readonly notWorseBy: number;
  readonly promote: boolean;
  readonly force: boolean;
  readonly reports?: string;
  readonly allowHub: boolean;
  readonly json: boolean;
}

export function retrainCommand(): Command {
  return addReadingFlags(
    addLearnerFlag(new Command('retrain'))
      .requiredOption(
        '--data <file...>',
        'labelled cases, old ones and new ones; split with the seed of the champion',
      )
      .requiredOption(
        '--champion <folder>',
        'the artifact that serves, or a store whose current one is meant',
      )
      .requiredOption('--out <folder>', 'the challenger to write, in the store that serves')
      .requiredOption('--suite <file>', 'what is demanded of it (docs/CI.md)')
      .option(
        '--cascade',
        'the challenger judges the replies of cheaper models before they go out, as train --cascade; a champion that does so is retrained so anyway',
      )
      .option(
        '--not-worse-by <loss>',
        'how much worse its mean quality may be than the champion',
        share,
        0.01,
      )
      .option('--promote', 'make it the one that its store serves, if it may be', false)
      .option('--force', 'train again and replace the challenger if it is there', false)
      .option('--reports <folder>', 'write comparison.json and the reports of the gate here')
      .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
      .option('--json', 'print the outcome as JSON', false)
      .addHelpText('after', AFTER_HELP)
      .action(run),
  );
}

const AFTER_HELP = `
The challenger may replace the champion where the gate says PASS of it, and its mean quality on the same sealed cases is, with the
suite's confidence, at most --not-worse-by below the champion's. A run that was stopped after the training goes on from there.

Exit codes: 0 may replace, 10 FAIL or worse, 11 INCONCLUSIVE or undecided, 2 wrong usage, 1 any other error.

Example:
  plimsoll retrain --data old.jsonl new.jsonl --champion models --out models/2026-12 --suite suite.yaml --promote
`;

async function run(flags: Flags): Promise<void> {
  const { out, notWorseBy: tolerance } = flags;
  const champion = resolveArtifact(flags.champion);
  if (flags.promote) assertDisplaces(out, readArtifact(champion)); // before an hour of training
  const done = await retrain({
    ...flags,
    ...readingOptions(flags),
    champion,
    tolerance,
    onProgress: showProgress(),
    onNotes: printNotes,
  });
  const { word } = done.decision;
  if (flags.reports !== undefined) await writeRetrainReports(flags.reports, done);
  if (!flags.json) print(retrainReport(done)); // whatever comes of the promotion
  const promotion = flags.promote && word === 'PASS' ? promoted(out, done) : undefined;
  if (flags.json) printJson(outcomeJson(out, done, promotion));
  else print(`${nextSentence(out, word, promotion)}\n`);
  process.exitCode = GATE_EXIT_CODES[word];
}

function promoted(out: string, { champion }: Retrained): Promotion {
  const now = new Date();
  const standing = standingInFolder(champion, now);
  const promotion = promoteChallenger(out, champion, now);
  if (standing.kind !== 'pass') printNotes([`A rollback to the champion would be refused: ${standing.why}`]);
  return promotion;
}

function outcomeJson(
  out: string,
  { verdict, comparison, resumed, decision: { word, reasons } }: Retrained,
  promotion: Promotion | undefined,
): object {
  return {
    schema_version: 1,
    out,
    resumed,
    may_replace: word === 'PASS',
    promoted: promotion !== undefined,
    reasons,
    verdict: { verdict: verdict.verdict, sha256: verdict.sha256, conditions: verdict.conditions },
    comparison,
  };
}

function nextSentence(out: string, word: VerdictWord, promotion: Promotion | undefined): string {
  if (promotion) return `Promoted: ${placeInStore(out).store} serves ${promotion.artifact} from now on.`;
  if (word === 'PASS') return `It may replace the champion: ${COMMAND} promote --artifact ${shellWord(out)}.`;
  return `The champion stays, for the reasons above. ${out} is kept.`;
}
