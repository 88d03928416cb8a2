import type { CatalogModel } from '../../router/catalog/index.ts';
import type { ModelClient } from '../../router/create-gateway.ts';
import { type CaseRow, writeCases } from '../cases/index.ts';
import { type Answer, ModelCalls } from './ask-model.ts';
import { Budget } from './budget.ts';
import { type Caller, keyOf, type ModelCall, ModelCaller } from './call-model.ts';
import { type Forecast, isNarrow } from './forecast.ts';
import type { GraderTools } from './graders/grader.ts';
import type { GradedReply, Journal } from './journal.ts';
import {
  LABEL_DEFAULTS,
  type LabelCandidate,
  type Labelled,
  type LabelOptions,
  type MissingLabel,
} from './label-options.ts';
import { type LabelledOutcome, outcomeOf } from './labelled-outcome.ts';
import type { LabelRow } from './rows.ts';
import { forecastRun } from './run-forecast.ts';
import { openSharedCalls } from './shared-calls.ts';

/** Rows after which the forecast is made again, for the first time. */
const PILOT_ROWS = 30;

export interface RunParts {
  readonly options: LabelOptions;
  readonly client: ModelClient;
  readonly journal: Journal;
  readonly rows: readonly LabelRow[];
  /** Sealed requests that need no label, and stay among the cases. */
  readonly unasked: readonly LabelRow[];
  /** Aborted by the run itself, at its budget or an error. */
  readonly stop: AbortController;
}

/** Labels the rows and writes the cases. Calls are made by this process, with redis by others too. */
export async function runLabels(parts: RunParts): Promise<Labelled> {
  const { options, client, journal, stop } = parts;
  const { config, dryRun = false, waitsMs = LABEL_DEFAULTS.waitsMs, signal: ended } = options;
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

/** Over all providers of the candidates. */
function callsAtOnce(
  { candidates, concurrency = LABEL_DEFAULTS.concurrency }: LabelOptions,
  client: ModelClient,
) {
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
    const { concurrency = LABEL_DEFAULTS.concurrency } = options;
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

  async #askForGrader(call: ModelCall): ReturnType<GraderTools['ask']> {
    const answer = await this.#calls.ask(call);
    if (answer.kind === 'budget') this.#endAtBudget();
    if (answer.kind === 'failed') return { why: answer.why };
    if (answer.kind !== 'reply') return { why: 'the run was ended' };
    if (answer.isNew) this.#newCalls++;
    return { text: answer.reply.text };
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
    const {
      onForecast,
      maxTokens = LABEL_DEFAULTS.maxTokens,
      concurrency = LABEL_DEFAULTS.concurrency,
    } = this.#options;
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

/** For a candidate: `recorded`, the reply was in the row. */
type CandidateAnswer = Answer | { readonly kind: 'recorded'; readonly reply: GradedReply };
