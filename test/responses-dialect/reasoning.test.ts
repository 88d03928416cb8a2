import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { THINKING_SIGNATURE } from '../../scripts/fake-provider/anthropic.ts';
import { eventsOf } from './event-rules.ts';
import { gatewayWithAllKinds, MODELS } from './gateways.ts';

test('reasoning goes back to its own family with its signature, and to no other', async () => {
  const running = await gatewayWithAllKinds();
  try {
    const { openai } = running;
    const ask = {
      model: MODELS.anthropic,
      input: 'Think it over.',
      reasoning: { effort: 'low' as const },
      max_output_tokens: 4_000,
    };
    const plain = await openai.responses.create(ask);
    const events = await eventsOf(openai, ask);
    const last = events.at(-1);
    const streamed = last?.type === 'response.completed' ? last.response.output : [];
    for (const output of [plain.output, streamed]) {
      expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
      const input = [
        { role: 'user' as const, content: ask.input },
        ...(output as OpenAI.Responses.ResponseInputItem[]),
        { role: 'user' as const, content: 'And now?' },
      ];
      await openai.responses.create({ ...ask, input });
      expect(JSON.stringify(running.first.requests.at(-1)!.body)).toContain(THINKING_SIGNATURE);
      for (const model of [MODELS.openai, MODELS.compatible, MODELS.google]) {
        const { response } = await openai.responses.create({ model, input }).withResponse();
        expect(response.headers.get('x-plimsoll-dropped')).toContain('input.1');
        expect(JSON.stringify(running.first.requests.at(-1)!.body)).not.toContain('plimsoll.');
      }
    }
  } finally {
    await running.close();
  }
});
