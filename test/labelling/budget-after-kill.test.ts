import path from 'node:path';
import { expect, test } from 'vitest';
import { ModelCalls } from '../../evals/labelling/ask-model.ts';
import { Budget } from '../../evals/labelling/budget.ts';
import { type Caller, keyOf, type ModelCall, type Tried } from '../../evals/labelling/call-model.ts';
import { Journal } from '../../evals/labelling/journal.ts';
import { createCatalog } from '../../router/catalog/index.ts';
import { configFor, folderForTest } from './labelling-world.ts';

const call = (caseId: string): ModelCall => ({
  model: 'fake/small',
  caseId,
  purpose: 'candidate',
  body: { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 },
});
const REPLY: Tried = { kind: 'reply', reply: { text: 'Hello', cost_usd: 0.01, latency_ms: 1 } };

test('calls that outlive a killed run give back what they reserved before the budget can end', async () => {
  const file = path.join(folderForTest(), 'cases.jsonl.journal');
  const killed = new Journal(file);
  const [known, gone] = [call('underway'), call('gone')];
  killed.asked(keyOf(known), 0.6);
  killed.asked(keyOf(gone), 0.3);
  killed.close();

  const journal = new Journal(file);
  const budget = new Budget(0.5, journal.spentUsd);
  expect(budget.spentUsd).toBeCloseTo(0.9, 12);
  const asked: string[] = [];
  const caller: Caller = {
    call: async ({ caseId }) => {
      asked.push(caseId);
      return REPLY;
    },
    underway: async (key) => (key === keyOf(known) ? known : undefined),
    settled: async () => {},
  };
  const catalog = createCatalog(configFor({ url: 'http://127.0.0.1:1' }));
  const { signal } = new AbortController();
  const calls = new ModelCalls({ catalog, caller, journal, budget, concurrency: 1, signal });
  expect(await calls.collect()).toBe(1);
  expect(budget.spentUsd).toBeCloseTo(0.31, 12);
  expect(await calls.ask(call('next'))).toMatchObject({ kind: 'reply', isNew: true });
  expect(await calls.ask(known)).toMatchObject({ kind: 'reply', isNew: false });
  expect(asked).toEqual(['underway', 'next']);
  journal.close();
});
