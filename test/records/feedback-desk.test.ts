import { expect, test } from 'vitest';
import { FEEDBACK } from '../../router/records/feedback.ts';
import { openFeedbackDesk } from '../../router/records/index.ts';
import { DECISIONS, openState, type State } from '../../router/state/index.ts';

async function deskOn(state: State) {
  const desk = openFeedbackDesk({ options: { tokens: true, tokenTtlMs: 60_000 }, ...state });
  const token = async (decisionId: string) => {
    await expect.poll(() => desk.token({ decisionId, keyId: 'k' })).toBeDefined();
    return desk.token({ decisionId, keyId: 'k' });
  };
  return { ...desk, token };
}

const memory = () => openState({ kind: 'memory', migrate: 'auto' });
const decision = { id: 'dec_1', timeMs: 1, keyId: 'k', user: 'ann', session: 's1', body: '{}' };

test.each([
  ['user', { user: 'ann' }],
  ['session', { session: 's1' }],
])('a desk that does not remember the decision gives feedback its %s', async (_, subject) => {
  const state = await memory();
  await state.log.append(DECISIONS, [decision]);
  const desk = await deskOn(state);
  await desk.give({ decisionId: 'dec_1', comment: 'By key.' }, 'k');
  await desk.give({ token: await desk.token('dec_1'), score: 1 }, undefined);
  expect(await state.log.erase(subject)).toBe(3);
  expect(await state.log.sizes()).toEqual([]);
});

test('feedback keeps its user when the decision is pruned', async () => {
  const state = await memory();
  await state.log.append(DECISIONS, [decision]);
  const desk = await deskOn(state);
  await desk.give({ decisionId: 'dec_1', comment: 'By key.' }, 'k');
  await state.log.prune(DECISIONS, { beforeMs: 2 });
  expect(await state.log.erase({ user: 'ann' })).toBe(1);
});

test('feedback by a token on a decision that is kept nowhere is taken, and about nobody', async () => {
  const state = await memory();
  const desk = await deskOn(state);
  const given = { token: await desk.token('dec_1'), comment: 'By token.' };
  expect(await desk.give(given, undefined)).toEqual({ decisionId: 'dec_1', recorded: ['comment'] });
  await expect(desk.give({ decisionId: 'dec_1', score: 1 }, 'k')).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(await state.log.erase({ user: 'ann' })).toBe(0);
  expect(await state.log.get(FEEDBACK, 'dec_1:comment')).toMatchObject({ text: 'By token.' });
});

test('scores are counted once each, by what routing chose', async () => {
  const state = await memory();
  const desk = await deskOn(state);
  const decided = {
    policy: { name: 'p', version: 1, sha256: '' },
    verdict: 'PASS',
    ungatedReason: null,
  } as const;
  const served = (id: string, escalated: boolean, predictedLoss: number | null = 0.1) =>
    desk.remember({
      id,
      keyId: 'k',
      user: undefined,
      session: undefined,
      decision: { ...decided, scores: null, threshold: 0.2, escalated, predictedLoss },
    });
  served('kept-1', false);
  served('kept-2', false);
  served('up', true);
  served('unscored', true, null);
  for (const [decisionId, score] of Object.entries({ 'kept-1': 1, 'kept-2': 0, up: 0.8, unscored: 1 }))
    await desk.give({ decisionId, score }, 'k');
  await desk.give({ decisionId: 'kept-1', score: 0 }, 'k'); // changes nothing
  served('twice', true);
  await Promise.all([0.2, 0.2].map((score) => desk.give({ decisionId: 'twice', score }, 'k'))); // of two at once one is the first
  await desk.give({ decisionId: 'up', comment: 'Fine.' }, 'k');
  expect(desk.scores()).toEqual([
    { chosen: 'kept', n: 2, sum: 1 },
    { chosen: 'escalated', n: 2, sum: 1 },
  ]);
  expect(desk.counts()).toContainEqual({ kind: 'score', outcome: 'recorded', count: 5 });
});
