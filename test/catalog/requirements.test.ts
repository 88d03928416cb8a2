import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requirementsOf } from '../../router/catalog/requirements.ts';
import { estimateTokens } from '../../router/catalog/token-estimate.ts';
import type { Dialect } from '../../router/catalog/types.ts';

const NOTHING = { tools: false, images: false, audio: false, structuredOutput: false };
const PIXELS = 'iVBORw0KGgo'.repeat(20_000); // 220 kB: far more than any picture is worth as text
const WEATHER = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const ask = (content: unknown) => ({ model: 'auto', messages: [{ role: 'user', content }] });

describe('OpenAI chat completions', () => {
  const of = (body: Record<string, unknown>) => requirementsOf(body, 'openai');

  test('a plain question asks for nothing', () => {
    const { inputTokens, ...rest } = of(ask('What is the capital of France?'));
    expect(rest).toEqual(NOTHING);
    expect(inputTokens).toBe(estimateTokens('What is the capital of France?') + 4);
    expect(of({ ...ask('What is the capital of France?'), system: 'of the other dialect' }).inputTokens).toBe(
      inputTokens,
    );
  });

  test('a picture is a picture, and its data are not text', () => {
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXELS}` } };
    const { inputTokens, ...rest } = of(ask([{ type: 'text', text: 'What is this?' }, picture]));
    expect(rest).toEqual({ ...NOTHING, images: true });
    expect(inputTokens).toBeGreaterThan(1_000);
    expect(inputTokens).toBeLessThan(3_000);
  });

  test('sound, by its length: ten seconds of 16-bit WAV are about 320 tokens', () => {
    const data = 'A'.repeat((320_000 * 4) / 3);
    const sound = (format: string) => ({ type: 'input_audio', input_audio: { data, format } });
    expect(of(ask([sound('wav')]))).toMatchObject({ audio: true, images: false, inputTokens: 324 });
    expect(of(ask([sound('mp3')])).inputTokens).toBe(1_284);
    expect(of({ ...ask('Say hello'), modalities: ['text', 'audio'] }).audio).toBe(true);
  });

  test('tools that are offered, and what they weigh', () => {
    const tool = {
      type: 'function',
      function: { name: 'weather', description: 'Weather', parameters: WEATHER },
    };
    const plain = of(ask('Hello'));
    expect(of({ ...ask('Hello'), tools: [] })).toEqual(plain);
    const one = of({ ...ask('Hello'), tools: [tool] });
    expect(one.tools).toBe(true);
    const two = of({ ...ask('Hello'), tools: [tool, tool] });
    expect(two.inputTokens - one.inputTokens).toBe(one.inputTokens - plain.inputTokens);
    expect(one.inputTokens).toBeGreaterThan(plain.inputTokens + 15);
    expect(of({ ...ask('Hello'), functions: [tool.function] }).tools).toBe(true);
  });

  test('an agent in the middle of its loop needs tools, offered again or not', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } };
    const messages = [
      { role: 'system', content: 'You are helpful.' },
      { role: 'user', content: 'Weather in Paris?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: '{"celsius": 21}' },
    ];
    expect(of({ messages }).tools).toBe(true);
    expect(of({ messages: messages.slice(0, 3) }).tools).toBe(true);
    expect(of({ messages: messages.slice(3) }).tools).toBe(true);
    expect(of({ messages: messages.slice(0, 2) }).tools).toBe(false);
  });

  test('a schema for the answer, but not JSON of any form', () => {
    const json_schema = { name: 'weather', strict: true, schema: WEATHER };
    const withSchema = of({ ...ask('Hello'), response_format: { type: 'json_schema', json_schema } });
    expect(withSchema.structuredOutput).toBe(true);
    expect(withSchema.inputTokens).toBeGreaterThan(of(ask('Hello')).inputTokens);
    expect(of({ ...ask('Hello'), response_format: { type: 'json_object' } }).structuredOutput).toBe(false);
  });

  test('the limit of the answer, the new field before the old', () => {
    expect(of({ ...ask('Hello'), max_tokens: 10 }).maxOutputTokens).toBe(10);
    expect(of({ ...ask('Hello'), max_tokens: 10, max_completion_tokens: 20 }).maxOutputTokens).toBe(20);
    for (const max_tokens of [null, 0, -1, 1.5, '10']) {
      expect(of({ ...ask('Hello'), max_tokens })).not.toHaveProperty('maxOutputTokens');
    }
  });

  test('a PDF is looked at, page by page', () => {
    const file = {
      type: 'file',
      file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PIXELS}` },
    };
    expect(of(ask([file]))).toMatchObject({ images: true, inputTokens: 4 * 3_000 + 4 });
  });
});

