import path from 'node:path';
import type { z } from 'zod';
import { readRecords } from '../../../evals/cases/index.ts';
import { type priorsSchema, routedAt, tasksOnLadder, thresholdAtRate } from '../../../evals/design/index.ts';
import { measureRanking } from '../../../evals/gate/index.ts';
import { predictedLosses } from '../../../evals/threshold/index.ts';
import { isObject, objectIn, textIn } from '../../../router/json/index.ts';
import { mean, routingCurve } from '../../../router/statistics/index.ts';
import type { TaskLabel } from '../../../router/tasks/index.ts';
import type { ScoredSet } from './scored-set.ts';

type PriorsFile = z.output<typeof priorsSchema>;

/** A set whose licence permits that aggregates of it ship, and which task each of its parts is. Parts that are left out are no task of production. */
interface PriorSet {
  readonly set: string;
  readonly tasks: Readonly<Record<string, TaskLabel>>;
  /** Parts that are one data set, such as the subjects of MMLU. */
  readonly partOf?: string;
}

/** Apache-2.0 (MMLU-Pro, ZeroEval, RouteLLM) and MIT (LLMRouter). Questions of knowledge, with options or without, are `chat`: there is nothing to work on. */
export const PRIOR_SETS: readonly PriorSet[] = [
  { set: 'mmlu_pro', tasks: { 'mmlu_pro/': 'chat', 'mmlu_pro/math': 'maths' }, partOf: 'mmlu_pro' },
  {
    set: 'zeroeval',
    tasks: { gsm8k: 'maths', 'math-l5': 'maths', crux: 'code-review', 'numersense-v2': 'chat' },
  },
  { set: 'routellm_mmlu', tasks: { 'mmlu/': 'chat' }, partOf: 'mmlu' },
  { set: 'routellm_gsm8k', tasks: { gsm8k: 'maths' } },
  {
    set: 'llmrouter',
    tasks: {
      gsm8k: 'maths',
      math: 'maths',
      'agentverse-mgsm': 'maths',
      mbpp: 'code-writing',
      human_eval: 'code-writing',
      natural_qa: 'chat',
      trivia_qa: 'chat',
      mmlu: 'chat',
      gpqa: 'chat',
      arc_challenge: 'chat',
      openbook_qa: 'chat',
      commonsense_qa: 'chat',
      commongen: 'other',
      'agentverse-logicgrid': 'other',
    },
  },
];

/** They fail mostly by the form of their replies: no measure of what they know. */
const LEFT_OUT = /chatqa|codegemma/;
const FEWEST = 50;

/** Qualities of a set by model, task and part. */
export async function qualitiesOf(
  folder: string,
  { set, tasks, partOf }: PriorSet,
): Promise<PriorsFile['qualities']> {
  const sums = new Map<
    string,
    { model: string; task: TaskLabel; source: string; total: number; n: number }
  >();
  for await (const { fields } of readRecords(path.join(folder, `${set}.jsonl.gz`))) {
    const row = fields();
    const part = textIn(row, 'task') ?? '';
    const task = taskOf(tasks, part);
    const outcomes = objectIn(row, 'outcomes');
    if (task === undefined || outcomes === undefined) continue;
    for (const [name, outcome] of Object.entries(outcomes)) {
      const quality = isObject(outcome) ? outcome['quality'] : undefined;
      if (typeof quality !== 'number' || LEFT_OUT.test(name)) continue;
      const model = canonicalName(name);
      const source = `${set}/${partOf ?? part}`;
      const key = JSON.stringify([model, task, source]);
      const sum = sums.get(key) ?? { model, task, source, total: 0, n: 0 };
      sums.set(key, sum);
      sum.total += quality;
      sum.n++;
    }
  }
  return [...sums.values()]
    .filter(({ n }) => n >= FEWEST)
    .map(({ model, task, source, total, n }) => ({
      model,
      task,
      source,
      quality: Number((total / n).toFixed(4)),
      n,
    }))
    .sort((a, b) => compare(a.source, b.source) || compare(a.task, b.task) || compare(a.model, b.model));
}

/** The part itself, else the longest beginning of it that the table has. */
function taskOf(tasks: PriorSet['tasks'], part: string): TaskLabel | undefined {
  const beginnings = Object.keys(tasks).filter(
    (one) => one === part || (one.endsWith('/') && part.startsWith(one)),
  );
  const longest = beginnings.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : tasks[longest];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * One name for a model that sets call by several: lower case, no host, `llama-3.1-70b-instruct`. A version by date is the plain name for the
 * newest that was measured.
 */
function canonicalName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/@.*$/, '')
    .replace(/^meta-/, '');
  return PLAIN_NAMES[plain] ?? plain;
}

const PLAIN_NAMES: Readonly<Record<string, string>> = {
  'gpt-4o-mini-2024-07-18': 'gpt-4o-mini',
  'gpt-4o-2024-08-06': 'gpt-4o',
  'gpt-3.5-turbo-0125': 'gpt-3.5-turbo',
  'gpt-4-turbo-2024-04-09': 'gpt-4-turbo',
  'o1-mini-2024-09-12': 'o1-mini',
  'o1-preview-2024-09-12': 'o1-preview',
  'claude-3-5-sonnet-20241022': 'claude-3-5-sonnet',
  'claude-3-5-haiku-20241022': 'claude-3-5-haiku',
  'claude-3-haiku-20240307': 'claude-3-haiku',
  'claude-3-opus-20240229': 'claude-3-opus',
  'claude-3-sonnet-20240229': 'claude-3-sonnet',
  'gemini-1.5-flash-002': 'gemini-1.5-flash',
  'gemini-1.5-pro-002': 'gemini-1.5-pro',
  'llama-3.1-405b-inst': 'llama-3.1-405b-instruct',
  'llama-3.1-405b-inst-fp8': 'llama-3.1-405b-instruct',
  'llama-3.1-405b-instruct-turbo': 'llama-3.1-405b-instruct',
};

