import { Command, Option } from 'commander';
import { type ReadReview, type ReviewStyle, readReview, writeReview } from '../../evals/labelling/index.ts';
import { ladderFrom, wholeNumberBetween } from '../flags.ts';
import { print, printJson } from '../terminal.ts';

interface WriteFlags {
  readonly cases: readonly string[];
  readonly models: string;
  readonly n: number;
  readonly style: ReviewStyle;
  readonly out: string;
  readonly force: boolean;
}

interface ReadFlags {
  readonly cases: readonly string[];
  readonly key: string;
  readonly reviews: readonly string[];
  readonly out: string;
  readonly json: boolean;
}

export function reviewCommand(): Command {
  return new Command('review').addCommand(writeCommand()).addCommand(readCommand());
}

function writeCommand(): Command {
  return new Command('write')
    .description('Draw cases and write their replies as a table for reviewers, who do not see whose they are')
    .requiredOption('--cases <file...>', 'labelled cases with the replies, as label writes them')
    .requiredOption('--models <list>', 'names of the candidates in the cases, cheapest first')
    .option('--n <count>', 'cases to be reviewed', wholeNumberBetween(1, 1_000_000), 400)
    .addOption(
      new Option('--style <style>', 'pairs: which reply is better; replies: how good each is')
        .choices(['pairs', 'replies'])
        .default('pairs'),
    )
    .requiredOption('--out <file>', 'the table, .csv; whose replies they are is in <out>.key.json')
    .option('--force', 'replace both files if they are there', false)
    .action(runWrite);
}

function readCommand(): Command {
  return new Command('read')
    .description(
      'Take the verdicts of reviewers over as labels of people, and compare them with the other labels',
    )
    .requiredOption('--cases <file...>', 'the cases that the review was written from')
    .requiredOption('--key <file>', '<review>.key.json')
    .requiredOption('--reviews <file...>', 'a table of each reviewer, filled in')
    .requiredOption('--out <file>', 'the cases with the labels of people, .jsonl or .jsonl.gz')
    .option('--json', 'print the result as JSON', false)
    .action(runRead);
}

async function runWrite({ models, ...flags }: WriteFlags): Promise<void> {
  const { cases, items, keyFile } = await writeReview({ ...flags, candidates: ladderFrom(models) });
  const form = flags.style === 'pairs' ? '1, 2 or tie' : 'a number from 0 to 1, right or wrong';
  print(
    `Wrote ${flags.out}: ${items} items of ${cases} cases. Each reviewer fills in the column verdict: ${form}. Keep ${keyFile} from them.\n`,
  );
}

async function runRead({ json, ...flags }: ReadFlags): Promise<void> {
  const read = await readReview(flags);
  if (json) printJson(readJson(read));
  else print(summary(read, flags.out));
}

function summary({ reviewers, reviewed, items, kappa, alpha, bounds }: ReadReview, out: string): string {
  const show = (value: number | undefined) => value?.toFixed(3) ?? '—';
  return [
    `Wrote ${out}: ${reviewed} of ${items} items have a verdict of ${reviewers} reviewer${reviewers === 1 ? '' : 's'}.`,
    `Agreement: Cohen's kappa ${show(kappa)}, Krippendorff's alpha ${show(alpha)}.`,
    ...bounds.flatMap(({ candidate, judged, audited, bound }) => [
      `${candidate} on every request loses at most ${show(bound.upper)} as people see it, with confidence .95: ${show(bound.ofJudged)} by ${judged} other labels and ${show(bound.ofError)} for their mistakes; ${show(bound.peopleAlone)} by the ${audited} labels of people alone.`,
    ]),
    ...(bounds.length > 0
      ? [
          `The gate does the same sum at each threshold: accept_labels: [judge, human] in the suite, and ${out} as its cases.`,
        ]
      : []),
    '',
  ].join('\n');
}

function readJson({ reviewers, reviewed, items, kappa, alpha, bounds }: ReadReview) {
  return {
    reviewers,
    reviewed,
    items,
    kappa: kappa ?? null,
    alpha: alpha ?? null,
    bounds: bounds.map(({ candidate, judged, audited, bound }) => ({
      candidate,
      judged,
      audited,
      upper: bound.upper,
      of_judged: bound.ofJudged,
      of_error: bound.ofError,
      people_alone: bound.peopleAlone,
    })),
  };
}
