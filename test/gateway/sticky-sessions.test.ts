import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { choose } from '../../router/policy/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import {
  afterChoice,
  afterReply,
  standingOf,
  switchCost,
  type ThreadState,
} from '../../router/sessions/index.ts';
import { turnFacts } from '../../router/sessions/turn.ts';
import { gatewayForTest, postRaw, type RunningGateway } from './running-gateway.ts';

const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }];
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }],
};
const user = (content: string) => ({ role: 'user', content });
const assistant = { role: 'assistant', content: 'Done.' };
const result = (content: string) => ({ role: 'tool', tool_call_id: 'c', content });
/** The reply of a long prompt costs nothing beside it, so that the prompt cache decides. */
const priced = (input: number) => ({
  price: { input, output: input, cached: input / 10, cache_write: input * 1.25 },
});
const MODELS = {
  'first/small': priced(1),
  'first/large': priced(5),
  'claude/small': priced(1),
  'claude/large': priced(5),
};

async function send({ url }: RunningGateway, messages: readonly object[], session = 'one') {
  const body = { model: 'auto', max_tokens: 100, messages, tools: TOOLS };
  const response = await postRaw(url, '/v1/chat/completions', body, { 'x-session-id': session });
  await response.text();
  const of = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    selected: of('selected'),
    reason: of('reason'),
    cost: of('switch-cost-nano-usd'),
    ungated: of('ungated-reason'),
  };
}

function sticky(sessions: object, config: object = {}) {
  return gatewayForTest({ config: { models: MODELS, sessions, ...config } as never });
}

test('pinned goes up when the policy asks for it, and never back; another conversation is not concerned', async () => {
  const running = await sticky({ stickiness: 'pinned' });
  const [easy, hard] = [running.artifact.easy[0]!, running.artifact.hard[0]!];
  const first = [user(`Hello there. ${easy}`)];
  expect(await send(running, first)).toMatchObject({ selected: 'first/small', reason: 'within-threshold' });
  const second = [...first, assistant, user(hard)];
  expect(await send(running, second)).toMatchObject({ selected: 'first/large', reason: 'over-threshold' });
  const history = [...second];
  const seen = [];
  for (let turn = 0; turn < 10; turn++) {
    history.push(assistant, user(easy));
    seen.push(await send(running, history));
  }
  expect(seen.every(({ selected }) => selected === 'first/large')).toBe(true);
  expect(seen.at(-1)).toMatchObject({
    reason: 'same-session',
    ungated: 'other-models', // as every decision over these models, and no other reason
  });
  expect(await send(running, [user(easy)])).toMatchObject({ selected: 'first/small' });
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  const kept = seen.filter(({ reason }) => reason === 'same-session').length;
  expect(metrics).toContain(`plimsoll_session_choices_total{reason="same-session"} ${kept}`);
});

/** A turn as Claude Code sends it: the end of the prompt is marked to be cached. */
async function sendMarked({ url }: RunningGateway, texts: readonly string[]) {
  const messages = texts.map((text, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: [
      { type: 'text', text, ...(at === texts.length - 1 && { cache_control: { type: 'ephemeral' } }) },
    ],
  }));
  const body = { model: 'auto:claude', max_tokens: 100, messages };
  const response = await postRaw(url, '/v1/messages', body, { 'x-session-id': 'one' });
  const { usage } = (await response.json()) as { usage: { cache_read_input_tokens: number } };
  const of = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    selected: of('selected'),
    reason: of('reason'),
    cost: Number(of('switch-cost-nano-usd')),
    read: usage.cache_read_input_tokens,
  };
}

