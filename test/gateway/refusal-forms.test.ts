import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refusalSentence } from '../../router/exchange/error-body.ts';
import { scaled } from '../helpers/long-run.ts';
import { scriptedProvider } from '../mapped-calls/scripted-provider.ts';
import { ask, gatewayForTest, KEY_VARIABLE, postRaw, UPSTREAM_KEY } from './running-gateway.ts';

const PATHS = { openai: '/v1/chat/completions', anthropic: '/v1/messages' };

const OPENAI_FORM = {
  error: {
    message: expect.any(String),
    type: 'invalid_request_error',
    param: null,
    code: null,
  },
};
const ANTHROPIC_FORM = {
  type: 'error',
  error: { type: 'invalid_request_error', message: expect.any(String) },
  request_id: expect.any(String),
};

/** Bodies of refusals as servers send them, and what they say. */
const FORMS: readonly (readonly [what: string, body: string, sentence: string])[] = [
  [
    'FastAPI, as Mistral and vLLM',
    '{"detail":[{"type":"missing","loc":["body","messages",0],"msg":"Field required","input":"a secret prompt"}]}',
    'body.messages.0: Field required',
  ],
  ['FastAPI, one sentence', '{"detail":"Not like this."}', 'Not like this.'],
  ['a detail inside a message', '{"object":"error","message":{"detail":[{"msg":"Nope"}]}}', 'Nope'],
  ['older vLLM', '{"object":"error","message":"Nope","type":"BadRequestError","code":400}', 'Nope'],
  ['an error that is a text', '{"error":"Nope"}', 'Nope'],
  ['a list of errors', '{"errors":[{"message":"One"},{"message":"Two"}]}', 'One; Two'],
  ['RFC 9457', '{"type":"about:blank","title":"Bad Request","status":400}', 'Bad Request'],
  ['plain text', 'Bad Request: nope\n', 'Bad Request: nope'],
  ['a JSON text', '"Nope"', 'Nope'],
  ['nothing', '', ''],
  ['null', 'null', ''],
  ['JSON that was cut off', '{"error":{"mess', ''],
  ['an object without a sentence', '{"code":3}', ''],
];

describe.each([
  ['openai', 'first/small'],
  ['openai', 'claude/small'],
  ['anthropic', 'claude/small'],
  ['anthropic', 'first/small'],
] as const)('a refusal to a client of %s by %s', (dialect, model) => {
  test.each(FORMS)('is in the form of the client: %s', async (_what, body, sentence) => {
    const provider = await scriptedProvider({ status: 400, body });
    const { url } = await gatewayForTest({ firstUrl: `${provider.url}/v1` });
    const response = await postRaw(url, PATHS[dialect], ask('Hello', model));
    expect(response.status).toBe(400);
    const received = (await response.json()) as { error: { message: string } };
    expect(received).toEqual(dialect === 'openai' ? OPENAI_FORM : ANTHROPIC_FORM);
    expect(received.error.message).toBe(sentence || `${model} refused this request with the status 400.`);
  });
});

test('a sentence is bounded, and no form breaks the reader', () => {
  expect(refusalSentence('x'.repeat(1e6))).toHaveLength(2_002);
  const tree = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'medium', maxDepth: 6 },
      fc.string(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('error', 'message', 'detail', 'msg', 'loc', '__proto__'), tie('tree')),
    ),
  })).tree;
  fc.assert(
    fc.property(tree, (json) => {
      expect(typeof refusalSentence(JSON.stringify(json))).toBe('string');
    }),
    { numRuns: scaled(100) },
  );
  expect(refusalSentence('['.repeat(200) + ']'.repeat(200))).toBe('');
});

test.each([
  ['openai', 'claude/small', false],
  ['openai', 'claude/small', true],
  ['anthropic', 'first/small', false],
  ['anthropic', 'first/small', true],
] as const)(
  'a key that a provider repeats is in no mapped reply: %s, %s, streamed: %s',
  async (dialect, model, stream) => {
    process.env[KEY_VARIABLE] = UPSTREAM_KEY;
    const text = `Your key is ${UPSTREAM_KEY}.`;
    const provider = await scriptedProvider(({ url }) =>
      repliesWith(text, url.includes('/messages'), stream),
    );
    const { url } = await gatewayForTest({ firstUrl: `${provider.url}/v1` });
    const response = await postRaw(url, PATHS[dialect], { ...ask('Hello', model), stream });
    expect(response.status).toBe(200);
    const received = await response.text();
    expect(received).toContain('Your key is [key].');
    expect(received).not.toContain(UPSTREAM_KEY);
  },
);

function repliesWith(text: string, isAnthropic: boolean, stream: boolean) {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', stop_sequence: null, usage };
  const chat = { id: 'c', created: 1, model: 'm' };
  if (!stream) {
    const body = isAnthropic
      ? { ...message, content: [{ type: 'text', text }], stop_reason: 'end_turn' }
      : {
          ...chat,
          choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
        };
    return { body: JSON.stringify(body) };
  }
  const events = isAnthropic
    ? [
        { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
        { type: 'message_stop' },
      ]
    : [
        {
          ...chat,
          choices: [{ index: 0, delta: { role: 'assistant', content: text }, finish_reason: null }],
        },
        { ...chat, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      ];
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  return { type: 'text/event-stream', body: isAnthropic ? body : `${body}data: [DONE]\n\n` };
}
