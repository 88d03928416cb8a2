import { describe, expect, it } from 'vitest';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider } from './scripted-provider.ts';

const attempt = sendOnce(createMappedAttempt({ env: ENV }));
const KINDS = ['openai', 'openai-compatible', 'google', 'mistral', 'bedrock'] as const;

function searched(content: readonly object[]) {
  const tool = (name: string, more = {}) => ({
    name,
    input_schema: { type: 'object', properties: {} },
    ...more,
  });
  return {
    model: 'x',
    max_tokens: 99,
    tools: [tool('find'), tool('get_weather', { defer_loading: true })],
    messages: [
      { role: 'user', content: 'What is the weather?' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }] },
    ],
  };
}

const RESULT = {
  type: 'search_result',
  source: 'https://example.com/a',
  title: 'A page',
  content: [{ type: 'text', text: 'It rains.' }],
};

describe.each(KINDS)("blocks that Anthropic's API alone has, as text at %s", (kind) => {
  it.each<[string, object, readonly string[]]>([
    ['tool_reference', { type: 'tool_reference', tool_name: 'get_weather' }, ['get_weather']],
    ['search_result', RESULT, ['A page', 'https://example.com/a', 'It rains.']],
  ])('%s in the result of a tool', async (_, block, words) => {
    const provider = await replyingProvider(kind);
    const call = callTo(modelAt(provider.url, kind, { id: MODELS[kind] }), 'anthropic', searched([block]));
    const outcome = await attempt(call, TIMEOUTS);
    expect(outcome.kind === 'reply' && outcome.dropped).toEqual(['tools.1.defer_loading']);
    const { tools: _tools, toolConfig: _config, ...rest } = provider.bodies().at(-1)!;
    for (const word of words) expect(JSON.stringify(rest)).toContain(word);
  });

  it('a search result that the user gives', async () => {
    const provider = await replyingProvider(kind);
    const messages = [{ role: 'user', content: [RESULT, { type: 'text', text: 'Does it rain?' }] }];
    const body = { model: 'x', max_tokens: 99, messages };
    const outcome = await attempt(
      callTo(modelAt(provider.url, kind, { id: MODELS[kind] }), 'anthropic', body),
      TIMEOUTS,
    );
    expect(outcome.kind).toBe('reply');
    expect(JSON.stringify(provider.bodies().at(-1))).toContain('It rains.');
  });
});
