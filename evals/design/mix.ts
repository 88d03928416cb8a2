import { PlimsollError } from '../../router/errors.ts';
import { nearestName } from '../../router/nearest-name.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { OTHER_TASK, TASK_LABELS, type TaskClassifier } from '../../router/tasks/index.ts';
import type { Case } from '../cases/index.ts';
import type { QualityRow } from './qualities.ts';

/** Requests of one task. */
export interface TaskShare {
  readonly task: string;
  /** Share of all requests, above 0 and at most 1. */
  readonly share: number;
  /** Mean tokens of a request and of a reply; left out if they are not known. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

/** What is asked for, and how often. */
export interface TrafficMix {
  readonly from: 'cases' | 'decisions' | 'shares';
  /** Requests that the shares were counted on; left out if they were given. */
  readonly requests?: number;
  /** The most frequent first; their shares add up to 1. */
  readonly tasks: readonly TaskShare[];
  /** What a person should know about how it was found. */
  readonly notes: readonly string[];
}

/** Shares such as .333 + .333 + .333 are rounded. */
const ROUNDING = 0.0051;

export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The tasks that a mix may name: those of a table of qualities, and those that the task classifier tells apart. */
export function tasksOf(qualities: readonly QualityRow[]): readonly string[] {
  return [...new Set([...qualities.map(({ task }) => task), ...TASK_LABELS])];
}

/**
 * A mix that somebody states.
 * @param known the tasks that it may name
 * @param shares `maths=0.3,chat=0.7`; they add up to 1
 * @param tokens `400/120` (tokens of a request and of its reply) for all tasks, or `maths=200/300,chat=400/120`
 * @throws PlimsollError `invalid-input`: no share, a share that is none, a task twice, a sum other than 1, tokens of another task or missing
 */
export function mixOfShares(
  shares: string,
  tokens: string | undefined,
  known: readonly string[],
): TrafficMix {
  const pairs = pairsOf('--share', shares, shareIn);
  for (const [task] of pairs) requireTask(task, known, '--share', 'is not known');
  const sum = pairs.reduce((total, [, share]) => total + share, 0);
  if (Math.abs(sum - 1) > ROUNDING) {
    throw fault(
      'share',
      `--share adds up to ${Number(sum.toFixed(4))}, and must to 1. ${sum < 1 ? `Add what is left, such as other=${Number((1 - sum).toFixed(4))}` : 'Lower the shares'}.`,
    );
  }
  const tasks = pairs.map(([task]) => task);
  const tokensOf = tokensByTask(tokens, tasks, 'is in no --share');
  const missing = tokens === undefined ? undefined : tasks.find((task) => tokensOf(task) === undefined);
  if (missing !== undefined)
    throw fault(
      'tokens',
      `--tokens says nothing of ${missing}. Add ${missing}=400/120: mean tokens of a request and of its reply.`,
    );
  return {
    from: 'shares',
    tasks: sorted(pairs.map(([task, share]) => ({ task, share: share / sum, ...tokensOf(task) }))),
    notes: [],
  };
}

function shareIn(text: string, task: string): number {
  const share = Number(text);
  if (text !== '' && share > 0 && share <= 1) return share;
  throw fault(
    'share',
    `--share: ${task}=${text} is no share. It must be above 0 and at most 1, such as ${task}=0.3.`,
  );
}

/** @param isNone what is wrong with a task that is not one of them */
function tokensByTask(
  text: string | undefined,
  tasks: readonly string[],
  isNone: string,
): (task: string) => Tokens | undefined {
  if (text === undefined) return () => undefined;
  if (!text.includes('=')) {
    const all = tokensIn(text);
    return () => all;
  }
  const pairs = new Map(pairsOf('--tokens', text, tokensIn));
  for (const task of pairs.keys()) requireTask(task, tasks, '--tokens', isNone);
  return (task) => pairs.get(task);
}

function tokensIn(text: string): Tokens {
  const [, input, output] = /^(\d{1,7}(?:\.\d+)?)\/(\d{1,7}(?:\.\d+)?)$/.exec(text.trim()) ?? [];
  if (Number(input) > 0 && Number(output) > 0)
    return { inputTokens: Number(input), outputTokens: Number(output) };
  throw fault(
    'tokens',
    `--tokens: "${text}" must be the mean tokens of a request and of its reply, such as 400/120.`,
  );
}

/** `a=1,b=2`, each name once. */
function pairsOf<T>(flag: string, text: string, read: (value: string, name: string) => T): [string, T][] {
  const pairs: [string, T][] = [];
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at < 1 || name === '')
      throw fault(
        flag.slice(2),
        `${flag}: "${part.trim()}" has no task. Write task=value with commas between.`,
      );
    if (pairs.some(([one]) => one === name)) throw fault(flag.slice(2), `${flag} names ${name} twice.`);
    pairs.push([name, read(part.slice(at + 1).trim(), name)]);
  }
  return pairs;
}