test('priced stays while a change costs more than it saves, says what it costs, and goes back in the end', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-sticky-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'log.jsonl');
  const running = await gatewayForTest({
    config: { models: MODELS, sessions: { stickiness: 'priced', weight: 3 }, decision_log: { file } },
    upstream: { promptCache: true },
  });
  const [easy, hard] = [running.artifact.easy[0]!, running.artifact.hard[0]!];
  const texts: string[] = [hard];
  const prompts: string[][] = [[hard]];
  expect(await sendMarked(running, texts)).toMatchObject({ selected: 'claude/large', cost: 0 });
  const seen: Awaited<ReturnType<typeof sendMarked>>[] = [];
  for (let turn = 0; turn < 30; turn++) {
    texts.push('Done.', easy);
    prompts.push([...texts]);
    seen.push(await sendMarked(running, texts));
  }
  const stayed = seen.findIndex(({ reason }) => reason === 'same-session');
  const first = seen[stayed];
  expect(first).toMatchObject({ selected: 'claude/large' });
  expect(first!.cost).toBeGreaterThan(0);
  expect(first!.read).toBeGreaterThan(0);
  const back = seen.findIndex(({ selected }) => selected === 'claude/small');
  expect(back).toBeGreaterThan(stayed);
  expect(seen[back]!.cost).toBeGreaterThan(0);
  expect(seen.slice(back).every(({ selected }) => selected === 'claude/small')).toBe(true);
  await running.close();
  const records = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as DecisionRecord & { readonly session: NonNullable<DecisionRecord['session']> },
    );
  expect(records[stayed + 1]).toMatchObject({
    policy_choice: 'cheap',
    session: { transition: 'retain', switch_cost_nano_usd: first!.cost },
  });
  expect(replayed(records, prompts)).toEqual(
    records.map(({ selected, reason, session }) => [selected, reason, session.switch_cost_nano_usd]),
  );
});

/** The same conversation from its records alone, by the functions that decided it. */
function replayed(records: readonly DecisionRecord[], prompts: readonly (readonly string[])[]) {
  const options = {
    stickiness: 'priced',
    marginUsd: 0,
    weight: 3,
    cacheTtlMs: 300_000,
    rescueAfter: 0,
  } as const;
  const ladder = ['claude/small', 'claude/large'].map((name, rung) => {
    const inputUsd = rung === 0 ? 1 : 5;
    const rates = { cachedInputUsd: inputUsd / 10, cacheWriteUsd: inputUsd * 1.25 };
    return { name, price: { inputUsd, outputUsd: inputUsd, ...rates } };
  });
  let state: ThreadState | undefined;
  return records.map((record, turn) => {
    const nowMs = Date.parse(record.time);
    const messages = prompts[turn]!.map((text) => ({ role: 'user', content: [{ type: 'text', text }] }));
    const facts = turnFacts({ messages }, 'anthropic');
    const standing = standingOf(state, facts, ladder, options, nowMs);
    const policy = { kind: 'threshold', name: 'default', version: 1, threshold: record.threshold! } as const;
    const choosing = { rungs: 2, allowed: undefined, requestedThreshold: undefined, session: standing.stay };
    const choice = choose(policy, Object.values(record.scores!), choosing);
    state = afterChoice(state, standing, choice, facts, ladder);
    const usage = {
      inputTokens: record.usage!.input_tokens!,
      outputTokens: record.usage!.output_tokens!,
      cachedInputTokens: record.usage!.cached_input_tokens ?? 0,
      cacheWriteInputTokens: record.usage!.cache_write_input_tokens ?? 0,
    };
    const model = ladder[choice.rung]!;
    state = afterReply(state, model, usage, options, nowMs);
    return [model.name, choice.reason, switchCost(standing, choice)];
  });
}

test('rounds of tool calls that failed in a row go to the stronger model, within the turn', async () => {
  const running = await sticky({ rescue_after: 2 });
  const history: object[] = [user(running.artifact.easy[0]!)];
  expect(await send(running, history)).toMatchObject({ selected: 'first/small' });
  history.push(CALL, result('Error: no such file'));
  expect(await send(running, history)).toMatchObject({ selected: 'first/small' });
  history.push(CALL, result('{"error": "no such file"}'));
  expect(await send(running, history)).toMatchObject({ selected: 'first/large', reason: 'session-rescue' });
  history.push(CALL, result('found'));
  expect(await send(running, history)).toMatchObject({ selected: 'first/large', reason: 'same-turn' });
});

test('a compacted history is decided anew', async () => {
  const running = await sticky({ stickiness: 'pinned' });
  const [easy, hard] = [running.artifact.easy[0]!, running.artifact.hard[0]!];
  const first = user('Let us begin.');
  await send(running, [
    first,
    assistant,
    user(hard),
    { ...assistant, content: 'word '.repeat(500) },
    user(hard),
  ]);
  expect(await send(running, [first, assistant, user(easy)])).toMatchObject({
    selected: 'first/small',
    reason: 'within-threshold',
  });
});

test('priced without a price is refused, and says which', async () => {
  const models = { ...MODELS, 'first/large': {} };
  await expect(sticky({ stickiness: 'priced' }, { models })).rejects.toThrow(
    /sessions.stickiness: priced needs the price of every model.*first\/large \(ladder.strong\)/,
  );
});
