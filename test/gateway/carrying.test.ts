import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-carrying-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A demand that Claude's API cannot carry, and a hint. */
const DEMAND = { logprobs: true };
const HINT = { seed: 7 };

async function asked(url: string, body: object, route = '/v1/chat/completions') {
  const response = await postRaw(url, route, body);
  const header = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    body: await response.json(),
    selected: header('selected'),
    served: header('served'),
    reason: header('reason'),
    verdict: header('verdict'),
    attempts: header('attempts'),
    dropped: header('dropped'),
  };
}

test('a demand that the cheap rung cannot carry moves up, the same for easy and hard', async () => {
  const ladder = { cheap: 'claude/small', strong: 'second/large' };
  const { url, artifact, first, second } = await gatewayForTest({ config: { ladder } });
  const easy = await asked(url, { ...ask(artifact.easy[0]!), ...DEMAND });
  expect(easy).toMatchObject({
    status: 200,
    selected: 'second/large',
    served: 'second/large',
    reason: 'requirements',
    attempts: '1',
    dropped: null,
  });
  const hard = await asked(url, { ...ask(artifact.hard[0]!), ...DEMAND });
  expect(hard).toMatchObject({ status: 200, served: 'second/large', attempts: '1' });
  expect(hard.verdict).toBe(easy.verdict);
  expect(easy.verdict).not.toBe('none');
  expect(first.requests).toEqual([]);
  expect(second.requests).toHaveLength(2);
});

test('down only with allow_downgrade, and without a verdict; else a 400 that names the field', async () => {
  const ladder = { cheap: 'first/small', strong: 'claude2/large' };
  const closed = await gatewayForTest({ config: { ladder } });
  const { artifact } = closed;
  expect(await asked(closed.url, { ...ask(artifact.easy[0]!), ...DEMAND })).toMatchObject({
    status: 200,
    served: 'first/small',
    reason: 'within-threshold',
  });
  expect(await asked(closed.url, { ...ask(artifact.hard[0]!), ...DEMAND })).toMatchObject({
    status: 400,
    body: { error: { code: 'unmappable_field', param: 'logprobs' } },
    attempts: '0',
  });
  const open = await gatewayForTest({ config: { ladder, upstream: { allow_downgrade: true } } });
  expect(await asked(open.url, { ...ask(open.artifact.hard[0]!), ...DEMAND })).toMatchObject({
    status: 200,
    served: 'first/small',
    reason: 'requirements',
    verdict: 'none',
  });
});

test('a demand that no candidate can carry: the error is about the one that was chosen', async () => {
  const ladder = { cheap: 'claude/small', strong: 'claude2/large' };
  const { url, artifact } = await gatewayForTest({ config: { ladder } });
  for (const [prompt, chosen] of [
    [artifact.easy[0]!, 'claude/small'],
    [artifact.hard[0]!, 'claude2/large'],
  ] as const) {
    const { status, selected, attempts, body } = await asked(url, { ...ask(prompt), ...DEMAND });
    expect([status, selected, attempts]).toEqual([400, chosen, '0']);
    expect((body as { error: { message: string } }).error.message).toBe(
      `This request cannot go to ${chosen}, which was chosen for it. logprobs: only false is supported by the chosen model's provider. Change or remove it, or name a model that takes it, as <provider>/<model>.`,
    );
  }
});

test('hints move nobody; they are named in the header and in the decision log', async () => {
  const file = path.join(scratch, 'decisions.jsonl');
  const ladder = { cheap: 'claude/small', strong: 'second/large' };
  const running = await gatewayForTest({ config: { ladder, decision_log: { file } } });
  const { url, artifact, first } = running;
  const easy = await asked(url, { ...ask(artifact.easy[0]!), ...HINT, user: 'u', store: true });
  expect(easy).toMatchObject({ status: 200, served: 'claude/small', dropped: 'store, seed' });
  expect(first.requests[0]!.body).not.toHaveProperty('seed');
  const native = await asked(url, { ...ask(artifact.hard[0]!), ...HINT });
  expect(native).toMatchObject({ served: 'second/large', dropped: null });
  await running.close();
  const records = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records[0]).toMatchObject({ dropped: ['store', 'seed'] });
  expect(records[1]).not.toHaveProperty('dropped');
});

test('refuse refuses a hint, and then the request goes to the rung that takes it', async () => {
  const ladder = { cheap: 'claude/small', strong: 'second/large' };
  const config = { ladder, upstream: { unmappable: 'refuse' as const } };
  const { url, artifact } = await gatewayForTest({ config });
  expect(await asked(url, { ...ask(artifact.easy[0]!), ...HINT })).toMatchObject({
    status: 200,
    served: 'second/large',
    reason: 'requirements',
  });
  const named = await asked(url, { ...ask(artifact.easy[0]!, 'claude/small'), ...HINT });
  expect(named).toMatchObject({ status: 400, body: { error: { param: 'seed' } } });
});

test('the refusal of a later system message has the words by which Claude Code goes on without', async () => {
  const { url } = await gatewayForTest({ config: { upstream: { unmappable: 'refuse' } } });
  const messages = [
    { role: 'user', content: 'Hello' },
    { role: 'system', content: 'Be brief.' },
  ];
  const refused = await asked(url, { model: 'first/large', max_tokens: 9, messages }, '/v1/messages');
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toMatch(/role 'system'.*not supported/);
});
