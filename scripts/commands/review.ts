import { Command, Option } from 'commander';
import {
  openReview,
  type ReadReview,
  type ReviewStyle,
  readReview,
  requireReviewers,
  writeReview,
} from '../../evals/review/index.ts';
import type { Coefficient, Interval } from '../../router/grading/index.ts';
import { ladderFrom, share, wholeNumberBetween } from '../flags.ts';
import { startReviewServer } from '../review-page/index.ts';
import { print, printJson, printNotes } from '../terminal.ts';
import { asUsage } from '../usage-error.ts';

interface WriteFlags {
  readonly cases: readonly string[];
  readonly models: string;
  readonly n: number;
  readonly style: ReviewStyle;
  readonly out: string;
  readonly force: boolean;
  readonly json: boolean;
}

interface ServeFlags {
  readonly cases: readonly string[];
  readonly models: string;
  readonly reviewers: string;
  readonly out: string;
  readonly n: number;
  readonly overlap: number;
  readonly repeat: number;
  readonly scores: boolean;
  readonly port: number;
  readonly json: boolean;
}

interface ReadFlags {
  readonly cases: readonly string[];
  readonly key: string;
  readonly reviews: readonly string[];
  readonly out: string;
  readonly json: boolean;
}

export function reviewCommand(): Command {
  return new Command('review')
    .addCommand(serveCommand())
    .addCommand(writeCommand())
    .addCommand(readCommand());
}

const DEFAULT_N = 400;

function serveCommand(): Command {
  return new Command('serve')
    .description('Draw cases and serve a page on this machine where people grade their replies')
    .requiredOption('--cases <file...>', 'labelled cases with the replies, as label writes them')
    .requiredOption('--models <list>', 'names of the candidates in the cases, two or three, cheapest first')
    .requiredOption('--reviewers <list>', 'their names, with commas between: ann,bob')
    .requiredOption('--out <file>', 'the grades, .jsonl; a review that was begun goes on')
    .option('--n <count>', 'cases to be reviewed', wholeNumberBetween(1, 1_000_000), DEFAULT_N)
    .option('--overlap <share>', 'share of the cases that every reviewer grades', share, 0.2)
    .option('--repeat <share>', 'share of the cases that come again with the sides swapped', share, 0.1)
    .option('--scores', 'a reply may also get a score from 0 to 10', false)
    .option('--port <number>', 'port on 127.0.0.1, 0 for any', wholeNumberBetween(0, 65_535), 8790)
    .option('--json', 'print the links as JSON, once it listens', false)
    .action(runServe);
}

function writeCommand(): Command {
  return new Command('write')
    .description('Draw cases and write their replies as a table for reviewers, who do not see whose they are')
    .requiredOption('--cases <file...>', 'labelled cases with the replies, as label writes them')
    .requiredOption('--models <list>', 'names of the candidates in the cases, cheapest first')
    .option('--n <count>', 'cases to be reviewed', wholeNumberBetween(1, 1_000_000), DEFAULT_N)
    .addOption(
      new Option('--style <style>', 'pairs: which reply is better; replies: how good each is')
        .choices(['pairs', 'replies'])
        .default('pairs'),
    )
    .requiredOption('--out <file>', 'the table, .csv; whose replies they are is in <out>.key.json')
    .option('--force', 'replace both files if they are there', false)
    .option('--json', 'print the result as JSON', false)
    .action(runWrite);
}

function readCommand(): Command {
  return new Command('read')
    .description(
      'Take the verdicts of reviewers over as labels of people, and compare them with the other labels',
    )
    .requiredOption('--cases <file...>', 'the cases that the review was written from')
    .requiredOption('--key <file>', '<review>.key.json, beside the table or the grades')
    .requiredOption('--reviews <file...>', 'a table of each reviewer, filled in; or the grades of the page')
    .requiredOption('--out <file>', 'the cases with the labels of people, .jsonl or .jsonl.gz')
    .option('--json', 'print the result as JSON', false)
    .action(runRead);
}

async function runWrite({ models, json, ...flags }: WriteFlags): Promise<void> {
  const { cases, items, keyFile, withoutReplies } = await writeReview({
    ...flags,
    candidates: ladderFrom(models),
  });
  printNotes(withoutRepliesNote(withoutReplies));
  if (json)
    return printJson({ out: flags.out, key_file: keyFile, items, cases, without_replies: withoutReplies });
  const form = flags.style === 'pairs' ? '1, 2 or tie' : 'a number from 0 to 1, right or wrong';
  print(
    `Wrote ${flags.out}: ${items} items of ${cases} cases. Each reviewer fills in the column verdict: ${form}. Keep ${keyFile} from them.\n`,
  );
}

