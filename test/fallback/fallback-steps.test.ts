import { expect, it } from 'vitest';
import { CHEAP, callWith, model, STRONG, scriptedChain } from './fallback-script.ts';

const LATER = Number.MAX_SAFE_INTEGER;
const settings = { max_fallback_price_factor: 9.9, retry: { max_retries: 0 } };

it('an escalation goes to a candidate above the price ceiling, a fallback does not', async () => {
  for (const [first, kind, outcome] of [
    ['answer', 'escalation', 'answer'],
    ['auth', 'fallback', 'skipped-price'],
  ] as const) {
    const script = { 'near/small': [{ what: first }], 'far/large': [{ what: 'answer' as const }] };
    const run = scriptedChain(script, { settings }).chain.start();
    await run.call(callWith(), [CHEAP], LATER, 'first');
    const result = await run.call(callWith(), [STRONG], LATER, kind);
    expect(result.attempts).toMatchObject([
      { model: 'near/small', kind: 'first' },
      { model: 'far/large', kind, outcome },
    ]);
  }
});

it('what failed in an earlier step still rules out what cannot do better, unless it escalates', async () => {
  const sibling = model('near/large', { outputUsd: 5 });
  const script = {
    'near/small': [{ what: 'content-filter' as const }],
    'near/large': [{ what: 'answer' as const }],
  };
  const fallback = scriptedChain(script).chain.start();
  await fallback.call(callWith(), [CHEAP], LATER, 'first');
  expect(await fallback.call(callWith(), [sibling], LATER, 'fallback')).toMatchObject({
    kind: 'failure',
    failure: { reason: 'content-filter' },
  });
  const escalation = scriptedChain(script).chain.start();
  await escalation.call(callWith(), [CHEAP], LATER, 'first');
  expect(await escalation.call(callWith(), [sibling], LATER, 'escalation')).toMatchObject({ kind: 'reply' });
});

it('a refusal of the request itself is final, and no other failure is', async () => {
  for (const [what, final] of [
    ['bad-request', true],
    ['server-error', undefined],
    ['context-window', undefined],
  ] as const) {
    const run = scriptedChain({ 'near/small': [{ what }] }, { settings }).chain.start();
    const result = await run.call(callWith(), [CHEAP], LATER, 'first');
    expect(result.kind === 'failure' && result.final).toBe(final);
  }
});

it('the end of a step is no deadline of the next', async () => {
  const script = {
    'near/small': [{ what: 'answer' as const, takesMs: 500 }],
    'far/large': [{ what: 'answer' as const }],
  };
  const { chain, clock } = scriptedChain(script);
  const run = chain.start();
  const early = await run.call(callWith(), [CHEAP], clock.now() + 100, 'first');
  expect(early).toMatchObject({ kind: 'failure', failure: { reason: 'deadline' } });
  const late = await run.call(callWith(), [STRONG], clock.now() + 10_000, 'escalation');
  expect(late).toMatchObject({ kind: 'reply', model: STRONG });
  expect(late.attempts).toMatchObject([{ outcome: 'timeout' }, { kind: 'escalation', outcome: 'answer' }]);
});
