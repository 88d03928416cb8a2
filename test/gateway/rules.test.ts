import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decisionRecordSchema } from '../../router/records/decision-record.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw, type RunningGateway } from './running-gateway.ts';

const RULES = [
  { name: 'no-secrets', when: { matches: '(?i)classified' }, refuse: 'Ask the desk of your team.' },
  { name: 'careful', when: { tag: 'careful' }, at_least: 'strong' },
  { name: 'thrifty', when: { tag: 'thrifty' }, at_most: 'cheap' },
  { name: 'named-cheap', when: { task: 'chat' }, use: 'cheap' },
  { name: 'named-strong', when: { task: 'sql' }, use: 'strong' },
  { name: 'elsewhere', when: { header: { 'x-env': 'dev' } }, use: 'second/large' },
  { name: 'profiled', when: { tokens: { at_least: 3_000 } }, profile: 'claude' },
  { name: 'big-only', when: { model: 'first/large', tag: 'intern' }, use: 'cheap' },
];

/** The models that the gateway learned from are those it serves, so that its PASS counts. */
async function running(more: object = {}) {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const gateway = await gatewayForTest({ config: { rules: RULES, decision_log: { file }, ...more } });
  const records = async () => {
    await gateway.close();
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => decisionRecordSchema.parse(JSON.parse(line)));
  };
  return { ...gateway, records };
}

async function answer({ url }: Pick<RunningGateway, 'url'>, text: string, headers = {}, model = 'auto') {
  const response = await postRaw(url, '/v1/chat/completions', ask(text, model), headers);
  const header = (name: string) => response.headers.get(`x-plimsoll-${name}`) ?? undefined;
  return {
    status: response.status,
    served: header('served'),
    reason: header('reason'),
    rule: header('rule'),
    verdict: header('verdict'),
    ungated: header('ungated-reason'),
    body: (await response.json()) as { readonly error?: { readonly message: string } },
  };
}

const tag = (name: string) => ({ 'x-plimsoll-tags': name });
const task = (name: string) => ({ 'x-plimsoll-task': name });

