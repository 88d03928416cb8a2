import { expect, test } from 'vitest';
import { createLatencyBook } from '../../router/latency/index.ts';
import { model } from '../fallback/fallback-script.ts';

const MODEL = model('near/small');
const CONFIGURED = model('near/small', { latency: { firstTokenMs: 400, perTokenMs: 10 } });

function bookAt() {
  let now = 0;
  const book = createLatencyBook(() => now);
  const stream = (ms: number, tokens: number, perTokenMs: number) =>
    book.observe({ model: MODEL.name, stream: true, ms, reply: { tokens, streamedMs: tokens * perTokenMs } });
  return {
    book,
    stream,
    pass(ms: number) {
      now += ms;
    },
  };
}

const times = (n: number, act: () => void) => {
  for (let i = 0; i < n; i++) act();
};
const about = (value: number | undefined, expected: number) => {
  expect(value).toBeGreaterThan(expected / 1.06);
  expect(value).toBeLessThan(expected * 1.06);
};

test('nothing known: no expectation', () => {
  expect(bookAt().book.expectedMs(MODEL, 100)).toBeUndefined();
});

test('without measurements the catalog says it', () => {
  const { book } = bookAt();
  expect(book.expectedMs(CONFIGURED, 100)).toBe(1_400);
  expect(book.expectedMs(CONFIGURED, undefined)).toBe(5_400); // 500 tokens
});

test('enough measurements replace the catalog, and it counts again once they have faded', () => {
  const { book, stream, pass } = bookAt();
  times(9, () => stream(100, 50, 2));
  expect(book.expectedMs(CONFIGURED, 100)).toBe(1_400);
  times(3, () => stream(100, 50, 2));
  about(book.expectedMs(CONFIGURED, 100), 100 + 50 * 2);
  pass(3_600_000);
  expect(book.expectedMs(CONFIGURED, 100)).toBe(1_400);
});

test('a reply is expected to be as long as usual, or as the request allows', () => {
  const { book, stream } = bookAt();
  times(20, () => stream(100, 200, 5));
  about(book.expectedMs(MODEL, undefined), 100 + 200 * 5);
  about(book.expectedMs(MODEL, 10_000), 100 + 200 * 5);
  about(book.expectedMs(MODEL, 20), 100 + 20 * 5);
});

test('plain replies give the time per token, less the time to the first where streams have shown it', () => {
  const plain = bookAt();
  times(20, () =>
    plain.book.observe({
      model: MODEL.name,
      stream: false,
      ms: 1_100,
      reply: { tokens: 100, streamedMs: 0 },
    }),
  );
  about(plain.book.measured(MODEL.name).perToken?.p50, 11);
  about(plain.book.measured(MODEL.name).wholeReply?.p95, 1_100);
  const both = bookAt();
  times(20, () => both.stream(600, 100, 5));
  times(100, () =>
    both.book.observe({ model: MODEL.name, stream: false, ms: 1_100, reply: { tokens: 100, streamedMs: 0 } }),
  );
  about(both.book.measured(MODEL.name).perToken?.p50, 5);
});

test('short replies say nothing of the pace', () => {
  const { book, stream } = bookAt();
  times(20, () => stream(100, 3, 1_000));
  expect(book.measured(MODEL.name).perToken).toBeUndefined();
  about(book.measured(MODEL.name).firstToken?.p50, 100);
});

test('the time that counts as late needs as many measurements as the caller wants', () => {
  const { book, stream } = bookAt();
  times(49, () => stream(100, 10, 1));
  expect(book.firstByteMs(MODEL.name, true, 0.98, 50)).toBeUndefined();
  times(2, () => stream(3_000, 10, 1));
  about(book.firstByteMs(MODEL.name, true, 0.98, 50), 3_000);
  expect(book.firstByteMs(MODEL.name, false, 0.98, 50)).toBeUndefined();
});
