import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { clientsOf, modelAt } from './mapped-gateway.ts';
import { type Scripted, scriptedProvider } from './scripted-provider.ts';

type Json = Record<string, unknown>;

/** Begin alike; the last is one of Mistral's own. */
const IDS = ['call_0123456789abcdefghij_1', 'call_0123456789abcdefghij_2', 'D681PevKs'];

const MISTRAL: Scripted = {
  body: JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Sun.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
  }),
};
const BEDROCK: Scripted = {
  body: JSON.stringify({
    output: { message: { role: 'assistant', content: [{ text: 'Sun.' }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
    metrics: { latencyMs: 1 },
  }),
};

function history(): OpenAI.ChatCompletionMessageParam[] {
  const call = { name: 'weather', arguments: '{}' };
  return [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: IDS.map((id) => ({ id, type: 'function', function: call })),
    },
    ...IDS.map((id) => ({ role: 'tool' as const, tool_call_id: id, content: 'sun' })),
  ];
}

/** Ids of the calls and of the results, as the provider saw them. */
async function idsSent(kind: ProviderKind, id: string, answer: Scripted, read: (body: Json) => string[][]) {
  const { seen, url } = await scriptedProvider(answer);
  const { openai } = await clientsOf(modelAt(url, kind, { id }));
  const tools = [{ type: 'function' as const, function: { name: 'weather' } }];
  const asked = { model: 'any', messages: history(), tools };
  const said = await openai.chat.completions.create(asked);
  expect(said.choices[0]?.message.content).toBe('Sun.');
  await openai.chat.completions.create(asked);
  const [first, again] = seen.map(({ body }) => read(body));
  expect(again).toEqual(first);
  return first!;
}

function ofMistral(body: Json): string[][] {
  const messages = body['messages'] as { tool_calls?: { id: string }[]; tool_call_id?: string }[];
  const calls = messages.flatMap(({ tool_calls: made = [] }) => made.map(({ id }) => id));
  return [calls, messages.flatMap(({ tool_call_id: id }) => id ?? [])];
}

function ofBedrock(body: Json): string[][] {
  type Block = { toolUse?: { toolUseId: string }; toolResult?: { toolUseId: string } };
  const blocks = (body['messages'] as { content: Block[] }[]).flatMap(({ content }) => content);
  const calls = blocks.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []);
  return [calls, blocks.flatMap(({ toolResult }) => toolResult?.toolUseId ?? [])];
}

describe('ids of tool calls in a conversation that another model began', () => {
  it.each<[string, ProviderKind, string, Scripted, (body: Json) => string[][]]>([
    ['Mistral', 'mistral', 'mistral-large-latest', MISTRAL, ofMistral],
    ['Mistral on Bedrock', 'bedrock', 'mistral.mistral-large-2407-v1:0', BEDROCK, ofBedrock],
  ])('have the form that %s takes, for call and result', async (_, kind, id, answer, read) => {
    const [calls, results] = await idsSent(kind, id, answer, read);
    expect(calls).toHaveLength(IDS.length);
    for (const call of calls!) expect(call).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(new Set(calls).size).toBe(IDS.length);
    expect(results).toEqual(calls);
    expect(calls![2]).toBe(IDS[2]);
  });

  it('stay as they are for others', async () => {
    expect(await idsSent('bedrock', 'amazon.nova-pro-v1:0', BEDROCK, ofBedrock)).toEqual([IDS, IDS]);
  });
});