describe('a rule', () => {
  test('that raises keeps the verdict, and says so only if it changed the choice', async () => {
    const gateway = await running();
    const [easy, hard] = [gateway.artifact.easy[0]!, gateway.artifact.hard[0]!];
    const raised = await answer(gateway, easy, tag('careful'));
    expect(raised).toMatchObject({ served: 'first/large', reason: 'rule', rule: 'careful' });
    expect(raised).toMatchObject({ verdict: 'stale', ungated: 'other-models' }); // as without the rule
    const unchanged = await answer(gateway, hard, tag('careful'));
    expect(unchanged).toMatchObject({ served: 'first/large', reason: 'over-threshold', rule: 'careful' });
  });

  test('that lowers has the verdict none; one that did not have to has the verdict of the policy', async () => {
    const gateway = await running();
    const [easy, hard] = [gateway.artifact.easy[0]!, gateway.artifact.hard[0]!];
    const lowered = await answer(gateway, hard, tag('thrifty'));
    expect(lowered).toMatchObject({
      served: 'first/small',
      reason: 'rule',
      verdict: 'none',
      ungated: 'rule',
    });
    const agreed = await answer(gateway, easy, tag('thrifty'));
    expect(agreed).toMatchObject({ served: 'first/small', reason: 'within-threshold', verdict: 'stale' });
    expect(agreed.rule).toBe('thrifty');
  });

  test('that names a rung asks no classifier: PASS on the strongest, none on any other', async () => {
    const gateway = await running();
    const [easy, hard] = [gateway.artifact.easy[0]!, gateway.artifact.hard[0]!];
    const strong = await answer(gateway, easy, task('sql'));
    expect(strong).toMatchObject({ served: 'first/large', reason: 'rule', verdict: 'PASS' });
    expect(strong.ungated).toBeUndefined();
    const cheap = await answer(gateway, hard, task('chat'));
    expect(cheap).toMatchObject({ served: 'first/small', verdict: 'none', ungated: 'rule' });
  });

  test('that names a model outside of the ladder, or a profile', async () => {
    const gateway = await running();
    const elsewhere = await answer(gateway, gateway.artifact.easy[0]!, { 'x-env': 'dev' });
    expect(elsewhere).toMatchObject({ served: 'second/large', reason: 'rule', rule: 'elsewhere' });
    expect(elsewhere).toMatchObject({ verdict: 'none', ungated: 'rule' });
    const profiled = await answer(gateway, 'word '.repeat(4_000));
    expect(profiled.served).toMatch(/^claude\//);
    expect(profiled.rule).toBe('profiled');
  });

  test('that refuses gives a 403 with its sentence, calls nothing, and is recorded and counted', async () => {
    const gateway = await running();
    const refused = await answer(gateway, 'This is CLASSIFIED, please summarise.');
    expect(refused.status).toBe(403);
    expect(refused.body.error?.message).toBe('Ask the desk of your team.');
    expect(gateway.first.requests).toEqual([]);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('plimsoll_refused_by_rule_total{rule="no-secrets"} 1');
    const [record] = await gateway.records();
    expect(record).toMatchObject({ status: 403, reason: 'refused', rule: 'no-secrets' });
  });

  test('sees a request for a model by name only if it speaks of that name', async () => {
    const gateway = await running();
    const obeyed = await answer(gateway, 'Hello', tag('careful'), 'first/small');
    expect(obeyed).toMatchObject({ served: 'first/small', reason: 'explicit-model', rule: undefined });
    const ruled = await answer(gateway, 'Hello', tag('intern'), 'first/large');
    expect(ruled).toMatchObject({ served: 'first/small', reason: 'rule', rule: 'big-only', verdict: 'none' });
  });

  test('that caps the rung caps what is called after a failure too', async () => {
    const gateway = await running();
    gateway.first.failAlways('503');
    const capped = await answer(gateway, 'Hello', tag('thrifty'));
    expect(capped.status).toBe(503);
    const called = gateway.first.requests.map(({ body }) => (body as { readonly model: string }).model);
    expect(new Set(called)).toEqual(new Set(['small']));
  });

  test('is in the record and in the metrics, by its name', async () => {
    const gateway = await running();
    await answer(gateway, gateway.artifact.hard[0]!, tag('thrifty'));
    await answer(gateway, gateway.artifact.hard[0]!);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('plimsoll_rule_decisions_total{rule="thrifty",reason="rule"} 1');
    const [ruled, free] = await gateway.records();
    expect(ruled).toMatchObject({
      rule: 'thrifty',
      reason: 'rule',
      ungated_reason: 'rule',
      tags: ['thrifty'],
    });
    expect(free).not.toHaveProperty('rule');
  });

  test('decides at /v1/route as well, which says which one', async () => {
    const gateway = await running();
    const route = async (body: object) => (await postRaw(gateway.url, '/v1/route', body)).json();
    const hard = gateway.artifact.hard[0]!;
    expect(await route({ prompt: hard, tags: ['thrifty'] })).toMatchObject({
      candidate: 'cheap',
      rule: 'thrifty',
      reason: 'rule',
      verdict: 'none',
      ungated_reason: 'rule',
    });
    expect(await route({ prompt: hard, task: 'sql' })).toMatchObject({ scores: null, verdict: 'PASS' });
    expect(await route({ prompt: 'classified' })).toMatchObject({
      error: { message: 'Ask the desk of your team.', code: 'refused_by_rule' },
    });
    expect(await route({ prompt: hard })).not.toHaveProperty('rule');
  });
});

test('the log names the rules that may lower', async () => {
  const { log } = await running();
  const warning = log.map((line) => JSON.parse(line).msg).find((msg) => /cheaper model/.test(msg));
  expect(warning).toContain('thrifty, named-cheap, elsewhere, big-only');
});

test('a model that a rule names must be in the catalog', async () => {
  const rules = [{ name: 'one', use: 'first/nothing' }];
  await expect(gatewayForTest({ config: { rules } })).rejects.toThrow(
    'rules.0.use: there is no model "first/nothing" in the catalog',
  );
});
