import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type CaseRow, DEFAULT_SHARES, loadCases, questionKey, splitByKey } from '../../evals/cases/index.ts';
import { heldOutCases, runGate, type SelectedLabels, selectLabels } from '../../evals/gate/index.ts';
import { readArtifact } from '../../router/artifact/index.ts';
import { type GateWorld, gateWorld, writeSuite } from './gate-world.ts';

let world: GateWorld;
let folder: string;
let pool: string;
let out: string;
let selected: SelectedLabels;
let rows: Chosen[];

interface Chosen extends CaseRow {
  readonly id: string;
  readonly prompt: string;
}

const N = 500;

const rowsOf = (file: string): Chosen[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  world = await gateWorld();
  folder = mkdtempSync(path.join(world.home, 'select-'));
  // fresh requests, captured with two probabilities; the first twenty share ten groups, and the last ones were learned from
  const fresh = world.cases.map(({ id, text, task }, i) => ({
    id: `new-${id}`,
    prompt: `Something else: ${text}`,
    task,
    sampling_probability: task === 'everyday' ? 0.5 : 1,
    ...(i < 20 && { group: `g${i % 10}` }),
  }));
  const seen = world.cases.slice(0, 100).map(({ id, text }) => ({ id, prompt: text }));
  pool = path.join(folder, 'pool.jsonl');
  writeFileSync(pool, [...fresh, ...seen].map((row) => JSON.stringify(row)).join('\n'));
  out = path.join(folder, 'chosen.jsonl');
  selected = await selectLabels({ artifact: world.artifact, prompts: [pool], out, n: N, margin: 0.08 });
  rows = rowsOf(out);
});

it('chooses from both parts of the split that train will make, and no question is in both', async () => {
  const training = rows.filter((row) => row.label_pool === 'training');
  const sealed = rows.filter((row) => row.label_pool === 'sealed');
  expect(training).toHaveLength(0.6 * N);
  expect(selected.training).toBe(training.length);
  expect(selected.pool + selected.seen).toBe(2_100);
  expect(selected.seen).toBeGreaterThan(30); // the rest of the hundred was sealed before
  const keyOf = ({ prompt }: Chosen) => questionKey(prompt);
  const keys = new Set(training.map(keyOf));
  expect(sealed.filter((row) => keys.has(keyOf(row)))).toEqual([]);
  const { cases } = await loadCases([labelled()], { keepUnlabelled: true });
  const split = splitByKey(cases, DEFAULT_SHARES, readArtifact(world.artifact).manifest.split.seed);
  expect(split.test.map(({ id }) => id).sort()).toEqual(sealed.map(({ id }) => id).sort());
});

it('draws sealed requests with one probability, and asks for labels of those that may stay cheap', () => {
  const { probability } = selected;
  const sealed = rows.filter((row) => row.label_pool === 'sealed');
  for (const row of sealed)
    expect(row.sampling_probability).toBeCloseTo((row.task === 'everyday' ? 0.5 : 1) * probability, 12);
  expect(selected).toMatchObject({ isWeighted: true });
  expect(selected.largestWeight).toBeCloseTo(1 / (0.5 * probability), 9);
  const needed = sealed.filter((row) => row['label_needed'] === true);
  expect(selected.sealed).toEqual({ n: sealed.length, needed: needed.length });
  expect(Math.abs(needed.length - 0.4 * N)).toBeLessThan(60); // each is drawn by itself
  expect(needed.length).toBeLessThan(0.9 * sealed.length);
  // 1 / probability adds up to the traffic of the sealed part: 40 % of 1,000 requests of one task, each of which was one in two, and 1,000 of the other
  const traffic = sealed.reduce((sum, row) => sum + 1 / Number(row.sampling_probability), 0);
  expect(traffic).toBeGreaterThan(0.75 * 0.4 * 3_000);
  expect(traffic).toBeLessThan(1.25 * 0.4 * 3_000);
});

it('of the training part takes half near the threshold and half from all strata', () => {
  const tasks = rows.filter((row) => row.label_pool === 'training').map(({ task }) => task);
  expect(tasks.filter((task) => task === 'everyday').length).toBeGreaterThan(60);
  expect(tasks.filter((task) => task === 'technical').length).toBeGreaterThan(30);
  expect(
    rows.filter((row) => row.label_pool === 'training' && row.sampling_probability !== undefined),
  ).toEqual([]);
});

it('is the same each time, whatever the order of the pool', async () => {
  const again = path.join(folder, 'again.jsonl');
  const turned = path.join(folder, 'turned.jsonl');
  writeFileSync(turned, readFileSync(pool, 'utf8').split('\n').reverse().join('\n'));
  await selectLabels({ artifact: world.artifact, prompts: [turned], out: again, n: N, margin: 0.08 });
  const ids = (all: readonly Chosen[]) => all.map(({ id }) => id).sort();
  expect(ids(rowsOf(again))).toEqual(ids(rows));
});

/** The chosen requests, labelled where they need it: both models are right. */
function labelled(): string {
  const file = path.join(folder, 'labelled.jsonl');
  const outcomes = { 'made-cheap': { quality: 1 }, 'made-strong': { quality: 1 } };
  writeFileSync(
    file,
    rows
      .map((row) => JSON.stringify({ ...row, outcomes: row['label_needed'] === false ? {} : outcomes }))
      .join('\n'),
  );
  return file;
}

it('the gate weights the sealed ones, and leaves those out that were chosen to be learned from', async () => {
  const data = labelled();
  const { cases } = await loadCases([data], { keepUnlabelled: true });
  const { heldOut, notes } = heldOutCases(cases, readArtifact(world.artifact));
  const sealed = rows.filter((row) => row.label_pool === 'sealed');
  expect(heldOut).toHaveLength(sealed.length);
  expect(notes.join()).toMatch(/300 cases were chosen to be learned from \(label --select\)/);
  const suite = writeSuite(world.home, {
    max_quality_loss: 0.08,
    largest_weight: Math.ceil(selected.largestWeight),
    silent_downgrades: undefined,
    slices: [],
    flip_rate: undefined,
    max_ece: undefined,
    beats_random: false,
  });
  const { verdict } = await runGate({ artifact: world.artifact, suite, data: [data] });
  expect(verdict.sealed).toMatchObject({
    n: sealed.length,
    weights: { largest: Math.ceil(selected.largestWeight) },
  });
  expect(verdict.conditions[0]).toMatchObject({ name: 'quality-loss', verdict: 'PASS' });
  expect(verdict.policy.threshold).toBeGreaterThanOrEqual(selected.limit); // above it what is kept counts as lost
});

it('has nothing to choose from where the artifact has seen all', async () => {
  const known = path.join(folder, 'known.jsonl');
  const artifact = readArtifact(world.artifact);
  const unseen = new Set(heldOutCases(world.cases, artifact).heldOut.map(({ id }) => id));
  const seen = world.cases.filter(({ id }) => !unseen.has(id)).slice(0, 20);
  writeFileSync(known, seen.map(({ id, text }) => JSON.stringify({ id, prompt: text })).join('\n'));
  await expect(
    selectLabels({
      artifact: world.artifact,
      prompts: [known],
      out: path.join(folder, 'x.jsonl'),
      n: 10,
      margin: 0.1,
    }),
  ).rejects.toMatchObject({ code: 'insufficient-data' });
});