/** Serves until SIGINT or SIGTERM. */
async function runServe({ models, reviewers, port, scores, json, ...flags }: ServeFlags): Promise<void> {
  const names = reviewers.split(',').map((name) => name.trim());
  const candidates = ladderFrom(models);
  asUsage(() => requireReviewers(names));
  const opened = await openReview({ ...flags, candidates, reviewers: names });
  const { review, drawn, population, withoutReplies, keyFile } = opened;
  try {
    const server = await startReviewServer({ review, out: flags.out, port, withScores: scores });
    printNotes(withoutRepliesNote(withoutReplies));
    const of = population === undefined ? '' : ` of ${population}`;
    const links = [...server.links.reviewers, ['summary', server.links.lead] as const];
    const width = Math.max(...links.map(([name]) => name.length));
    if (json)
      printJson({
        out: flags.out,
        key_file: keyFile,
        drawn,
        population: population ?? null,
        without_replies: withoutReplies,
        links: Object.fromEntries(links),
      });
    else
      print(
        [
          `${drawn} cases${of}, ${names.length} reviewer${names.length === 1 ? '' : 's'}. Each link works once; whoever opens it is signed in in that browser:`,
          ...links.map(([name, url]) => `  ${name.padEnd(width)}  ${url}`),
          `Grades go to ${flags.out}. Keep ${keyFile} from the reviewers. Ctrl-C ends it; the same command goes on.`,
          '',
        ].join('\n'),
      );
    await stopped();
    await server.close();
  } finally {
    review.close();
  }
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function withoutRepliesNote(count: number): string[] {
  if (count === 0) return [];
  return [
    `${count} labelled cases have no texts of the replies and cannot be drawn: the review says nothing of them.`,
  ];
}

async function runRead({ json, ...flags }: ReadFlags): Promise<void> {
  const read = await readReview(flags);
  if (json) printJson(readJson(read));
  else print(summary(read, flags.out));
}

function summary(read: ReadReview, out: string): string {
  const { reviewers, reviewed, items, settled, undecided, agreement, bounds } = read;
  const show = (value: number | undefined) => value?.toFixed(3) ?? '—';
  return [
    `Wrote ${out}: ${reviewed} of ${items} items have a verdict of ${reviewers} reviewer${reviewers === 1 ? '' : 's'}${settled > 0 ? `; ${settled} disagreements were settled` : ''}.`,
    ...agreementLines(agreement),
    ...(undecided > 0
      ? [
          `${undecided} cases have a reply of which nobody could tell: it keeps the label that it had, and the bounds below hold only as far as these cases are like the others. Settle them on the summary page.`,
        ]
      : []),
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

function agreementLines({ pairs, alpha, disagreements }: ReadReview['agreement']): string[] {
  const show = ({ value, interval }: Coefficient) =>
    value === undefined
      ? '—'
      : `${value.toFixed(3)}${interval ? ` (${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})` : ''}`;
  if (alpha.items === 0) return ['Agreement: no item has verdicts of two reviewers.'];
  const kappas = pairs
    .filter(({ kappa }) => kappa.items > 0)
    .map(({ reviewers, kappa }) =>
      pairs.length === 1 ? show(kappa) : `${show(kappa)} of ${reviewers.join(' and ')}`,
    );
  return [
    `Agreement on ${alpha.items} items of ${alpha.cases} cases: Cohen's kappa ${kappas.join(', ')}; Krippendorff's alpha ${show(alpha)}. They differ on ${disagreements.length} cases.`,
  ];
}

function readJson({ reviewers, reviewed, items, settled, undecided, agreement, bounds }: ReadReview) {
  const { pairs, alpha, disagreements } = agreement;
  const [pair] = pairs;
  return {
    reviewers,
    reviewed,
    items,
    settled,
    undecided,
    kappa: (pairs.length === 1 ? pair?.kappa.value : undefined) ?? null,
    alpha: alpha.value ?? null,
    agreement: {
      items: alpha.items,
      cases: alpha.cases,
      different: disagreements.length,
      alpha_interval: intervalJson(alpha.interval),
      pairs: pairs.map(({ reviewers: names, kappa, equal }) => ({
        reviewers: names,
        cases: kappa.cases,
        items: kappa.items,
        kappa: kappa.value ?? null,
        kappa_interval: intervalJson(kappa.interval),
        equal_cases: equal?.cases ?? null,
        equal_interval: intervalJson(equal?.interval),
      })),
    },
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

function intervalJson(interval: Interval | undefined) {
  return interval === undefined ? null : [interval.low, interval.high];
}
