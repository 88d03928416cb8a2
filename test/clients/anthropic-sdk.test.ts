import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LADDERS } from '../../scripts/clients/client.ts';
import {
  CLIENT_KEY as apiKey,
  idOf,
  type LadderGateway,
  startLadder,
  WEATHER_SCHEMA,
  WEATHER_SCRIPT,
  WEATHER_TEXT,
  weatherOf,
} from './ladder-gateway.ts';

const WEATHER = betaTool({
  name: 'weather',
  description: 'The weather of a city.',
  inputSchema: WEATHER_SCHEMA,
  run: (input) => weatherOf(input as { readonly city: string }),
});

describe.each(LADDERS)('a $name ladder', ({ cheap, strong, ...ladder }) => {
  let running: LadderGateway;
  let client: Anthropic;
  beforeAll(async () => {
    running = await startLadder({ ...ladder, cheap, strong }, WEATHER_SCRIPT);
    client = new Anthropic({ baseURL: running.url, apiKey, authToken: null, maxRetries: 0 });
  });
  afterAll(() => running.close());

  /** Claude keeps the conversation for the SDK; for others the SDK is refused by the code on which it sends the whole conversation. */
  test.each([0, 1].flatMap((rung) => [false, true].map((stream) => ({ rung, stream }))))(
    'toolRunner runs tools in two turns, with and without threads: %j',
    async ({ rung, stream }) => {
      running.upstream.requests.length = 0;
      const messages = [{ role: 'user' as const, content: running.prompts[rung]! }];
      const asked = { model: 'auto', max_tokens: 1000, messages, tools: [WEATHER] };
      const runner = stream
        ? client.beta.messages.toolRunner({ ...asked, stream })
        : client.beta.messages.toolRunner(asked);
      const { content } = await runner.runUntilDone();
      expect(content.map((block) => (block.type === 'text' ? block.text : '')).join('')).toBe(WEATHER_TEXT);
      const { requests } = running.upstream;
      expect(requests).toHaveLength(3);
      const threads = requests.map(({ body }) => (body['thread'] as { type: string } | undefined)?.type);
      const kept = [cheap, strong].some((model) => model.startsWith('anthropic/'));
      expect(threads).toEqual(kept ? ['create', 'continue', 'continue'] : [undefined, undefined, undefined]);
    },
  );

  test('countTokens: an estimate for auto, and the count of the provider that has a counter', async () => {
    running.upstream.requests.length = 0;
    const messages = [{ role: 'user' as const, content: running.prompts[0] }];
    for (const counter of [client.messages, client.beta.messages]) {
      const { input_tokens: estimate } = await counter.countTokens({ model: 'auto', messages });
      expect(estimate).toBeGreaterThan(0);
      expect(running.upstream.requests).toEqual([]);
      for (const model of [cheap, strong]) {
        const { data, response } = await counter.countTokens({ model, messages }).withResponse();
        const path = running.upstream.requests.pop()?.path;
        expect(response.headers.get('x-plimsoll-token-count')).toBe(
          model.startsWith('openai/') ? 'estimated' : 'counted',
        );
        expect(data.input_tokens).toBeGreaterThan(0);
        if (model.startsWith('anthropic/')) expect(path).toMatch(/^\/v1\/messages\/count_tokens/);
        if (model.startsWith('google/')) expect(path).toContain(`${idOf(model)}:countTokens`);
      }
    }
  });
});
