import { existsSync } from 'node:fs';
import { type CatalogModel, ladderOrderWarning } from '../../router/catalog/index.ts';
import type { Config } from '../../router/config/index.ts';
import { type ModelClient, openModelClient } from '../../router/create-gateway.ts';
import { PlimsollError } from '../../router/errors.ts';
import { holdLock } from '../../router/files/index.ts';
import {
  type CaseRow,
  type NamedRows,
  type PromptRowOptions,
  requireJsonLines,
  writeCases,
} from '../cases/index.ts';
import { type Answer, ModelCalls } from './ask-model.ts';
import { Budget } from './budget.ts';
import { requirePrice } from './call-cost.ts';
import { type Caller, DEFAULT_WAITS_MS, keyOf, type ModelCall, ModelCaller } from './call-model.ts';
import { type Forecast, isNarrow } from './forecast.ts';
import type { GraderTools } from './graders/grader.ts';
import type { Graders } from './graders/graders-file.ts';
import { type GradedReply, Journal } from './journal.ts';
import type { JudgeReport } from './judge/judge-report.ts';
import { requireOtherFamily } from './judge/model-family.ts';
import { type LabelledOutcome, outcomeOf } from './labelled-outcome.ts';
import { type LabelRow, readLabelRows } from './rows.ts';
import { forecastRun } from './run-forecast.ts';
import { openSharedCalls } from './shared-calls.ts';

/** A model whose replies are labelled. */
export interface LabelCandidate {
  /** Its name in the cases. */
  readonly name: string;
  /** `<provider>/<model>`. */
  readonly model: string;
}

export interface LabelOptions {
  /** Its providers are called; no artifact is needed. */
  readonly config: Config;
  /** Files of prompts or cases, or rows from elsewhere; see promptRows. */
  readonly prompts: readonly (string | NamedRows)[];
  /** Cheapest first. */
  readonly candidates: readonly LabelCandidate[];
  readonly graders: Graders;
  /** The judge may be of the family of a candidate. Default false. */
  readonly allowSameFamily?: boolean;
  /** Above 0; what earlier runs of the same journal have spent counts. */
  readonly budgetUsd: number;
  /** The cases, .jsonl or .jsonl.gz; the journal is beside it, `<out>.journal`. */
  readonly out: string;
  /** The longest reply; default 1024. */
  readonly maxTokens?: number;
  /** Calls at work at once, for each provider; default 8. */
  readonly concurrency?: number;
  /** Waits before further tries after the gateway's retries, in ms; by default 1, 2, 4, 8 and 16 seconds. */
  readonly waitsMs?: readonly number[];
  /** Grade a candidate's reply that is in the row, captured or from a log, and ask only the others. Default true. */
  readonly reuse?: boolean;
  /** Replace cases that no journal belongs to. Default false. */
  readonly force?: boolean;
  /** Stop after the forecast, before the first call. Default false. */
  readonly dryRun?: boolean;
  readonly reading?: PromptRowOptions;
  /** Aborted: no further call begins; what is at work ends, and is written. */
  readonly signal?: AbortSignal;
  /** Before the first call, and again after 30, 60, 120 … rows, until what all costs is known within a tenth. */
  readonly onForecast?: (forecast: Forecast) => void;
  readonly onProgress?: (progress: LabelProgress) => void;
}

export interface LabelProgress {
  /** Rows that are done, of all. */
  readonly rows: number;
  readonly of: number;
  readonly spentUsd: number;
  readonly budgetUsd: number;
}

/** An outcome that stays without a label. */
export interface MissingLabel {
  readonly case: string;
  readonly candidate: string;
  readonly why: string;
}

/** What a run came to. */
export interface Labelled {
  /** `budget`: the next call could have exceeded it; `ended`: the signal was aborted; `forecast`: a dry run. */
  readonly ended: 'done' | 'budget' | 'ended' | 'forecast';
  readonly rows: number;
  /** Rows whose outcomes all have a label. */
  readonly complete: number;
  readonly candidates: readonly {
    readonly name: string;
    readonly labels: number;
    /** 0..1; undefined without labels. */
    readonly meanQuality: number | undefined;
  }[];
  readonly missing: readonly MissingLabel[];
  /** Undefined if no model judged. */
  readonly judge: JudgeReport | undefined;
  /** Replies that were in the rows, and graded without a call. */
  readonly reused: number;
  /** Calls that were made, those of earlier runs left out. */
  readonly newCalls: number;
  /** Of this run and those before it. */
  readonly spentUsd: number;
  /** Of that, what calls may have cost whose replies were lost with a killed process. */
  readonly lostUsd: number;
  readonly journal: string;
  readonly sha256: string | undefined;
}

