import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ruledCases } from '../../evals/decisions/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { readRules } from '../../router/configured-rules.ts';
import { scratchFolder } from '../server/hot-serving.ts';

test('cases say what rules see of sessions, budgets, languages and tasks', async () => {
  const config = configSchema.parse({
    tasks: 'on',
    limits: [{ name: 'month', windows: [{ month: '100 usd' }] }],
    rules: [
      { name: 'dear', when: { budget_used: { limit: 'month', at_least: 0.9 } }, at_most: 'cheapest' },
      { name: 'long', when: { session_age: { turns: { at_least: 5 } } }, at_least: 'strongest' },
      { name: 'german', when: { language: 'de' }, use: 'strongest' },
      { name: 'translations', when: { task: 'translation' }, use: 'cheapest' },
    ],
  });
  const plain = 'Please tell me which mountain is the highest one in the whole of Europe.';
  const rows = [
    { id: 'dear', prompt: plain, budgets_used: { month: 0.95 } },
    { id: 'not dear', prompt: plain, budgets_used: { other: 1 }, session_turns: 4 },
    { id: 'long', prompt: plain, session_turns: 5 },
    { id: 'german', prompt: 'Welcher Berg ist der höchste in ganz Europa, und wie hoch ist er genau?' },
    { id: 'translations', prompt: 'Translate "the train is late" into Spanish.' },
    { id: 'said', prompt: plain, task: 'translation' },
  ];
  const file = path.join(scratchFolder(), 'cases.jsonl');
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const { rules } = await readRules(config, 0);
  const fired: Record<string, string | undefined> = {};
  for await (const { id, rule } of ruledCases([file], rules, 0)) fired[id] = rule?.name;
  expect(fired).toEqual({
    dear: 'dear',
    'not dear': undefined,
    long: 'long',
    german: 'german',
    translations: 'translations',
    said: 'translations',
  });
});