describe('Anthropic messages', () => {
  const of = (body: Record<string, unknown>) => requirementsOf({ max_tokens: 1_024, ...body }, 'anthropic');

  test('a plain question with a system prompt, as text or as blocks', () => {
    const text = of({ ...ask('Hello'), system: 'You are helpful.' });
    const blocks = of({
      ...ask([{ type: 'text', text: 'Hello' }]),
      system: [{ type: 'text', text: 'You are helpful.' }],
    });
    expect(text).toEqual({
      ...NOTHING,
      inputTokens: estimateTokens('Hello') + estimateTokens('You are helpful.') + 4,
      maxOutputTokens: 1_024,
    });
    expect(blocks).toEqual(text);
  });

  test('a picture, by its data or its address', () => {
    const sources = [
      { type: 'base64', media_type: 'image/png', data: PIXELS },
      { type: 'url', url: 'https://example.org/a.png' },
    ];
    for (const source of sources) {
      const found = of(ask([{ type: 'image', source }]));
      expect(found).toMatchObject({ ...NOTHING, images: true });
      expect(found.inputTokens).toBeLessThan(3_000);
    }
  });

  test('a picture in the result of a tool', () => {
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXELS } };
    const messages = [
      { role: 'user', content: 'Take a screenshot' },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 't1', name: 'screen', input: { type: 'image' } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [picture] }] },
    ];
    expect(of({ messages })).toMatchObject({ tools: true, images: true });
    expect(of({ messages: messages.slice(0, 2) })).toMatchObject({ tools: true, images: false });
    const text = [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'done' }] }];
    expect(of({ messages: text })).toMatchObject({ tools: true, images: false });
  });

  test('a document as text is text, as PDF is pages', () => {
    const document = (source: unknown) => ask([{ type: 'document', source }]);
    const plain = of(document({ type: 'text', media_type: 'text/plain', data: 'Some words.' }));
    expect(plain).toMatchObject({ images: false, inputTokens: estimateTokens('Some words.') + 4 });
    const pdf = of(document({ type: 'base64', media_type: 'application/pdf', data: PIXELS }));
    expect(pdf).toMatchObject({ images: true, inputTokens: 4 * 3_000 + 4 });
  });

  test('tools and a schema for the answer', () => {
    expect(of({ ...ask('Hello'), tools: [{ name: 'weather', input_schema: WEATHER }] }).tools).toBe(true);
    const format = { type: 'json_schema', schema: WEATHER };
    expect(of({ ...ask('Hello'), output_config: { format } }).structuredOutput).toBe(true);
    expect(
      of({ ...ask('Hello'), output_config: { effort: 'low' }, output_format: format }).structuredOutput,
    ).toBe(true);
    expect(of({ ...ask('Hello'), response_format: format }).structuredOutput).toBe(false);
  });
});

describe('whatever comes', () => {
  const dialects = fc.constantFrom<Dialect>('openai', 'anthropic');

  test('a longer text is never fewer tokens', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), dialects, (text, more, dialect) => {
        const tokens = (content: string) => requirementsOf(ask(content), dialect).inputTokens;
        expect(tokens(text + more)).toBeGreaterThanOrEqual(tokens(text));
      }),
    );
  });

  test('bodies of no known form give counts, not errors', () => {
    const part = fc.record(
      {
        type: fc.constantFrom('text', 'image', 'input_audio', 'document', 'file', 'tool_result', 'odd'),
        content: fc.anything(),
        source: fc.anything(),
        text: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const body = fc.record(
      {
        messages: fc.oneof(
          fc.anything(),
          fc.array(fc.record({ role: fc.anything(), content: fc.array(part), tool_calls: fc.anything() })),
        ),
        tools: fc.anything(),
        system: fc.anything(),
        max_tokens: fc.anything(),
        response_format: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(body, dialects, (odd, dialect) => {
        const { inputTokens, maxOutputTokens = 1 } = requirementsOf(odd, dialect);
        expect(Number.isInteger(inputTokens) && inputTokens >= 0).toBe(true);
        expect(maxOutputTokens).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  test('results within results end somewhere', () => {
    let content: unknown = 'deep';
    for (let i = 0; i < 50_000; i++) content = [{ type: 'tool_result', content }];
    expect(requirementsOf(ask(content), 'anthropic').tools).toBe(true);
  });

  test.each([
    ['texts', (inside: unknown) => ({ type: 'text', text: inside })],
    ['documents', (inside: unknown) => ({ type: 'document', source: { type: 'text', data: inside } })],
  ])('%s within themselves end somewhere', (_, wrap) => {
    let content: unknown = 'deep';
    for (let i = 0; i < 50_000; i++) content = [wrap(content)];
    expect(requirementsOf(ask(content), 'anthropic').inputTokens).toBeGreaterThan(50_000);
  });
});