const DEFAULTS = { maxTokens: 1024, concurrency: 8, waitsMs: DEFAULT_WAITS_MS };
/** Rows after which the forecast is made again, for the first time. */
const PILOT_ROWS = 30;

/**
 * Asks every candidate each prompt, grades the replies, and writes labelled cases that train and gate read. Each reply is in a journal beside
 * the cases before the run goes on: a run that was killed, or ran out of its budget, goes on where it ended, and pays for no reply twice.
 *
 * @throws PlimsollError `invalid-input`: the prompts or an option; `invalid-config`: a model without a price or a provider; `io`: another run is
 *   at work on the same cases, or they cannot be written; `insufficient-data`: nothing but failures comes back
 */
export async function label(options: LabelOptions): Promise<Labelled> {
  const { out, config, candidates, force = false } = options;
  requireJsonLines(out);
  requireCandidates(candidates);
  const journalFile = `${out}.journal`;
  if (existsSync(out) && !existsSync(journalFile) && !force) throw isThere(out, journalFile);
  const client = await openModelClient(config);
  try {
    const { judge } = options.graders;
    const models = candidates.map(({ model }) => model);
    if (judge !== undefined && options.allowSameFamily !== true) requireOtherFamily(judge.model, models);
    for (const model of [...models, ...(judge ? [judge.model] : [])]) requirePrice(client.catalog.get(model));
    const { graders, maxTokens = DEFAULTS.maxTokens, reading = {}, reuse = true } = options;
    const rungs = candidates.map(({ name, model }) => ({
      candidate: name,
      model: client.catalog.get(model),
    }));
    const warning = ladderOrderWarning('The list of candidates', rungs);
    if (warning !== undefined) reading.onNotes?.([warning]);
    const recordedOf = reuse ? models.map((model) => client.catalog.get(model)) : [];
    const all = await readLabelRows(options.prompts, { graders, maxTokens, recordedOf, reading });
    const rows = all.filter(needsLabel);
    const unasked = all.filter((row) => !needsLabel(row));
    const release = holdLock(journalFile);
    try {
      const journal = new Journal(journalFile);
      try {
        return await runOn({ options, client, journal, rows, unasked, stop: new AbortController() });
      } finally {
        journal.close();
      }
    } finally {
      release();
    }
  } finally {
    await client.close();
  }
}

interface RunParts {
  readonly options: LabelOptions;
  readonly client: ModelClient;
  readonly journal: Journal;
  readonly rows: readonly LabelRow[];
  /** Sealed requests that need no label, and stay among the cases. */
  readonly unasked: readonly LabelRow[];
  /** Aborted by the run itself, at its budget or an error. */
  readonly stop: AbortController;
}

/** Calls are made by this process, with redis by others too. */
async function runOn(parts: RunParts): Promise<Labelled> {
  const { options, client, journal, stop } = parts;
  const { config, dryRun = false, waitsMs = DEFAULTS.waitsMs, signal: ended } = options;
  const signal = ended === undefined ? stop.signal : AbortSignal.any([ended, stop.signal]);
  const own = new ModelCaller({ client, waitsMs, signal });
  if (config.redis === undefined || dryRun) return new LabelRun(parts, own, signal).run();
  const concurrency = callsAtOnce(options, client);
  const shared = await openSharedCalls({ config, journalId: journal.id, own, concurrency, signal });
  try {
    return await new LabelRun(parts, shared, signal).run();
  } finally {
    await shared.close();
  }
}

/** A request that `--select` found to be escalated, whatever its replies, loses nothing. */
function needsLabel({ row }: LabelRow): boolean {
  return row['label_needed'] !== false;
}

/** Over all providers of the candidates. */
function callsAtOnce({ candidates, concurrency = DEFAULTS.concurrency }: LabelOptions, client: ModelClient) {
  const providers = new Set(candidates.map(({ model }) => client.catalog.get(model).provider.name));
  return concurrency * providers.size;
}

class LabelRun {
  readonly #options: LabelOptions;
  readonly #client: ModelClient;
  readonly #journal: Journal;
  readonly #rows: readonly LabelRow[];
  readonly #unasked: readonly LabelRow[];
  readonly #budget: Budget;
  readonly #calls: ModelCalls;
  readonly #stop: AbortController;
  readonly #outcomes = new Map<string, Map<string, LabelledOutcome>>();
  readonly #missing: MissingLabel[] = [];
  #newCalls = 0;
  #reused = 0;
  #done = 0;
  /** So many rows, from the first on, are finished; and which of those behind them. */
  #firstFinished = 0;
  readonly #finished = new Set<number>();
  #forecasted: Forecast | undefined;
  #forecastAt: number | undefined = PILOT_ROWS;
  #ended: Labelled['ended'] = 'done';