/** @throws PlimsollError `invalid-input` with the nearest task, unless it is one of `known` */
function requireTask(task: string, known: readonly string[], flag: string, why: string): void {
  if (known.includes(task)) return;
  const near = nearestName(task, known);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  throw fault(
    flag.replace(/^--/, ''),
    `${flag}: the task "${task}" ${why}.${hint} There are ${known.join(', ')}.`,
  );
}

/**
 * The mix of labelled cases, and what each model reached on each task. Tasks that no row names are predicted from the text.
 * @param tokens as `mixOfShares` takes them, of tasks whose rows say none
 * @throws PlimsollError `invalid-input`: tokens of another task
 */
export function mixOfCases(
  cases: readonly Case[],
  models: readonly string[],
  classifier: TaskClassifier | undefined,
  tokens?: string,
): { readonly mix: TrafficMix; readonly qualities: readonly QualityRow[] } {
  const taskOf = (one: Case) => one.task ?? classifier?.taskOf(one.text).task ?? OTHER_TASK;
  const byTask = groupBy(cases, taskOf);
  const predicted = cases.filter(({ task }) => task === undefined).length;
  const weightOf = ({ weight = 1 }: Case) => weight;
  const total = cases.reduce((sum, one) => sum + weightOf(one), 0);
  const tokensOf = tokensByTask(tokens, [...byTask.keys()], 'is of no labelled case');
  const tasks = [...byTask].map(([task, those]) => ({
    task,
    ...tokensOf(task),
    share: those.reduce((sum, one) => sum + weightOf(one), 0) / total,
  }));
  const qualities = [...byTask].flatMap(([task, those]) =>
    models.map((model): QualityRow => {
      const outcomes = those.map(({ outcomes }) => outcomes.get(model)!);
      const { inputTokens, outputTokens, costUsd } = {
        inputTokens: knownMean(outcomes.map((one) => one.inputTokens)),
        outputTokens: knownMean(outcomes.map((one) => one.outputTokens)),
        costUsd: knownMean(outcomes.map((one) => one.costUsd)),
      };
      return {
        model,
        task,
        quality: outcomes.reduce((sum, { quality }) => sum + quality, 0) / outcomes.length,
        n: outcomes.length,
        ...(inputTokens !== undefined && { inputTokens }),
        ...(outputTokens !== undefined && { outputTokens }),
        ...(costUsd !== undefined && { costUsd }),
      };
    }),
  );
  const saysTokens = ({ inputTokens, outputTokens }: QualityRow) =>
    inputTokens !== undefined && outputTokens !== undefined;
  const notes = [
    ...(predicted === 0
      ? []
      : [`The task of ${predicted} of ${cases.length} cases is predicted from their text.`]),
    ...(tokens !== undefined && qualities.every(saysTokens)
      ? ['The tokens are those of the labelled cases, not of --tokens.']
      : []),
  ];
  return { mix: { from: 'cases', requests: cases.length, tasks: sorted(tasks), notes }, qualities };
}

