import { expect, test } from 'vitest';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { eventsOf } from './event-rules.ts';

test.each(['first/small', 'claude/small', 'auto', 'auto:claude'])(
  '%s: a text comes as a message of a response, plain and streamed',
  async (model) => {
    const { openai } = await gatewayForTest();
    const plain = await openai.responses.create({
      model,
      input: 'What is two plus two?',
      instructions: 'Be brief.',
      max_output_tokens: 100,
    });
    expect(plain).toMatchObject({
      object: 'response',
      status: 'completed',
      error: null,
      store: false,
      instructions: 'Be brief.',
      max_output_tokens: 100,
    });
    expect(plain.output).toHaveLength(1);
    expect(plain.output_text).not.toBe('');
    expect(plain.usage!.total_tokens).toBe(plain.usage!.input_tokens + plain.usage!.output_tokens);
    expect(plain.usage!.output_tokens).toBeGreaterThan(5);

    const events = await eventsOf(openai, {
      model,
      input: 'What is two plus two?',
      instructions: 'Be brief.',
      max_output_tokens: 100,
    });
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'response.completed', response: { usage: plain.usage } });
    const deltas = events.flatMap((event) =>
      event.type === 'response.output_text.delta' ? [event.delta] : [],
    );
    expect(deltas.length).toBeGreaterThan(5);
    expect(deltas.join('')).toBe(plain.output_text);
  },
);

test('where nobody keeps a response, it does not say that it is stored, whatever the client asked for', async () => {
  const { openai } = await gatewayForTest();
  const ask = { model: 'claude/small', input: 'What is two plus two?', store: true };
  const reply = await openai.responses.create(ask);
  expect(reply).toMatchObject({ store: false });
  await expect(openai.responses.retrieve(reply.id)).rejects.toMatchObject({ status: 404 });
  await expect(openai.responses.create({ ...ask, previous_response_id: reply.id })).rejects.toMatchObject({
    status: 400,
    code: 'previous_response_not_found',
  });
});
