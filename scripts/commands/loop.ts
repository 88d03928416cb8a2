import { Command } from 'commander';
import { retrainReport } from '../../evals/lifecycle/index.ts';
import { type LoopResult, runLoop, runScheduled } from '../../evals/loop/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { COMMAND } from '../../router/package.ts';
import { shellWord } from '../../router/shell-word.ts';
import { hoursOrDays, share, wholeNumberBetween } from '../flags.ts';
import { addLabelFlags, type LabelFlags, labelOptions, requestsFrom } from '../label-flags.ts';
import { addLearnerFlag, type LearnerFlag } from '../learning-flags.ts';
import { withState } from '../open-state.ts';
import { dollars, print, printJson, printNotes, showProgress, startProgress } from '../terminal.ts';
import { GATE_EXIT_CODES } from './gate.ts';

interface Flags extends LabelFlags, LearnerFlag {
  readonly from: string;
  readonly data: readonly string[];
  readonly store: string;
  readonly suite: string;
  readonly folder: string;
  readonly minNew: number;
  readonly notWorseBy: number;
  readonly promote: boolean;
  /** In ms. */
  readonly every?: number;
  readonly json: boolean;
}

/** As of `label`: the budget is used up. */
const EXIT_BUDGET = 3;
const EXIT_INTERRUPTED = 130;

export function loopCommand(): Command {
  return addLabelFlags(addLearnerFlag(new Command('loop')))
    .option('--from <file>', 'requests, or captured: the captured requests in the state', 'captured')
    .requiredOption('--data <file...>', 'labelled cases from before, such as those of the first training')
    .requiredOption('--store <folder>', 'the artifacts, of which the current one is the champion')
    .requiredOption('--suite <file>', 'what is demanded of a challenger (docs/CI.md)')
    .option('--folder <folder>', 'where the rounds are kept', 'loop')
    .option('--min-new <count>', 'new requests that a round takes at least', wholeNumberBetween(1, 1e7), 500)
    .option('--not-worse-by <loss>', 'how much worse its mean quality may be than the champion', share, 0.01)
    .option('--promote', 'make the challenger the one that serves, if it may be', false)
    .option(
      '--every <time>',
      'stay, and run a round each 12h, 7d …; of several processes on one state one runs each round',
      hoursOrDays,
    )
    .option('--json', 'print the outcome as JSON', false)
    .addHelpText('after', AFTER_HELP)
    .action(run);
}

const AFTER_HELP = `
One round: new requests are labelled, a challenger is trained on all cases, gated, compared with the champion, and promoted or
kept. Run it again after a kill, an interrupt or a budget that was raised, and it goes on with the same round. With fewer new
requests than --min-new it does nothing: each round is a look at the sealed cases. With --every it stays and runs rounds until it is
interrupted.

Exit codes: 0 the challenger may replace the champion, or there is too little that is new; 10 FAIL or worse, 11 INCONCLUSIVE or
undecided, 3 the budget is used up, 130 interrupted, 2 wrong usage, 1 any other error.

Example, once a week:
  plimsoll loop --models cheap,strong --graders graders.yaml --budget 20usd --data first.jsonl --store models --suite suite.yaml --promote
`;

async function run(flags: Flags): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  if (flags.every === undefined) {
    process.exitCode = exitCode(await runRound(flags, interrupted.signal));
    return;
  }
  const everyMs = flags.every;
  await withState(flags.config, { mayBeNew: true, migrate: 'auto' }, async ({ leases, documents }) => {
    const round = async (signal: AbortSignal) => {
      const result = await runRound(flags, signal);
      return result.kind !== 'unfinished' || result.why === 'budget';
    };
    const onFailure = (error: unknown) =>
      printNotes([error instanceof PlimsollError ? error.message : 'An internal error ended the round.']);
    await runScheduled({ everyMs, leases, documents, round, onFailure, signal: interrupted.signal });
  });
}

async function runRound(flags: Flags, signal: AbortSignal): Promise<LoopResult> {
  const progress = startProgress('labelling');
  const result = await runLoop({
    folder: flags.folder,
    requests: requestsFrom(flags.from, flags.config),
    data: flags.data,
    store: flags.store,
    suite: flags.suite,
    minNew: flags.minNew,
    promote: flags.promote,
    labelling: {
      ...labelOptions(flags),
      signal,
      onProgress: ({ rows, of, spentUsd }) => progress.update(rows, of, `, ${dollars(spentUsd)}`),
    },
    retraining: {
      tolerance: flags.notWorseBy,
      ...(flags.learner && { learner: flags.learner }),
      onProgress: showProgress(),
      onNotes: printNotes,
    },
  });
  progress.end();
  if (flags.json) printJson(resultJson(result));
  else print(summary(result, flags));
  return result;
}

function resultJson(result: LoopResult): object {
  if (result.kind !== 'done') return result;
  return { kind: 'done', outcome: result.outcome };
}

function summary(result: LoopResult, { minNew, folder, store }: Flags): string {
  if (result.kind === 'waiting') {
    return `${result.fresh} requests are new, and a round takes ${minNew}: nothing was done.\n`;
  }
  if (result.kind === 'unfinished') {
    const why = result.why === 'budget' ? 'The budget is used up: raise --budget, and' : 'Interrupted:';
    return `${why} run it again to go on with round ${result.round}.\n`;
  }
  const { round, challenger, champion, decision, promoted } = result.outcome;
  const report = result.retrained === undefined ? '' : retrainReport(result.retrained);
  const next = promoted
    ? `Promoted: ${store} serves ${challenger} from now on.`
    : decision === 'PASS'
      ? `${challenger} may replace ${champion}: ${COMMAND} promote --artifact ${shellWord(`${store}/${challenger}`)}.`
      : `${champion} stays, for the reasons above.`;
  return `${report}\nRound ${round} is done, its cases and outcome are in ${folder}/round-${round}. ${next}\n`;
}

function exitCode(result: LoopResult): number {
  if (result.kind === 'waiting') return 0;
  if (result.kind === 'unfinished') return result.why === 'budget' ? EXIT_BUDGET : EXIT_INTERRUPTED;
  return GATE_EXIT_CODES[result.outcome.decision];
}