/** One task among recorded requests. */
class RecordedTask {
  requests = 0;
  readonly tokens = { requests: 0, input: 0, output: 0 };
}

/**
 * The mix of recorded decisions, by the task that the client named if it is known, else the predicted one. Requests that were refused or came from the response cache
 * are left out.
 * @throws PlimsollError `insufficient-data` if no request is left, or none says what it used
 */
export async function mixOfRecords(
  records: AsyncIterable<DecisionRecord>,
  classifier: TaskClassifier,
  known: readonly string[],
): Promise<TrafficMix> {
  const byTask = new Map<string, RecordedTask>();
  let [requests, predicted, unknown, leftOut] = [0, 0, 0, 0];
  for await (const { status, cache, task: given, predicted_task: guess, prompt, usage } of records) {
    if ((status !== undefined && status !== 200) || cache?.outcome === 'hit') {
      leftOut++;
      continue;
    }
    const named = given !== undefined && known.includes(given) ? given : undefined;
    const task = named ?? guess?.task ?? (prompt === undefined ? undefined : classifier.taskOf(prompt).task);
    if (named === undefined && task !== undefined) predicted++;
    if (task === undefined) unknown++;
    const found = byTask.get(task ?? OTHER_TASK) ?? new RecordedTask();
    byTask.set(task ?? OTHER_TASK, found);
    requests++;
    found.requests++;
    if (usage?.input_tokens == null || usage.output_tokens == null) continue;
    found.tokens.requests++;
    found.tokens.input += usage.input_tokens;
    found.tokens.output += usage.output_tokens;
  }
  if (requests === 0) {
    throw new PlimsollError(
      'insufficient-data',
      `There is no recorded request to count${leftOut > 0 ? `: ${leftOut} were refused or came from the response cache` : ''}. Name another decision log, or give the mix by --share.`,
    );
  }
  const all = [...byTask.values()].reduce((sum, { tokens }) => add(sum, tokens), {
    requests: 0,
    input: 0,
    output: 0,
  });
  if (all.requests === 0) {
    throw new PlimsollError(
      'insufficient-data',
      `None of ${requests} recorded requests says how many tokens it used, as those of /v1/route. Give the mix by --share and --tokens.`,
    );
  }
  const tasks = [...byTask].map(([task, { requests: n, tokens }]) => {
    const { requests: k, input, output } = tokens.requests > 0 ? tokens : all;
    return { task, share: n / requests, inputTokens: input / k, outputTokens: output / k };
  });
  const notes = [
    ...(predicted === 0 ? [] : [`The task of ${predicted} of ${requests} requests is predicted.`]),
    ...(unknown === 0
      ? []
      : [
          `${unknown} of ${requests} requests name no task and have none predicted (tasks: on does): they count as ${OTHER_TASK}.`,
        ]),
    ...(leftOut === 0 ? [] : [`${leftOut} that were refused or came from the response cache are left out.`]),
  ];
  return { from: 'decisions', requests, tasks: sorted(tasks), notes };
}

type TokenSums = RecordedTask['tokens'];

function add(a: TokenSums, b: TokenSums): TokenSums {
  return { requests: a.requests + b.requests, input: a.input + b.input, output: a.output + b.output };
}

/** Undefined unless each is known. */
function knownMean(values: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum / values.length;
}

function groupBy<T>(values: readonly T[], nameOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(nameOf(value));
    if (group === undefined) groups.set(nameOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

function sorted(tasks: readonly TaskShare[]): TaskShare[] {
  return [...tasks].sort((a, b) => b.share - a.share || (a.task < b.task ? -1 : 1));
}

function fault(field: string, message: string): PlimsollError {
  return new PlimsollError('invalid-input', message, { place: { field } });
}
