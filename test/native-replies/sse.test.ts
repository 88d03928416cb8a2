import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SseReader } from '../../router/exchange/response.ts';
import { StreamReader } from '../../router/native-replies/stream-reader.ts';
import { parseUsage } from '../../router/native-replies/usage.ts';
import { scaled } from '../helpers/long-run.ts';

/** Cuts bytes at the given places, wherever they fall. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, at) => bytes.subarray(start, ends[at] ?? bytes.length));
}

function eventsOf(chunks: readonly Buffer[], maxBytes?: number) {
  const reader = new SseReader(maxBytes);
  return chunks.flatMap((chunk) => reader.push(chunk));
}

/** Pieces that make streams with all that the format knows, right and wrong. */
const PIECES = [
  'data: a',
  'data:b',
  'data',
  'data:  two',
  'event: delta',
  ': heartbeat',
  'id: 7',
  'retry: 10',
  'data: {"x":"äö€😀"}',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\ufeff',
  '€',
];
const stream = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PIECES).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 4 }),
    ),
    {
      maxLength: 40,
    },
  )
  .map((pieces) => Buffer.concat(pieces));

test('the same bytes give the same events however they are cut', () => {
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.integer({ min: 4, max: 60 }),
      (bytes, places, max) => {
        expect(eventsOf(cut(bytes, places))).toEqual(eventsOf([bytes]));
        expect(eventsOf(cut(bytes, places), max)).toEqual(eventsOf([bytes], max));
      },
    ),
    { numRuns: scaled(500) },
  );
});

test('the same bytes give the same events byte by byte', () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const single = Array.from(bytes, (byte) => Buffer.from([byte]));
      expect(eventsOf(single)).toEqual(eventsOf([bytes]));
    }),
  );
});

// The examples of the HTML standard, section 9.2.6.
test.each([
  ['data: YHOO\ndata: +2\ndata: 10\n\n', [{ event: 'message', data: 'YHOO\n+2\n10' }]],
  [
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
    ['first event', 'second event', ' third event'].map((data) => ({ event: 'message', data })),
  ],
  ['data\n\ndata\ndata\n\ndata:', ['', '\n'].map((data) => ({ event: 'message', data }))],
  [
    'event: add\r\ndata: 1\r\n\r\nevent: lost\n\ndata: 2\r\r',
    ['add', 'message'].map((event, at) => ({ event, data: String(at + 1) })),
  ],
  ['\ufeffdata: a\n\n', [{ event: 'message', data: 'a' }]],
  ['data: cut off', []],
])('%j', (text, events) => {
  expect(eventsOf([Buffer.from(text)])).toEqual(events);
});

test('invalid UTF-8 becomes U+FFFD, as a decoder of the whole would have it', () => {
  const bytes = Buffer.concat([
    Buffer.from('data: a'),
    Buffer.from([0xff, 0xe2, 0x82]),
    Buffer.from('b\n\n'),
  ]);
  const data = eventsOf(cut(bytes, [8, 9, 10]))[0]?.data;
  expect(data).toBe(new TextDecoder().decode(bytes).slice('data: '.length, -2));
});

test('a chunk may be written over once it was read', () => {
  const reader = new SseReader();
  const chunk = Buffer.from('data: a');
  reader.push(chunk);
  chunk.fill('x');
  expect(reader.push(Buffer.from('\n\n'))).toEqual([{ event: 'message', data: 'a' }]);
});

test('an event that is too long is skipped, and the next is read', () => {
  const events = eventsOf([Buffer.from(`data: ${'x'.repeat(100)}\n\ndata: next\n\n`)], 50);
  expect(events).toEqual([{ event: 'message', data: 'next' }]);
});

const OPENAI = [
  'data: {"choices":[{"delta":{"content":"say \\"usage\\""}}],"usage":null}\n\n',
  'data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":4}}}\n\n',
  'data: [DONE]\n\n',
];
const ANTHROPIC = [
  'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":7,"cache_read_input_tokens":20,"cache_creation_input_tokens":3,"output_tokens":1}}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"hi"}}\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{},"usage":{"output_tokens":9,"input_tokens":null}}\n\n',
];

test('usage is read from streams of both dialects, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
      const openai = new StreamReader('openai');
      for (const chunk of cut(Buffer.from(OPENAI.join('')), places)) openai.push(chunk);
      expect(openai.usage()).toEqual({ inputTokens: 11, outputTokens: 5, cachedInputTokens: 4 });
      const anthropic = new StreamReader('anthropic');
      for (const chunk of cut(Buffer.from(ANTHROPIC.join('')), places)) anthropic.push(chunk);
      expect(anthropic.usage()).toEqual({
        inputTokens: 30,
        outputTokens: 9,
        cachedInputTokens: 20,
        cacheWriteInputTokens: 3,
      });
    }),
  );
});

test('usage is undefined until the provider has named the final counts', () => {
  const openai = new StreamReader('openai');
  openai.push(Buffer.from(OPENAI[0]!));
  expect(openai.usage()).toBeUndefined();
  const anthropic = new StreamReader('anthropic');
  anthropic.push(Buffer.from(ANTHROPIC.slice(0, 2).join('')));
  expect(anthropic.usage()).toBeUndefined();
});

test.each([
  [undefined],
  [null],
  [{}],
  [{ usage: null }],
  [{ usage: {} }],
  [{ usage: { prompt_tokens: 'many', completion_tokens: 1 } }],
  [{ usage: { prompt_tokens: 3 } }],
])('no usage in %j', (answer) => {
  expect(parseUsage(answer, 'openai')).toBeUndefined();
  expect(parseUsage(answer, 'anthropic')).toBeUndefined();
});

test('embeddings have input and no output', () => {
  const answer = { usage: { prompt_tokens: 8, total_tokens: 8 } };
  expect(parseUsage(answer, 'openai')).toEqual({ inputTokens: 8, outputTokens: 0 });
});
