import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { journalSpend, label } from '../../evals/labelling/index.ts';
import { scratch } from '../dashboard/dashboard-client.ts';
import { gradersOf, labellingWorld } from './labelling-world.ts';

const JUDGE = 'fake/gemini-judge';
const ROWS = Array.from({ length: 4 }, (_, i) => ({ id: `q${i}`, prompt: `Question ${i}?` }));

test('what a run paid, for each candidate and for the judge, is in its journal', async () => {
  const answer = (_text: string, model: string) =>
    model === 'gemini-judge' ? '{"verdict": "A"}' : `I am the ${model} one.`;
  const { options } = await labellingWorld(answer, ROWS, [{ use: [{ type: 'exact' }] }]);
  const graders = gradersOf([{ use: [{ type: 'judge' }] }], { judge: JUDGE });
  const labelled = await label({ ...options, graders });
  const spend = (await journalSpend(options.out))!;
  expect(spend.lostUsd).toBe(0);
  expect(spend.calls.map(({ isOfJudge, model, calls }) => [isOfJudge, model, calls]).toSorted()).toEqual([
    [false, 'fake/large', 4],
    [false, 'fake/small', 4],
    [true, JUDGE, 8],
  ]);
  const total = spend.calls.reduce((sum, { usd }) => sum + usd, 0);
  expect(total).toBeCloseTo(labelled.spentUsd, 12);
  expect(spend.calls.find(({ isOfJudge }) => isOfJudge)!.usd).toBeGreaterThan(0);
});

const reply = (key: string, usd: number) => ({
  kind: 'reply',
  key,
  case: 'q',
  model: 'a/b',
  text: 'x',
  charged_usd: usd,
  latency_ms: 1,
});

test('a call without an end may have been paid for, once for each time that it was asked; half a line is none', async () => {
  const cases = path.join(scratch(), 'cases.jsonl');
  const lines = [
    { kind: 'journal', version: 1 },
    { kind: 'asked', key: 'one', reserved_usd: 0.5 },
    { kind: 'asked', key: 'one', reserved_usd: 0.5 },
    reply('one', 0.25),
    { kind: 'asked', key: 'two', reserved_usd: 2 },
    { kind: 'asked', key: 'three', reserved_usd: 4 },
    { kind: 'failed', key: 'three', case: 'q', model: 'a/b', why: 'no' },
  ];
  writeFileSync(`${cases}.journal`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  appendFileSync(`${cases}.journal`, '{"kind":"rep');
  expect(await journalSpend(cases)).toEqual({
    calls: [{ model: 'a/b', isOfJudge: false, calls: 1, usd: 0.25 }],
    lostUsd: 2.5,
  });
});

test('none, and what is no journal', async () => {
  const cases = path.join(scratch(), 'cases.jsonl');
  expect(await journalSpend(cases)).toBeUndefined();
  writeFileSync(`${cases}.journal`, '{"kind":"journal","version":1}\n{"kind":"paid"}\n{"kind":"paid"}\n');
  await expect(journalSpend(cases)).rejects.toThrow(`${cases}.journal, line 2: this is no line of a journal`);
});
