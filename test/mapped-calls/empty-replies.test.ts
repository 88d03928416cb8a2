import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { scaled } from '../helpers/long-run.ts';
import { amazonEvent } from './amazon-events.ts';
import { callTo, drained, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { streamOf } from './replies.ts';
import { type Scripted, scriptedProvider } from './scripted-provider.ts';

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

type Events = Parameters<typeof streamOf>[1];

interface Empty {
  /** Replies in which the model says nothing, without its reason to stop. */
  readonly plain: readonly object[];
  /** Events that say nothing, in an order that the API allows; any of them may be missing. */
  readonly events: Events;
  /** The API's mark of the end. */
  readonly end: Events;
  /** The model stopped, without a word. */
  readonly stopped: { readonly plain: object; readonly events: Events };
}

const choice = (more: object) => ({ choices: [{ index: 0, ...more }] });
const CHAT: Empty = {
  plain: [
    choice({}),
    choice({ message: {} }),
    choice({ message: { role: 'assistant', content: '', tool_calls: [] }, finish_reason: null }),
    choice({ message: { content: null, reasoning_content: 'Hm.' }, finish_reason: '' }),
  ],
  events: [
    choice({ delta: { role: 'assistant', content: '' }, finish_reason: null }),
    choice({ delta: {} }),
    choice({ delta: { content: null, tool_calls: [], refusal: null }, finish_reason: '' }),
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 0, total_tokens: 3 } },
  ],
  end: ['[DONE]'],
  stopped: {
    plain: choice({ message: { role: 'assistant', content: '' }, finish_reason: 'stop' }),
    events: [choice({ delta: {}, finish_reason: 'stop' }), '[DONE]'],
  },
};
const usage = { input_tokens: 3, output_tokens: 0 };
const MESSAGE: Empty = {
  plain: [
    { type: 'message', content: [], usage },
    { type: 'message', content: [{ type: 'text', text: '' }], stop_reason: null, usage },
  ],
  events: [
    { type: 'message_start', message: { content: [], stop_reason: null, usage } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: null }, usage },
    { type: 'message_delta', usage },
  ],
  end: [{ type: 'message_stop' }],
  stopped: {
    plain: { type: 'message', content: [], stop_reason: 'end_turn', usage },
    events: [{ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage }, { type: 'message_stop' }],
  },
};
const counts = { promptTokenCount: 3, totalTokenCount: 3 };
const GEMINI: Empty = {
  plain: [{ candidates: [{}] }, { candidates: [{ content: { parts: [] } }], usageMetadata: counts }],
  events: [
    { candidates: [{}] },
    { candidates: [{ content: { role: 'model', parts: [] }, index: 0 }] },
    { candidates: [{ content: { parts: [{ text: '' }] } }] },
    { usageMetadata: counts },
  ],
  end: [],
  stopped: {
    plain: { candidates: [{ finishReason: 'STOP' }] },
    events: [{ candidates: [{ finishReason: 'STOP' }] }],
  },
};
const metrics = { latencyMs: 1 };
const amazonUsage = { inputTokens: 3, outputTokens: 0, totalTokens: 3 };
const CONVERSE: Empty = {
  plain: [
    { output: { message: { role: 'assistant', content: [] } }, usage: amazonUsage, metrics },
    { output: { message: { role: 'assistant', content: [{ text: '' }] } }, stopReason: '', metrics },
  ],
  events: [
    amazonEvent('messageStart', { role: 'assistant' }),
    amazonEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: '' } }),
    amazonEvent('contentBlockStop', { contentBlockIndex: 0 }),
    amazonEvent('metadata', { usage: amazonUsage, metrics }),
  ],
  end: [amazonEvent('messageStop', {})],
  stopped: {
    plain: {
      output: { message: { role: 'assistant', content: [] } },
      stopReason: 'end_turn',
      usage: amazonUsage,
      metrics,
    },
    events: [amazonEvent('messageStop', { stopReason: 'end_turn' })],
  },
};

const KINDS: readonly (readonly [ProviderKind, Empty])[] = [
  ['openai', CHAT],
  ['openai-compatible', CHAT],
  ['mistral', CHAT],
  ['anthropic', MESSAGE],
  ['google', GEMINI],
  ['bedrock', CONVERSE],
];
const CASES = KINDS.flatMap(([kind, empty]) =>
  (['openai', 'anthropic'] as const).map((dialect) => ({ kind, empty, dialect })),
);
const FAILED = { kind: 'failure', failure: 'bad-answer', status: 200 };

describe.each(CASES)('what $kind sends to a client of $dialect', ({ kind, empty, dialect }) => {
  let script: Scripted = { body: '' };
  const started = () => scriptedProvider(() => script);

  async function ask(url: string, stream: boolean) {
    const body = { model: 'auto', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Hello' }] };
    return attempt(callTo(modelAt(url, kind), dialect, body), TIMEOUTS);
  }

  it('is a failure if it is a plain reply without content and without a reason to stop', async () => {
    const { url } = await started();
    for (const reply of empty.plain) {
      script = { body: JSON.stringify(reply) };
      expect(await ask(url, false)).toMatchObject(FAILED);
    }
    script = { body: JSON.stringify(empty.stopped.plain) };
    expect(await ask(url, false)).toMatchObject({ kind: 'reply' });
  });

  it('is a failure if it is a stream without them, whatever else is in it', async () => {
    const { url } = await started();
    const property = fc.asyncProperty(fc.subarray([...empty.events]), fc.boolean(), async (events, ended) => {
      script = streamOf(kind, [...events, ...(ended ? empty.end : [])]);
      expect(await ask(url, true)).toMatchObject(FAILED);
      script = streamOf(kind, [...events, ...empty.stopped.events]);
      const outcome = await ask(url, true);
      expect(outcome).toMatchObject({ kind: 'reply' });
      if (outcome.kind === 'reply') expect((await drained(outcome.body)).thrown).toBeUndefined();
    });
    await fc.assert(property, { numRuns: scaled(50) });
  });
});
