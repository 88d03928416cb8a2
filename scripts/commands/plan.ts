import { Command, Option } from 'commander';
import { loadCases } from '../../evals/cases/index.ts';
import { runGate } from '../../evals/gate/index.ts';
import {
  casePlanReport,
  decisionRecordsOf,
  hasCases,
  type Plan,
  plan,
  planCases,
  planMarkdown,
  planText,
  storedDecisionRecords,
  storedWorkOfPeople,
  type WorkOfPeople,
  workOfPeopleIn,
} from '../../evals/plan/index.ts';
import { terminalReport } from '../../evals/report/index.ts';
import { STARTER_FOLDER } from '../../router/artifact-views.ts';
import { type Config, loadConfig } from '../../router/config/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { hoursOrDays } from '../flags.ts';
import { withState } from '../open-state.ts';
import { print, printJson, printNotes, startProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { GATE_EXIT_CODES } from './gate.ts';

interface Flags {
  readonly from: readonly string[];
  readonly config?: string;
  readonly state?: string;
  readonly since?: number;
  readonly people?: readonly string[];
  readonly present?: string;
  readonly assumeArtifact: boolean;
  readonly gate?: string;
  readonly data?: readonly string[];
  readonly format: 'text' | 'markdown';
  readonly json: boolean;
}

const FROM_STATE = 'state';

export function planCommand(): Command {
  return new Command('plan')
    .requiredOption(
      '--from <file...>',
      'decision logs, .jsonl or .jsonl.gz; or state: the decision log in the state; or labelled cases',
    )
    .option('--config <file>', 'the changed configuration (default: plimsoll.config.yaml)')
    .option(
      '--state <file>',
      'with --from state: the configuration that names the state (default: that of --config)',
    )
    .option('--since <time>', 'with --from state: leave out older records, such as 7d or 12h', hoursOrDays)
    .option(
      '--present <file>',
      'with labelled cases: the present configuration (default: plimsoll.config.yaml)',
    )
    .option(
      '--people <file...>',
      'with files: what people came to, as state export --stream people writes it (from state it is known)',
    )
    .option(
      '--assume-artifact',
      'take scores of records that name no artifact to be of the configured one',
      false,
    )
    .option('--gate <suite>', 'then run the suite on the configured artifact, and write nothing')
    .option('--data <file...>', 'with --gate: labelled cases, in place of those that the suite names')
    .addOption(
      new Option('--format <name>', 'how the plan is printed').choices(['text', 'markdown']).default('text'),
    )
    .option('--json', 'print the plan as JSON', false)
    .addHelpText(
      'after',
      `
Decides recorded requests again under a changed configuration, from the scores on record: which would go to another model, and what
that changes in cost, predicted loss, duration and use of limits. Nothing is called, and nothing is written.

Exit codes: 0 done, with --gate that of \`gate\` (0 PASS, 10 FAIL, 11 INCONCLUSIVE), 2 wrong usage, 1 any other error.

Examples:
  plimsoll plan --from .plimsoll/decisions.jsonl --config changed.yaml
  plimsoll plan --from state --since 7d --config changed.yaml --format markdown > plan.md
`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const config = loadConfig(flags.config);
  const isState = flags.from.length === 1 && flags.from[0] === FROM_STATE;
  if (!isState && (flags.since !== undefined || flags.state !== undefined))
    throw new UsageError('--since and --state go with --from state.');
  if (flags.data !== undefined && flags.gate === undefined) throw new UsageError('--data goes with --gate.');
  if (isState && flags.people !== undefined) throw new UsageError('--people goes with --from FILE.');
  const isOfCases = !isState && (await hasCases(flags.from[0]!));
  if (isOfCases) {
    if (flags.config === undefined)
      throw new UsageError('With labelled cases --config names the changed configuration.');
    const { cases } = await loadCases(flags.from);
    const found = await planCases({ cases, before: loadConfig(flags.present), after: config });
    if (flags.json) printJson(found);
    else print(casePlanReport(found, flags.format));
  } else if (!isState) {
    const people = await workOfPeopleIn(flags.people ?? []);
    show(await planned(decisionRecordsOf(flags.from, { onNotes: printNotes }), people, config, flags), flags);
  } else {
    await withState(flags.state ?? flags.config, {}, async ({ log }) => {
      const sinceMs = flags.since === undefined ? undefined : Date.now() - flags.since;
      const people = await storedWorkOfPeople(log);
      show(await planned(storedDecisionRecords(log, sinceMs), people, config, flags), flags);
    });
  }
  if (flags.gate !== undefined) await runSuite(flags.gate, config, flags);
}

async function planned(
  records: AsyncIterable<DecisionRecord>,
  people: WorkOfPeople,
  config: Config,
  { assumeArtifact }: Flags,
): Promise<Plan> {
  const progress = startProgress('deciding again');
  const found = await plan({
    config,
    records,
    people,
    assumeArtifact,
    onProgress: (done) => progress.update(done),
  });
  progress.end(`${found.requests} requests`);
  return found;
}

function show(found: Plan, { format, json }: Flags): void {
  if (json) printJson(found);
  else print(format === 'markdown' ? planMarkdown(found) : planText(found));
}

async function runSuite(suite: string, config: Config, { data }: Flags): Promise<void> {
  const progress = startProgress('replaying');
  const { verdict, notes } = await runGate({
    artifact: config.artifact ?? STARTER_FOLDER,
    suite,
    ...(data && { data }),
    allowHub: config.encoder.allowHub,
    write: false,
    check: true,
    onProgress: (done, total) => progress.update(done, total),
  });
  progress.end(`${verdict.sealed.n} sealed cases`);
  printNotes([...notes, terminalReport(verdict, { colour: process.stderr.isTTY === true })]);
  process.exitCode = GATE_EXIT_CODES[verdict.verdict];
}
