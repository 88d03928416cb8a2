import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, clientsOf, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { scriptedProvider } from './scripted-provider.ts';

const attempt = sendOnce(createMappedAttempt({ env: ENV }));
const PIXEL = 'iVBORw0KGgo=';
const image = { inlineData: { mimeType: 'image/png', data: PIXEL } };
const sound = { inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } };
const usageMetadata = { promptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 12 };

async function gemini(parts: readonly object[]) {
  const end = { finishReason: 'STOP' };
  const candidate = (some: readonly object[], more = {}) => ({
    candidates: [{ content: { role: 'model', parts: some }, index: 0, ...more }],
    usageMetadata,
  });
  const events = [...parts.map((part) => candidate([part])), candidate([], end)];
  const { url } = await scriptedProvider(({ url: path }) =>
    path.includes('stream')
      ? {
          type: 'text/event-stream',
          body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
        }
      : { body: JSON.stringify(candidate(parts, end)) },
  );
  return modelAt(url, 'google', { id: 'gemini-2.5-flash-image' });
}

function ask(model: Awaited<ReturnType<typeof gemini>>, dialect: Dialect, stream: boolean) {
  const body = { model: 'x', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Draw a cat.' }] };
  return attempt(callTo(model, dialect, body), TIMEOUTS);
}

const URL_OF_PIXEL = `data:image/png;base64,${PIXEL}`;
const messages = [{ role: 'user' as const, content: 'Draw a cat.' }];

describe.each([
  ['alone', [image], ''],
  ['before a text', [image, { text: 'A cat.' }], 'A cat.'],
  ['behind a text', [{ text: 'A cat.' }, image, image], 'A cat.'],
])('a picture %s', (_, parts, text) => {
  const count = parts.filter((part) => part === image).length;
  const images = Array.from({ length: count }, (_one, index) => ({
    type: 'image_url',
    index,
    image_url: { url: URL_OF_PIXEL },
  }));

  it("reaches a client of OpenAI's API in a plain reply", async () => {
    const { openai } = await clientsOf(await gemini(parts));
    const reply = await openai.chat.completions.create({ model: 'x', messages });
    expect(reply.choices[0]).toMatchObject({
      message: { content: text || null, images },
      finish_reason: 'stop',
    });
  });

  it('and in a stream', async () => {
    const { openai } = await clientsOf(await gemini(parts));
    const stream = await openai.chat.completions.create({ model: 'x', messages, stream: true });
    const deltas: Record<string, unknown>[] = [];
    for await (const { choices } of stream) for (const { delta } of choices) deltas.push({ ...delta });
    expect(deltas.flatMap((delta) => delta['images'] ?? [])).toEqual(images);
    expect(deltas.map((delta) => delta['content'] ?? '').join('')).toBe(text);
  });
});

it.each([false, true])(
  "has no place in Anthropic's API: the next model is asked (stream: %s)",
  async (stream) => {
    const outcome = await ask(await gemini([image, { text: 'A cat.' }]), 'anthropic', stream);
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-answer' });
  },
);

it.each([false, true])('sound has none in either (stream: %s)', async (stream) => {
  for (const dialect of ['openai', 'anthropic'] as const) {
    const outcome = await ask(await gemini([sound]), dialect, stream);
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-answer' });
  }
});
