import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider } from './scripted-provider.ts';

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

async function ask(kind: ProviderKind, mode: string, ...names: readonly string[]) {
  const provider = await replyingProvider(kind);
  const named = (name: string) => ({ type: 'function', function: { name } });
  const tool_choice = { type: 'allowed_tools', allowed_tools: { mode, tools: names.map(named) } };
  const tools = ['one', 'two', 'three'].map(named);
  const body = { model: 'x', messages: [{ role: 'user', content: 'Hello' }], tools, tool_choice };
  const outcome = await attempt(
    callTo(modelAt(provider.url, kind, { id: MODELS[kind] }), 'openai', body),
    TIMEOUTS,
  );
  return { outcome, got: JSON.stringify(provider.bodies().at(-1) ?? null) };
}

describe.each<[ProviderKind, Record<'auto' | 'required', string>]>([
  ['anthropic', { auto: '"tool_choice":{"type":"auto"}', required: '"tool_choice":{"type":"any"}' }],
  ['google', { auto: '"mode":"AUTO"', required: '"mode":"ANY"' }],
  ['mistral', { auto: '"tool_choice":"auto"', required: '"tool_choice":"any"' }],
  ['bedrock', { auto: '"toolChoice":{"auto":{}}', required: '"toolChoice":{"any":{}}' }],
])('allowed_tools at %s', (kind, choices) => {
  it.each(['auto', 'required'] as const)('offers these tools alone: %s', async (mode) => {
    const { outcome, got } = await ask(kind, mode, 'three', 'one');
    expect(outcome.kind === 'reply' && outcome.dropped).toEqual([]);
    expect(got).toContain('"one"');
    expect(got).toContain('"three"');
    expect(got).not.toContain('"two"');
    expect(got).toContain(choices[mode]);
  });

  it('of none of the tools is refused', async () => {
    const { outcome, got } = await ask(kind, 'auto', 'four');
    expect(outcome.kind === 'failure' && outcome.message).toContain('tool_choice.allowed_tools.tools');
    expect(got).toBe('null');
  });
});
