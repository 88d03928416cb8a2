import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postRaw, QUICK_UPSTREAM, type RunningGateway, UPSTREAM_KEY } from '../gateway/running-gateway.ts';
import { eventsOf, expectRules } from './event-rules.ts';
import { gatewayWithAllKinds, MODELS, WEATHER } from './gateways.ts';

const ASK = { model: MODELS.openai, input: 'What is two plus two?', store: false };

let running: RunningGateway;
beforeAll(async () => {
  const fallbacks = { [MODELS.openai]: [MODELS.compatible] };
  const ladder = { cheap: MODELS.openai, strong: MODELS.openai };
  running = await gatewayWithAllKinds({
    config: {
      ladder,
      upstream: { ...QUICK_UPSTREAM, fallbacks, breaker: { window: 100, min_attempts: 100 } },
    },
  });
});
afterAll(() => running.close());

/** The same request to the provider itself. */
function direct(body: object): Promise<Response> {
  return fetch(`${running.first.url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${UPSTREAM_KEY}` },
    body: JSON.stringify(body),
  });
}

describe('a provider with the Responses API', () => {
  test("gets a reply back without what OpenAI's library added to it", async () => {
    const { openai } = running;
    const { output } = await openai.responses.stream({ ...ASK, tools: [WEATHER] }).finalResponse();
    const { output: text } = await openai.responses.stream(ASK).finalResponse();
    expect(JSON.stringify([...output, ...text])).toMatch(/"parsed_arguments".*"parsed"/);
    const results = output.flatMap((item) =>
      item.type === 'function_call'
        ? { type: 'function_call_output', call_id: item.call_id, output: 'sunny' }
        : [],
    );
    const asked = { role: 'user', content: ASK.input };
    const input = [asked, ...text, ...output, ...results] as OpenAI.Responses.ResponseInput;
    const next = await openai.responses.create({ ...ASK, tools: [WEATHER], input }).withResponse();
    expect(next.response.headers.get('x-plimsoll-dropped')).toBeNull();
    expect(JSON.stringify(running.first.requests.at(-1)!.body)).not.toContain('parsed');
  });

  test.each([false, true])(
    'gets the request and gives the reply byte for byte (stream: %s)',
    async (stream) => {
      const body = {
        ...ASK,
        stream,
        tools: [WEATHER, { type: 'web_search' }],
        metadata: { a: 'b' },
        include: ['message.output_text.logprobs'],
        prompt_cache_key: 'k',
      };
      const own = { ...body, model: 'gpt-4.1-mini' };
      const [reply, expected] = [await postRaw(running.url, '/v1/responses', body), await direct(own)];
      expect(reply.status).toBe(200);
      expect(await reply.text()).toBe(await expected.text());
      expect(reply.headers.get('x-plimsoll-served')).toBe(MODELS.openai);
      expect(running.first.requests.at(-2)!.body).toEqual(own);
      expect(running.first.requests.at(-2)!.path).toBe('/v1/responses');
    },
  );

  test('keeps nothing that the client did not ask it to keep', async () => {
    const { store: _, ...silent } = ASK;
    await running.openai.responses.create(silent);
    expect(running.first.requests.at(-1)!.body['store']).toBe(false);
    await running.openai.responses.create({ ...silent, store: true });
    expect(running.first.requests.at(-1)!.body['store']).toBe(true);
  });

  test('its tokens are counted, plain and streamed', async () => {
    const plain = await postRaw(running.url, '/v1/responses', ASK);
    const { usage } = (await plain.json()) as OpenAI.Responses.Response;
    expect(usage!.output_tokens).toBeGreaterThan(5);
    expect(Number(plain.headers.get('x-plimsoll-cost-usd'))).toBeGreaterThan(0);
  });

  test('does not get the reasoning of other families', async () => {
    const input = [
      { role: 'user', content: 'Think.' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'plimsoll.anthropic.e30' },
      { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'gAAAAABo' },
      { role: 'assistant', content: 'Done.' },
      { role: 'user', content: 'Again.' },
    ];
    const reply = await postRaw(running.url, '/v1/responses', { ...ASK, input });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('x-plimsoll-dropped')).toBe('input.1');
    const got = running.first.requests.at(-1)!.body['input'] as readonly { readonly id?: string }[];
    expect(got.flatMap(({ id }) => id ?? [])).toEqual(['rs_2']);
  });

  test.each<readonly [string, unknown]>([
    ['background', true],
    ['conversation', ['conv_A']],
    ['conversation', { id: ['conv_A'] }],
    ['conversation', {}],
  ])('does not get %s: %j', async (param, value) => {
    const sent = running.first.requests.length;
    const refused = await postRaw(running.url, '/v1/responses', { ...ASK, [param]: value });
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { param, code: 'invalid_input' } },
    ]);
    expect(running.first.requests).toHaveLength(sent);
    expect((await postRaw(running.url, '/v1/responses', { ...ASK, [param]: null })).status).toBe(200);
  });

  test('its refusal comes in its own words', async () => {
    const refused = running.openai.responses.create({ ...ASK, max_output_tokens: 3 });
    await expect(refused).rejects.toThrow(/integer below minimum value/);
  });
});

describe('a reply that is none', () => {
  const small = { ...ASK, stream: true };

  test.each(['500', 'html', 'broken-json', 'error-200', 'reset-first'] as const)(
    '%s before it begins: the next model is called',
    async (fault) => {
      for (const stream of [false, true]) {
        running.first.faults.push(...(fault === 'broken-json' ? [fault] : [fault, fault])); // what may be retried is
        const reply = await postRaw(running.url, '/v1/responses', { ...ASK, stream, model: 'auto' });
        expect(reply.status, `${fault} ${stream}`).toBe(200);
        await reply.text();
        running.first.faults.length = 0;
      }
    },
  );

  test.each(['cut', 'reset', 'error-event', 'no-last-event'] as const)(
    '%s in the middle: the stream ends with response.failed, whose number follows',
    async (fault) => {
      running.first.faults.push(fault);
      const events = await eventsOf(running.openai, ASK).catch((error: unknown) => error);
      if (fault === 'error-event') {
        // The provider's own event has a number of its own.
        running.first.faults.push(fault);
        const text = await (await postRaw(running.url, '/v1/responses', small)).text();
        expect(text).toMatch(
          /"type":"error".*\n\n[\s\S]*event: response\.failed\ndata: .*"sequence_number":100,/,
        );
        return;
      }
      if (!Array.isArray(events)) throw events;
      expectRules(events);
      expect(events.at(-1)).toMatchObject({
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error' }, id: events[0].response.id },
      });
    },
  );
});
