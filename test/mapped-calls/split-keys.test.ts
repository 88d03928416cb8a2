import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { clientsOf, KEY, modelAt } from './mapped-gateway.ts';
import { scriptedProvider } from './scripted-provider.ts';

/** A chat completion of an openai-compatible provider that says the text, and calls a tool with it, in these pieces. */
function events(pieces: readonly string[]): string {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const call = (more: object) => chunk({ tool_calls: [{ index: 0, ...more }] });
  return [
    ...pieces.map((content) => chunk({ content })),
    call({ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":"' } }),
    ...pieces.map((piece) => call({ function: { arguments: piece } })),
    call({ function: { arguments: '"}' } }),
    chunk({}, 'tool_calls'),
    'data: [DONE]\n\n',
  ].join('');
}

const tool = { name: 'f', input_schema: { type: 'object' as const, properties: { a: { type: 'string' } } } };
const TEXT = `The key is ${KEY}, and ${KEY.slice(0, 7)} is no key: ${KEY}`;

async function read(dialect: Dialect, pieces: readonly string[]): Promise<string> {
  // Mistral speaks neither dialect to its clients, in events of OpenAI's form.
  const { url } = await scriptedProvider({ type: 'text/event-stream', body: events(pieces) });
  const { openai, anthropic } = await clientsOf(modelAt(url, 'mistral', { id: 'mistral-large-latest' }));
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  if (dialect === 'anthropic') {
    const stream = anthropic.messages.stream({ model: 'x', max_tokens: 99, messages, tools: [tool] });
    return JSON.stringify((await stream.finalMessage()).content);
  }
  const stream = openai.chat.completions.stream({
    model: 'x',
    messages,
    tools: [{ type: 'function', function: { name: 'f', parameters: tool.input_schema } }],
  });
  const { message } = (await stream.finalChatCompletion()).choices[0]!;
  return JSON.stringify([message.content, message.tool_calls]);
}

describe.each<Dialect>(['openai', 'anthropic'])(
  'a key that a mapped stream to %s cuts into pieces',
  (dialect) => {
    it('is taken out of text and inputs of tools, wherever it is cut', async () => {
      const whole = (await read(dialect, [TEXT])).replaceAll(KEY, '[key]');
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.nat(TEXT.length), { maxLength: 8 }), async (cuts) => {
          const ends = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
          const pieces = ends.slice(1).map((end, at) => TEXT.slice(ends[at], end));
          const got = await read(dialect, pieces);
          expect(got).not.toContain(KEY);
          expect(got).toBe(whole);
        }),
        { numRuns: 10 },
      );
    });
  },
);
