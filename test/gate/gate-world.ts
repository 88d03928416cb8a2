import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type Case, questionKey } from '../../evals/cases/index.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { writeArtifact } from '../../router/artifact/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { copyOfMadeOnce } from '../helpers/made-once.ts';

export const CHEAP = 'made-cheap';
export const STRONG = 'made-strong';

/** A trained artifact that deserves a PASS, the cases it was trained on, and a suite. */
export interface GateWorld {
  readonly home: string;
  readonly artifact: string;
  readonly cases: readonly Case[];
  readonly data: string;
  readonly suite: string;
}

/** Words of ten degrees of difficulty. */
const WORDS = [
  'hello thanks weather coffee garden colour',
  'city river bread music window holiday',
  'letter invoice address meeting calendar reminder',
  'summary paragraph translate headline recipe budget',
  'table column formula percentage average chart',
  'function variable loop database query index',
  'equation triangle probability matrix gradient vector',
  'theorem lemma integral manifold operator spectrum',
  'deadlock linearizable consensus quorum replica byzantine',
  'cohomology functor sheaf homotopy galois adjoint',
].map((line) => line.split(' '));

/** Enough for a PASS. */
const CASES = 2000;

/** A model that exists on paper: what it costs, and how often it is right by the degree of difficulty, 0 to 9. */
export interface MadeUpModel {
  readonly name: string;
  readonly costUsd: number;
  right(degree: number): number;
}

/** The cheap model fails the more often the harder the words are; the strong one seldom. */
const PAIR: readonly MadeUpModel[] = [
  { name: CHEAP, costUsd: 0.001, right: (degree) => 0.95 - 0.09 * degree },
  { name: STRONG, costUsd: 0.01, right: () => 0.95 },
];

/** Cases of all degrees with the outcomes of these models. The same each time, and none a copy of another but for its number. */
export function madeUpCases(models: readonly MadeUpModel[], count = CASES): Case[] {
  const random = seededRandom(11);
  const drawn = new Set<string>();
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  return Array.from({ length: count }, (_, i) => {
    const degree = Math.floor(random() * WORDS.length);
    const drawWords = () =>
      Array.from({ length: 7 }, () => pick(WORDS[Math.max(0, degree - (random() < 0.2 ? 1 : 0))]!)).join(' ');
    let words = drawWords();
    while (drawn.has(words)) words = drawWords();
    drawn.add(words);
    const text = `Please explain ${words} number ${i}`;
    return {
      id: `case-${i}`,
      text,
      key: questionKey(text),
      task: degree < 5 ? 'everyday' : 'technical',
      language: 'en',
      outcomes: new Map(
        models.map(({ name, costUsd, right }) => [
          name,
          { quality: random() < right(degree) ? 1 : 0, costUsd },
        ]),
      ),
    };
  });
}

export function writeCaseFile(file: string, cases: readonly Case[]): string {
  const rows = cases.map(({ id, text, task, language, outcomes }) => ({
    id,
    prompt: text,
    task,
    language,
    outcomes: Object.fromEntries(
      [...outcomes].map(([model, { quality, costUsd, latencyMs, reply }]) => [
        model,
        {
          quality,
          cost_usd: costUsd,
          latency_ms: latencyMs,
          answer: reply?.text,
          confidence_logprob: reply?.confidenceLogprob,
        },
      ]),
    ),
  }));
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

const SUITE = {
  name: 'made',
  max_quality_loss: 0.08,
  escalation_rate: { min: 0.2, max: 0.9 },
  silent_downgrades: { max_rate: 0.25 },
  max_ece: 0.25,
  slices: [
    { name: 'everyday', where: { task: 'everyday' }, max_quality_loss: 0.2 },
    { name: 'technical', where: { task: ['technical'] }, max_quality_loss: 0.2 },
  ],
  flip_rate: { max: 0.3 },
  valid_for_days: 30,
};

let cached: Promise<GateWorld> | undefined;

/** One for each process, gone when it ends. Copy what you damage. */
export function gateWorld(): Promise<GateWorld> {
  cached ??= makeWorld(CASES);
  return cached;
}

/** One of so many cases. */
export async function makeWorld(count: number): Promise<GateWorld> {
  const home = path.join(scratch(), `world-${count}`);
  mkdirSync(home);
  const cases = madeUpCases(PAIR, count);
  const artifact = path.join(home, 'models', 'made');
  const options = {
    name: 'made',
    created: new Date('2025-01-01T00:00:00.000Z'),
    ladder: [CHEAP, STRONG],
    rule: { rule: 'max-quality-loss', target: 0.05, confidence: 0.95 },
    folds: 2,
    learner: 'lr', // the others take longer to learn, and the gate sees scores alone
  } as const;
  await copyOfMadeOnce(`world-${count}`, artifact, async (folder) =>
    writeArtifact(folder, await train({ cases }, options)),
  );
  const data = writeCaseFile(path.join(home, 'cases.jsonl'), cases);
  const suite = writeSuite(home);
  return { home, artifact, cases, data, suite };
}

/** The suite with some fields in place of others. */
export function writeSuite(folder: string, changes: object = {}): string {
  const file = path.join(folder, `suite-${suites++}.yaml`);
  writeFileSync(file, stringify({ ...SUITE, ...changes }));
  return file;
}

let suites = 0;

let scratchFolder: string | undefined;

export function scratch(): string {
  if (scratchFolder !== undefined) return scratchFolder;
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-gate-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  scratchFolder = folder;
  return folder;
}

/** A copy of an artifact in a store of its own. */
export function copyOf(artifact: string): string {
  const store = mkdtempSync(path.join(scratch(), 'store-'));
  const folder = path.join(store, path.basename(artifact));
  cpSync(artifact, folder, { recursive: true });
  return folder;
}
