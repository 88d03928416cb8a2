import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import {
  CAPTURED,
  type GradedRequest,
  gradedRow,
  keepGrades,
  readGraded,
} from '../../router/records/index.ts';
import { openState } from '../../router/state/index.ts';
import { scratch } from '../dashboard/dashboard-client.ts';

const REQUEST = { messages: [{ role: 'user', content: 'Ask ann@example.com what 2 + 2 is.' }] };

function graded(id: string, grader: string, quality: number, captured?: string): GradedRequest {
  const reply = { quality, text: 'Four, says ann@example.com.', costUsd: 0.01, outputTokens: 5 };
  const replies = [
    { ...reply, model: 'first/small' },
    { ...reply, model: 'first/large', quality: 1 },
  ];
  return { id, timeMs: 1_000, grader, captured, request: REQUEST, replies };
}

test('what several people say of one prompt is one labelled case, redacted, encrypted and erased with its people', async () => {
  const folder = scratch();
  const keys = { KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}` };
  const url = path.join(folder, 'state.db');
  const state = await openState({ kind: 'sqlite', url, migrate: 'auto', encryptionKeysEnv: 'KEYS' }, keys);
  const { log } = state;
  await log.append(CAPTURED, [{ id: 'dec_1', timeMs: 1, user: 'u-17', body: '{}' }]);
  await keepGrades(log, graded('play_1', 'key a', 1), undefined);
  await keepGrades(log, graded('play_1', 'key a', 0), undefined); // the last word counts
  await keepGrades(log, graded('play_3', 'key a', 1), undefined);
  await keepGrades(log, { ...graded('play_3', 'key a', 1), replies: [] }, undefined); // withdrawn
  await keepGrades(log, graded('play_1', 'key b', 1), undefined);
  await keepGrades(log, graded('play_2', 'key b', 1, 'dec_1'), { redact: [] });
  const all: GradedRequest[] = [];
  for await (const one of readGraded(log)) all.push(one);
  expect(all.map(({ request, replies }) => [request.messages[0]!.content, replies[0]!.text])).toEqual([
    ...[1, 2].map(() => ['Ask [email 1] what 2 + 2 is.', 'Four, says [email 1].']),
    ['Ask ann@example.com what 2 + 2 is.', 'Four, says ann@example.com.'],
  ]);
  const file = path.join(folder, 'graded.jsonl');
  writeFileSync(file, all.map((one) => `${JSON.stringify(gradedRow(one))}\n`).join(''));
  const { cases } = await loadCases([file]);
  const outcomes = Object.fromEntries(cases.find(({ id }) => id === 'play_1')!.outcomes);
  expect(cases).toHaveLength(2);
  expect(outcomes).toMatchObject({
    'first/small': { quality: 0.5, labelSource: 'human', costUsd: 0.01, outputTokens: 5 },
    'first/large': { quality: 1, labelSource: 'human' },
  });
  expect((await state.status()).textsByKey).toEqual({ k1: 6 });
  expect(await log.erase({ user: 'u-17' })).toBe(2); // the captured request, and what repeats it
  expect(await log.erase({ user: 'key a' })).toBe(4);
  await state.close();
});

test('a list of names that cannot be read is said, and nothing is kept', async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const fields = { redact: ['name'] as const, namesFile: path.join(scratch(), 'none.txt') };
  const keeping = keepGrades(state.log, graded('play_1', 'key a', 0), fields);
  await expect(keeping).rejects.toThrow(/capture\.names_file.*cannot be read/);
  expect(await state.log.read('graded', { afterSeq: 0, limit: 9 })).toEqual([]);
  await state.close();
});
