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
