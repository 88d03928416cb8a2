import path from 'node:path';
import { Command } from 'commander';
import {
  type DesignModel,
  type DesignOptions,
  design,
  designHtml,
  designText,
  mixOfCases,
  mixOfRecords,
  mixOfShares,
  type NamedModel,
  namedModel,
  parseModels,
  parsePrices,
  pricedModels,
  type QualityRow,
  readPriors,
  readQualities,
  tasksOf,
} from '../../evals/design/index.ts';
import { loadLabelled } from '../../evals/lifecycle/index.ts';
import { decisionRecordsOf, storedDecisionRecords } from '../../evals/plan/index.ts';
import { loadConfig, writtenConfig } from '../../router/config/index.ts';
import { replaceFile } from '../../router/files/index.ts';
import { openTaskClassifier } from '../../router/tasks/index.ts';
import {
  addReadingFlags,
  addRejectFlags,
  type ReadingFlags,
  type RejectFlags,
  readingOptions,
} from '../data-flags.ts';
import { writeDesign } from '../design-files.ts';
import { hoursOrDays, wholeNumberBetween } from '../flags.ts';
import { withState } from '../open-state.ts';
import { print, printJson, printNotes, showProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends ReadingFlags, RejectFlags {
  readonly data?: readonly string[];
  readonly from?: readonly string[];
  readonly since?: number;
  readonly share?: string;
  readonly tokens?: string;
  readonly models?: string;
  readonly price?: readonly string[];
  readonly qualities?: string;
  readonly strong?: string;
  readonly rungs: number;
  readonly margin: number;
  readonly confidence: number;
  readonly requests?: number;
  readonly config?: string;
  readonly html?: string;
  readonly write?: string;
  readonly force: boolean;
  readonly json: boolean;
}

const FROM_STATE = 'state';

export function designCommand(): Command {
  const command = new Command('design')
    .option('--data <file...>', 'labelled cases: mix, qualities and costs are theirs')
    .option(
      '--from <file...>',
      'decision logs, .jsonl or .jsonl.gz; or state: the decision log in the state: the mix is theirs',
    )
    .option('--since <time>', 'with --from state: leave out older records, such as 7d or 12h', hoursOrDays)
    .option('--share <list>', 'the mix in place of both: maths=0.3,chat=0.7')
    .option(
      '--tokens <list>',
      'mean tokens of a request and of its reply, of a --share or of --data that has none: 400/120, or maths=200/300,chat=400/120',
    )
    .option(
      '--models <list>',
      'two or more, in any order: <provider>/<model>, or name=<provider>/<model> if data or qualities name it otherwise',
    )
    .option('--price <list...>', 'US dollars a million tokens of input and output: model=0.15/0.60')
    .option(
      '--qualities <file>',
      'model, task, quality, n, and if known source, input_tokens, output_tokens, cost_usd (default: aggregates of public sets)',
    )
    .option('--strong <model>', 'against which losses count (default: the one that is expected to be best)')
    .option('--rungs <n>', 'of the longest ladder: 2 or 3', wholeNumberBetween(2, 3), 2)
    .option('--margin <loss>', 'mean quality that may be lost, above 0 and below 1', Number, 0.02)
    .option('--confidence <level>', 'of the gate', Number, 0.95)
    .option(
      '--requests <n>',
      'that quality and loss are forecast for (default: as many as the mix was counted on, else 1000)',
      wholeNumberBetween(1, 1e12),
    )
    .option('--config <file>', 'names providers and prices (default: plimsoll.config.yaml)')
    .option('--html <file>', 'write the design as a page with the frontier as a picture')
    .option('--write <folder>', 'write a configuration and a suite for the gate')
    .option('--force', 'with --write: replace what is there', false)
    .option('--json', 'print the design as JSON', false);
  return addRejectFlags(addReadingFlags(command))
    .addHelpText(
      'after',
      `
From a mix of requests, prices and a margin to a ladder, what routing on it would save and lose, and how many labels it takes to prove it.
Nothing is called and nothing is proved. Every assumption is printed.

Examples:
  plimsoll design --share maths=0.2,chat=0.8 --tokens 300/250 --models openai/gpt-4o-mini,openai/gpt-4o --margin 0.03
  plimsoll design --from state --since 7d --models openai/gpt-4o-mini,openai/gpt-4o --html design.html
  plimsoll design --data labelled.jsonl --models small=openai/gpt-4o-mini,large=openai/gpt-4o --write designed
`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { rungs, margin, confidence, requests, html, write, force } = flags;
  requireOneSource(flags);
  const config = loadConfig(flags.config);
  const priors = readPriors();
  const stated = flags.qualities === undefined ? undefined : await readQualities(flags.qualities);
  const names = flags.models === undefined ? namesIn(stated) : parseModels(flags.models);
  const models = pricedModels(names, parsePrices(flags.price ?? []), config);
  const table =
    stated === undefined
      ? { qualities: priors.qualities, table: 'the public sets that ship' }
      : { qualities: stated, table: flags.qualities! };
  const found = design({
    models,
    priors,
    margin,
    confidence,
    maxRungs: rungs === 3 ? 3 : 2,
    ...(requests !== undefined && { requests }),
    ...table,
    ...(await sourceOf(flags, models, tasksOf(table.qualities))),
    ...(flags.strong !== undefined && { strongest: namedModel(flags.strong, models) }),
  });
  if (html !== undefined) replaceFile(path.resolve(html), await designHtml(found));
  const next =
    write === undefined
      ? ''
      : writeDesign(write, found, { configured: writtenConfig(flags.config), models, force });
  if (flags.json) printJson(found);
  else print(`${designText(found)}${next}`);
}

function requireOneSource({ data, from, share, since, tokens, qualities }: Flags): void {
  const sources = [data, from, share].filter((one) => one !== undefined);
  if (sources.length !== 1)
    throw new UsageError(
      'Name the mix once: labelled cases by --data, decision logs by --from, or shares by --share.',
    );
  if (since !== undefined && !isState(from)) throw new UsageError('--since goes with --from state.');
  if (tokens !== undefined && from !== undefined)
    throw new UsageError('--tokens goes with --share or --data: decision logs have their own.');
  if (data !== undefined && qualities !== undefined)
    throw new UsageError('--data has qualities of its own: leave --qualities out.');
}

function isState(from: readonly string[] | undefined): boolean {
  return from?.length === 1 && from[0] === FROM_STATE;
}

/** Without --models: all that the table has. */
function namesIn(stated: readonly QualityRow[] | undefined): readonly NamedModel[] {
  if (stated !== undefined) return [...new Set(stated.map(({ model }) => model))].map((name) => ({ name }));
  throw new UsageError('Name the models by --models a,b: <provider>/<model>, or name=<provider>/<model>.');
}

type Source = Pick<DesignOptions, 'mix'> & Partial<Pick<DesignOptions, 'qualities' | 'table'>>;

async function sourceOf(
  flags: Flags,
  models: readonly DesignModel[],
  tasks: readonly string[],
): Promise<Source> {
  const { data, from, share, tokens } = flags;
  if (share !== undefined) return { mix: mixOfShares(share, tokens, tasks) };
  if (data !== undefined) {
    const names = models.map(({ name, knownAs = name }) => knownAs);
    const loaded = await loadLabelled(data, {
      ...readingOptions(flags),
      models: names,
      maxRejectShare: flags.maxRejects,
      ...(flags.rejects !== undefined && { rejectsFile: flags.rejects }),
      onProgress: showProgress(),
    });
    printNotes(loaded.notes);
    const isLabelled = loaded.cases.every(({ task }) => task !== undefined);
    const classifier = isLabelled ? undefined : await openTaskClassifier();
    const { length } = loaded.cases;
    return { ...mixOfCases(loaded.cases, names, classifier, tokens), table: `${length} labelled cases` };
  }
  const classifier = await openTaskClassifier();
  if (!isState(from))
    return { mix: await mixOfRecords(decisionRecordsOf(from!, { onNotes: printNotes }), classifier, tasks) };
  let mix: DesignOptions['mix'] | undefined;
  await withState(flags.config, {}, async ({ log }) => {
    const sinceMs = flags.since === undefined ? undefined : Date.now() - flags.since;
    mix = await mixOfRecords(storedDecisionRecords(log, sinceMs), classifier, tasks);
  });
  return { mix: mix! };
}
