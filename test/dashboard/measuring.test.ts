import { expect, test } from 'vitest';
import { verdictSentence } from '../../router/dashboard/reasons.ts';
import { ask, gatewayForTest, PRICED_MODELS } from '../gateway/running-gateway.ts';
import { visit } from './dashboard-client.ts';

const STRONG = { default_policy: 'always-strong', score_always: true, models: PRICED_MODELS, profiles: {} };

async function pageOf(url: string): Promise<string> {
  return (await visit(url)).text();
}

test('a server that sends everything to the strongest model says so, and what routing would show', async () => {
  const { url, openai, gateway } = await gatewayForTest({ config: STRONG });
  const unused = await pageOf(`${url}/dashboard`);
  expect(unused).toContain('This server only measures');
  await openai.chat.completions.create(ask('Hello'));
  await expect.poll(() => gateway.activity.recent().length).toBe(1);
  const home = await pageOf(`${url}/dashboard`);
  for (const words of ['This server only measures', 'Nothing is routed', 'plimsoll -- plan', 'decision_log'])
    expect(home).toContain(words);
  expect(home).not.toMatch(/saved|of quality<\/strong>|random choice with the same shares<\/dt>/);
  expect(home).not.toContain('<code>score_always: true</code>'); // it is on
});

test('with a decision log the command to plan is there; a server that routes says none of it', async () => {
  const { url } = await gatewayForTest({
    config: { ...STRONG, state: { kind: 'memory' }, decision_log: { to: 'state' } },
  });
  expect(await pageOf(`${url}/dashboard`)).toContain('plimsoll -- plan --from state --config routed.yaml');
  const routing = await gatewayForTest({ config: { models: PRICED_MODELS } });
  await routing.openai.chat.completions.create(ask('Hello'));
  expect(await pageOf(`${routing.url}/dashboard`)).not.toContain('only measures');
});

test('a profile that routes: the server does more than measure', async () => {
  const profiles = { routed: { policy: 'default' } };
  const { url } = await gatewayForTest({ config: { ...STRONG, profiles } });
  expect(await pageOf(`${url}/dashboard`)).not.toContain('only measures');
});

test('the page of a request says what its PASS rests on', async () => {
  const { url, openai, gateway } = await gatewayForTest({ config: STRONG });
  await openai.chat.completions.create(ask('Hello'));
  await expect.poll(() => gateway.activity.recent().length).toBe(1);
  const page = await pageOf(`${url}/dashboard/live/${gateway.activity.recent()[0]!.id}`);
  expect(page).toContain('so nothing can be lost');
  expect(page).not.toContain('with this threshold');
});

test.each([
  [{ verdict: 'PASS', policy: 'default', threshold: 0.2 }, 'with this threshold'],
  [{ verdict: 'PASS', policy: 'always-strong', threshold: undefined }, 'The policy always takes'],
  [{ verdict: 'PASS', policy: 'default', threshold: undefined }, 'A rule takes the strongest'],
  [{ verdict: 'stale', policy: 'default', threshold: 0.2 }, 'does not cover'],
  [{ verdict: undefined, policy: 'default', threshold: undefined }, 'nothing is claimed'],
] as const)('%j: %s', ({ policy, ...record }, words) => {
  const whole = { ...record, ungated_reason: undefined, policy: { name: policy, version: 1, sha256: 'x' } };
  expect(verdictSentence(whole)).toContain(words);
});