  constructor(
    { options, client, journal, rows, unasked, stop }: RunParts,
    caller: Caller,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#client = client;
    this.#journal = journal;
    this.#rows = rows;
    this.#unasked = unasked;
    this.#stop = stop;
    const budget = new Budget(options.budgetUsd, journal.spentUsd);
    const { concurrency = DEFAULTS.concurrency } = options;
    this.#budget = budget;
    this.#calls = new ModelCalls({ catalog: client.catalog, caller, journal, budget, concurrency, signal });
  }

  async run(): Promise<Labelled> {
    this.#forecast();
    if (this.#options.dryRun === true) return this.#result('forecast', undefined);
    this.#newCalls = await this.#calls.collect();
    const rows = this.#rows.entries();
    const atOnce = callsAtOnce(this.#options, this.#client);
    const ends = await Promise.allSettled(Array.from({ length: atOnce }, () => this.#work(rows)));
    const sha256 = await this.#write();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const { signal } = this.#options;
    return this.#result(this.#ended === 'done' && signal?.aborted === true ? 'ended' : this.#ended, sha256);
  }

  async #work(rows: Iterator<[number, LabelRow]>): Promise<void> {
    try {
      for (let next = rows.next(); !next.done; next = rows.next()) {
        if (this.#isEnding()) return;
        const [at, row] = next.value;
        await this.#labelRow(row);
        this.#finish(at);
      }
    } catch (error) {
      this.#stop.abort();
      throw error;
    }
  }

  #finish(at: number): void {
    this.#done++;
    this.#progress();
    this.#finished.add(at);
    while (this.#finished.delete(this.#firstFinished)) this.#firstFinished++;
    if (this.#forecastAt === undefined || this.#firstFinished < this.#forecastAt) return;
    if (this.#newCalls > 0) this.#forecast(this.#firstFinished);
    const isEnough = this.#forecasted !== undefined && isNarrow(this.#forecasted);
    this.#forecastAt = isEnough ? undefined : 2 * this.#firstFinished;
  }

  async #labelRow(row: LabelRow): Promise<void> {
    const { candidates } = this.#options;
    const answers = await Promise.all(candidates.map(async ({ model }) => this.#replyOf(row, model)));
    const strong = answers.at(-1);
    for (const [at, candidate] of candidates.entries()) {
      const answer = answers[at];
      if (answer !== undefined) await this.#labelReply(row, candidate, answer, strong);
    }
  }

  async #replyOf({ one, body, recorded }: LabelRow, model: string): Promise<CandidateAnswer> {
    const call: ModelCall = { model, caseId: one.id, purpose: 'candidate', body };
    if (recorded?.model === model && !this.#journal.replies.has(keyOf(call))) {
      return { kind: 'recorded', reply: recorded.reply };
    }
    return this.#calls.ask(call);
  }

  async #labelReply(
    row: LabelRow,
    candidate: LabelCandidate,
    answer: CandidateAnswer,
    strong: CandidateAnswer | undefined,
  ): Promise<void> {
    if (answer.kind === 'budget') this.#endAtBudget();
    if (answer.kind === 'budget' || answer.kind === 'ended') return;
    if (answer.kind === 'failed') {
      this.#missing.push({ case: row.one.id, candidate: candidate.name, why: answer.why });
      return;
    }
    if (answer.kind === 'recorded') this.#reused++;
    else if (answer.isNew) this.#newCalls++;
    const { reply } = answer;
    const tools: GraderTools = { ask: async (call) => this.#askForGrader(call) };
    const isStrongest = candidate === this.#options.candidates.at(-1);
    const sample = {
      caseId: row.one.id,
      task: row.one.task,
      prompt: row.one.text,
      candidate: candidate.name,
      model: candidate.model,
      reply: reply.text,
      reference: row.row.reference,
      strongReply: !isStrongest && strong !== undefined && 'reply' in strong ? strong.reply.text : undefined,
      isStrongest,
    };
    const grade = await row.grader.grade(sample, tools);
    if (grade.kind === 'missing' && this.#isEnding()) return; // the judge was not asked
    if (grade.kind === 'missing') {
      this.#missing.push({ case: row.one.id, candidate: candidate.name, why: grade.why });
    }
    this.#keep(row, candidate, outcomeOf(reply, grade, this.#options.graders.sha256));
  }

  async #askForGrader(call: ModelCall): Promise<string | undefined> {
    const answer = await this.#calls.ask(call);
    if (answer.kind === 'budget') this.#endAtBudget();
    if (answer.kind !== 'reply') return undefined;
    if (answer.isNew) this.#newCalls++;
    return answer.reply.text;
  }

  #endAtBudget(): void {
    this.#ended = 'budget';
    this.#stop.abort();
  }

  #isEnding(): boolean {
    return this.#stop.signal.aborted || this.#options.signal?.aborted === true;
  }

  #keep({ one }: LabelRow, { name }: LabelCandidate, outcome: LabelledOutcome): void {
    const outcomes = this.#outcomes.get(one.id) ?? new Map<string, LabelledOutcome>();
    this.#outcomes.set(one.id, outcomes.set(name, outcome));
  }

  /** In the order of the prompts' ids by hash, whatever came back first. */
  async #write(): Promise<string> {
    const { candidates, out } = this.#options;
    const rows: CaseRow[] = [];
    for (const { row, one } of [...this.#rows, ...this.#unasked]) {
      // a sealed request without a label is no request less: where it stays cheap it counts as lost
      const outcomes = this.#outcomes.get(one.id) ?? (row.label_pool === 'sealed' ? new Map() : undefined);
      if (outcomes === undefined) continue;
      const inOrder = candidates.flatMap(({ name }) => {
        const outcome = outcomes.get(name);
        return outcome === undefined ? [] : [[name, outcome] as const];
      });
      const { reply: _, ...request } = row; // in the outcome, if it was one of a candidate
      rows.push({ ...request, outcomes: Object.fromEntries(inOrder) });
    }
    return (await writeCases(out, rows)).sha256;
  }

  #progress(): void {
    const { onProgress = () => {}, budgetUsd } = this.#options;
    onProgress({ rows: this.#done, of: this.#rows.length, spentUsd: this.#budget.spentUsd, budgetUsd });
  }

  #forecast(finished?: number): void {
    const { onForecast, maxTokens = DEFAULTS.maxTokens, concurrency = DEFAULTS.concurrency } = this.#options;
    if (onForecast === undefined) return;
    this.#forecasted = forecastRun({
      rows: this.#rows,
      finished,
      models: this.#options.candidates.map(({ model }) => this.#client.catalog.get(model)),
      judge: this.#judgeModel(),
      journal: this.#journal,
      spentUsd: this.#budget.spentUsd,
      maxTokens,
      concurrency,
    });
    onForecast(this.#forecasted);
  }

  #judgeModel(): CatalogModel | undefined {
    const { judge } = this.#options.graders;
    return judge && this.#client.catalog.get(judge.model);
  }

  #result(ended: Labelled['ended'], sha256: string | undefined): Labelled {
    const { candidates } = this.#options;
    const labelsOf = (name: string) =>
      [...this.#outcomes.values()].flatMap((outcomes) => outcomes.get(name)?.quality ?? []);
    const isComplete = (outcomes: ReadonlyMap<string, LabelledOutcome>) =>
      candidates.every(({ name }) => outcomes.get(name)?.quality != null);
    return {
      ended,
      rows: this.#rows.length,
      complete: [...this.#outcomes.values()].filter(isComplete).length,
      candidates: candidates.map(({ name }) => {
        const labels = labelsOf(name);
        const meanQuality =
          labels.length === 0 ? undefined : labels.reduce((a, b) => a + b, 0) / labels.length;
        return { name, labels: labels.length, meanQuality };
      }),
      missing: this.#missing,
      judge: this.#options.graders.judge?.report(),
      reused: this.#reused,
      newCalls: this.#newCalls,
      spentUsd: this.#budget.spentUsd,
      lostUsd: this.#journal.lostUsd,
      journal: this.#journal.file,
      sha256,
    };
  }
}

/** Of a candidate: `recorded`, the reply was in the row. */
type CandidateAnswer = Answer | { readonly kind: 'recorded'; readonly reply: GradedReply };

function requireCandidates(candidates: readonly LabelCandidate[]): void {
  const names = candidates.map(({ name }) => name);
  if (names.length >= 2 && new Set(names).size === names.length) return;
  throw new PlimsollError(
    'invalid-input',
    'Labels are of two or more candidates, cheapest first, each once: --models cheap,strong.',
    { place: { field: 'models' } },
  );
}

function isThere(out: string, journalFile: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${out} is there already, and no journal ${journalFile} that it came from. Name another file, or replace it with --force.`,
    { place: { file: out } },
  );
}
