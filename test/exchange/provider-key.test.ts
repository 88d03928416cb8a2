import { expect, onTestFinished, test } from 'vitest';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { withoutKey } from '../../router/provider-key.ts';
import { startFakeProvider } from '../../scripts/fake-provider/server.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, modelAt, TIMEOUTS } from '../mapped-calls/mapped-gateway.ts';

test('a key is taken out; a placeholder for a server that wants none is a word like any other', () => {
  expect(withoutKey('it is sk-0123456789', 'sk-0123456789')).toBe('it is [key]');
  expect(withoutKey('ollama runs ollama', 'ollama')).toBe('ollama runs ollama');
  expect(withoutKey('as it is', undefined)).toBe('as it is');
});

test.each(['x', 'text', 'none'])('a mapped reply of a server whose key is %s is whole', async (key) => {
  const provider = await startFakeProvider({
    answer: () => `The text has an x, and none is taken out: ${key}`,
  });
  onTestFinished(() => provider.close());
  const attempt = sendOnce(createMappedAttempt({ env: { TEST_KEY: key } }));
  const model = modelAt(provider.url, 'anthropic');
  const outcome = await attempt(
    callTo(model, 'openai', { model: 'auto', messages: [{ role: 'user', content: 'Say it' }] }),
    TIMEOUTS,
  );
  if (outcome.kind !== 'reply') throw new Error(`no reply: ${outcome.kind}`);
  const chunks: Uint8Array[] = [];
  for await (const piece of outcome.body) chunks.push(piece);
  const { choices } = JSON.parse(Buffer.concat(chunks).toString()) as {
    choices: { index: number; message: { content: string } }[];
  };
  expect(choices[0]?.index).toBe(0);
  expect(choices[0]?.message.content).toContain(`none is taken out: ${key}`);
});