/** Pairs with a smaller gap in a part say nothing of ranking: APGR divides by it. */
const LEAST_GAP = 0.08;
const FEWEST_RANKED = 150;

/** How cross-validated routers ranked within each part of a set, for each pair of its models. */
export function rankingsOf(
  { set, models, cases, quality, probabilities }: ScoredSet,
  partOf?: string,
): PriorsFile['rankings'] {
  const parts = new Map<string, number[]>();
  for (const [row, { task = '' }] of cases.entries()) {
    const part = partOf ?? task;
    const rows = parts.get(part);
    if (rows === undefined) parts.set(part, [row]);
    else rows.push(row);
  }
  const found: PriorsFile['rankings'] = [];
  for (const [part, rows] of parts) {
    if (rows.length < FEWEST_RANKED) continue;
    for (const [c, cheap] of models.entries()) {
      for (const [s, strong] of models.entries()) {
        const [cheapQuality, strongQuality] = [c, s].map((model) =>
          Float64Array.from(rows, (row) => quality[model]![row]!),
        ) as [Float64Array, Float64Array];
        const gap = mean(strongQuality) - mean(cheapQuality);
        if (gap < LEAST_GAP || LEFT_OUT.test(cheap) || LEFT_OUT.test(strong)) continue;
        const scores = predictedLosses(
          [c, s].map((model) => Float64Array.from(rows, (row) => probabilities[model]![row]!)),
        );
        const unknown = { length: rows.length };
        const { apgr } = measureRanking(scores, {
          cheapQuality,
          strongQuality,
          cheapCostUsd: unknown,
          strongCostUsd: unknown,
        });
        const gains = mean(cheapQuality.map((one, i) => Math.max(0, one - strongQuality[i]!)));
        const discordant = mean(strongQuality.map((one, i) => (one - cheapQuality[i]!) ** 2));
        const independent = mean(cheapQuality) * (1 - mean(strongQuality));
        if (apgr === undefined || independent === 0) continue;
        found.push({
          source: `${set}/${part}`,
          cheap: canonicalName(cheap),
          strong: canonicalName(strong),
          n: rows.length,
          gap: round(gap),
          discordant: round(discordant),
          apgr: round(apgr),
          agreement: round(gains / independent),
        });
      }
    }
  }
  return found;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

/** Gaps over a whole set that are smaller say nothing. */
const LEAST_WHOLE_GAP = 0.04;
/** Shares of escalations at which curves are compared, and steps of the fit. */
const COMPARED_AT = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const STEPS = 40;

/** For each pair of a set with parts: the share of unrecognised requests that explains best how the router ranked over all of them. @param delta within a part */
export function recognitionOf(
  { set, models, cases, quality, probabilities }: ScoredSet,
  delta: number,
): PriorsFile['recognition'] {
  const parts = new Map<string, number[]>();
  for (const [row, { task = '' }] of cases.entries()) {
    const rows = parts.get(task);
    if (rows === undefined) parts.set(task, [row]);
    else rows.push(row);
  }
  const shares = [...parts.values()].map((rows) => rows.length / cases.length);
  if (parts.size < 2) return [];
  const found: PriorsFile['recognition'] = [];
  for (const [c, cheap] of models.entries()) {
    for (const [s, strong] of models.entries()) {
      const [cheapQuality, strongQuality] = [quality[c]!, quality[s]!];
      const gap = mean(strongQuality) - mean(cheapQuality);
      if (gap < LEAST_WHOLE_GAP) continue;
      const scores = predictedLosses([probabilities[c]!, probabilities[s]!]);
      const curve = routingCurve(scores, cheapQuality, strongQuality);
      const measured = COMPARED_AT.map((rate) => curve.meanQuality[Math.round(rate * cases.length)]!);
      const world = {
        quality: [...parts.values()].map((rows) =>
          [cheapQuality, strongQuality].map((column) => mean(rows.map((row) => column[row]!))),
        ),
      };
      const mix = { shares, costUsd: shares.map(() => [0, 1]) };
      const errorAt = (unrecognised: number) => {
        const tasks = tasksOnLadder(mix, { ...world, unrecognised }, [0, 1]);
        return COMPARED_AT.reduce((sum, rate, i) => {
          const expected = routedAt(tasks, delta, thresholdAtRate(tasks, delta, rate)).quality;
          return sum + (expected - measured[i]!) ** 2;
        }, 0);
      };
      let best = 0;
      for (let step = 1; step <= STEPS; step++) {
        if (errorAt(step / STEPS) < errorAt(best)) best = step / STEPS;
      }
      found.push({
        source: `${set}/`,
        cheap: canonicalName(cheap),
        strong: canonicalName(strong),
        n: cases.length,
        tasks: parts.size,
        gap: round(gap),
        unrecognised: best,
      });
    }
  }
  return found;
}
