import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { seededRandom } from '../../router/statistics/index.ts';

/** The models of the made-up data, cheapest first. */
export const SMALL = 'made-small';
export const MEDIUM = 'made-medium';
export const LARGE = 'made-large';

interface MadeUpOutcome {
  readonly quality: number;
  readonly cost_usd: number;
  readonly answer?: string;
  readonly confidence_logprob?: number | null;
  readonly signals?: { readonly finish_reason: string };
}

/** A row of a cases file. */
export interface MadeUpRow {
  readonly id: string;
  readonly task: string;
  readonly prompt: string;
  readonly outcomes: Readonly<Record<string, MadeUpOutcome>>;
}

const COST_USD = { [SMALL]: 0.0001, [MEDIUM]: 0.001, [LARGE]: 0.01 };

const PLACES = ['France', 'Japan', 'Peru', 'Kenya', 'Norway', 'Canada', 'Egypt', 'India', 'Chile', 'Spain'];
const EASY = [
  'What is the capital of',
  'Say hello to a friend from',
  'Name a river in',
  'Which colours has the flag of',
  'What language is spoken in',
  'Name a dish from',
  'Is it warm in summer in',
  'On which continent lies',
];
const HARD = [
  'Prove that the eigenvalues of a Hermitian operator are real, with an example from',
  'Derive the asymptotic variance of the maximum likelihood estimator for incomes in',
  'Implement a lock-free concurrent queue in C++ for the railway timetable of',
  'Find the worst-case complexity of T(n) = 3T(n/4) + n log n over the road network of',
  'Debug a deadlock in the two-phase commit of a bank in',
  'Design a consensus protocol with 3f + 1 replicas for the land register of',
  'Derive the Euler-Lagrange equations of a pendulum clock on a ship from',
];
const MANNERS = ['', ' Answer briefly.'];

/** 300 rows: the small model fails at most hard ones, the medium one at some, the large one seldom. The same each time. */
export function madeUpRows(): MadeUpRow[] {
  const kinds = [
    ...EASY.map((ask) => [ask, 'everyday'] as const),
    ...HARD.map((ask) => [ask, 'technical'] as const),
  ];
  const prompts = kinds.flatMap(([ask, task]) =>
    PLACES.flatMap((place) => MANNERS.map((manner) => ({ task, prompt: `${ask} ${place}?${manner}` }))),
  );
  return prompts.map(({ task, prompt }, i) => {
    const luck = (i * 7919) % 101;
    const hard = task === 'technical';
    return row(i, task, prompt, {
      [SMALL]: luck < (hard ? 20 : 85) ? 1 : 0,
      [MEDIUM]: luck < (hard ? 55 : 93) ? 1 : 0,
      [LARGE]: luck < (hard ? 90 : 97) ? 1 : 0,
    });
  });
}

function row(i: number, task: string, prompt: string, quality: Readonly<Record<string, number>>): MadeUpRow {
  const outcomes = Object.entries(quality).map(
    ([model, q]) => [model, { quality: q, cost_usd: COST_USD[model as keyof typeof COST_USD] }] as const,
  );
  return { id: `row-${i}`, task, prompt, outcomes: Object.fromEntries(outcomes) };
}

const SYLLABLES = ['ba', 'ke', 'lo', 'mi', 'nu', 'ra', 'se', 'to', 'vi', 'zu'];

/** Other than a number it makes one question no copy of another. Each number below 10,000 has its own. */
function townName(i: number): string {
  const name = Array.from({ length: 4 }, (_, place) => SYLLABLES[Math.floor(i / 10 ** place) % 10]).join('');
  return `${name[0]!.toUpperCase()}${name.slice(1)}`;
}

/** The made-up questions about so many towns, each with outcomes drawn anew. */
export function moreRows(from: number, count: number): MadeUpRow[] {
  const base = madeUpRows();
  const random = seededRandom(from + 1);
  return Array.from({ length: count }, (_, i) => {
    const { task, prompt } = base[((from + i) * 7) % base.length]!;
    const drawn = (easy: number, hard: number) => (random() < (task === 'everyday' ? easy : hard) ? 1 : 0);
    return {
      id: `row-${from + i}`,
      task,
      prompt: `${prompt} It is about ${townName(from + i)}.`,
      outcomes: {
        [SMALL]: { quality: drawn(0.92, 0.15), cost_usd: 0.0001 },
        [LARGE]: { quality: drawn(0.95, 0.92), cost_usd: 0.01 },
      },
    };
  });
}

/** The same prompts with labels that have nothing to do with them; the large model is better on the whole. */
export function rowsWithoutSignal(): MadeUpRow[] {
  return madeUpRows().map((one, i) => ({
    ...one,
    outcomes: {
      [SMALL]: { quality: scattered(i) < 0.4 ? 1 : 0, cost_usd: 0.0001 },
      [LARGE]: { quality: scattered(i + 5000) < 0.8 ? 1 : 0, cost_usd: 0.01 },
    },
  }));
}

/** The made-up rows with replies of the small model, which is mostly less certain where it is wrong, and says nothing in one row of ten. */
export function rowsWithReplies(): MadeUpRow[] {
  return madeUpRows().map((one, i) => {
    const { [SMALL]: small, ...others } = one.outcomes;
    const doubt = scattered(i) + (small!.quality === 1 ? 0 : 0.6);
    const reply = {
      answer: i % 3 === 0 ? 'I think it is the first of the two.' : 'The first of the two.',
      confidence_logprob: i % 10 === 0 ? null : -doubt,
      signals: { finish_reason: 'stop' },
    };
    return { ...one, outcomes: { [SMALL]: { ...small!, ...reply }, ...others } };
  });
}

/** A fixed pseudo-random number in [0, 1). */
function scattered(i: number): number {
  const x = Math.sin(i * 12.9898 + 78.233) * 43758.5453;
  return x - Math.floor(x);
}

export function jsonLines(rows: readonly object[]): string {
  return `${rows.map((one) => JSON.stringify(one)).join('\n')}\n`;
}

/** Writes the rows as .jsonl, .jsonl.gz or .csv (wide, or long with one line for each prompt and model), by the name. */
export function writeRows(folder: string, name: string, rows: readonly MadeUpRow[]): string {
  const file = path.join(folder, name);
  if (name.endsWith('.gz')) writeFileSync(file, gzipSync(jsonLines(rows)));
  else if (name.endsWith('long.csv')) writeFileSync(file, longCsv(rows));
  else if (name.endsWith('.csv')) writeFileSync(file, wideCsv(rows));
  else writeFileSync(file, jsonLines(rows));
  return file;
}

function wideCsv(rows: readonly MadeUpRow[]): string {
  const models = Object.keys(rows[0]!.outcomes);
  const header = ['id', 'prompt', ...models.map((model) => `${model}.quality`)];
  const lines = rows.map(({ id, prompt, outcomes }) => [
    id,
    quoted(prompt),
    ...models.map((model) => outcomes[model]!.quality),
  ]);
  return [header, ...lines].map((cells) => `${cells.join(',')}\n`).join('');
}

function longCsv(rows: readonly MadeUpRow[]): string {
  const lines = rows.flatMap(({ id, prompt, outcomes }) =>
    Object.entries(outcomes).map(([model, { quality }]) => [id, quoted(prompt), model, quality]),
  );
  return [['id', 'prompt', 'model', 'quality'], ...lines].map((cells) => `${cells.join(',')}\n`).join('');
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
