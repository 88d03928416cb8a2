import { expect, test } from 'vitest';
import type { Dialect } from '../../router/catalog/index.ts';
import { ExchangeError } from '../../router/exchange/provider-error.ts';
import { StreamReader } from '../../router/native-replies/stream-reader.ts';

const STOP = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const OPEN = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
const ERROR = 'data: {"error":{"message":"no","code":502}}\n\n';

/** What a clean end after these bytes means. */
function endOf(text: string, dialect: Dialect = 'openai'): 'whole' | 'broken' | 'told' {
  const reader = new StreamReader(dialect);
  reader.push(Buffer.from(text));
  const broken = reader.errorAtEnd();
  if (broken === undefined) return 'whole';
  return broken.reportedToClient ? 'told' : 'broken';
}

test.each([
  ['[DONE]', `${OPEN}data: [DONE]\n\n`, 'whole'],
  ['[DONE] without its blank line', `${OPEN}data: [DONE]`, 'whole'],
  ['half of [DONE]', `${OPEN}data: [DO`, 'broken'],
  ['[DONE] in a text', OPEN.replace('"a"', '"[DONE]"'), 'broken'],
  ['a reason to finish', OPEN + STOP, 'whole'],
  ['a reason, then the usage', `${STOP}data: {"choices":[],"usage":{}}\n\n`, 'whole'],
  ['a reason, then a comment', `${STOP}: ping`, 'whole'],
  ['a reason, spaced', STOP.replace(':"stop"', ' : "tool_calls"'), 'whole'],
  ['a reason that is empty', STOP.replace('"stop"', '""'), 'broken'],
  ['a reason in an event that is cut off', STOP.slice(0, -1), 'broken'],
  ['a reason, then half an event', `${STOP}data: {"choi`, 'broken'],
  ['a reason, then the name of an event', `${STOP}event: x\n`, 'broken'],
  ['a reason that a text quotes', OPEN.replace('"a"', JSON.stringify('{"finish_reason":"stop"}')), 'broken'],
  ['no reason', OPEN, 'broken'],
  ['nothing', '', 'broken'],
  ['an error', OPEN + ERROR, 'told'],
  ['an error, then [DONE]', `${OPEN}${ERROR}data: [DONE]\n\n`, 'told'],
  ['an error beside a choice', STOP.replace('"stop"}]', '"error"}],"error":{"code":502}'), 'told'],
  ['the reason `error`', STOP.replace('"stop"', '"error"'), 'broken'],
  ['an event of that name', `${OPEN}event: error\ndata: overloaded\n\n`, 'told'],
  ['FastAPI’s form of an error', `${OPEN}data: {"detail":"out of memory"}\n\ndata: [DONE]\n\n`, 'broken'],
  ['a status and a message', `${OPEN}data: {"code":500,"message":"no"}\n\ndata: [DONE]\n\n`, 'broken'],
  ['a list of errors', `${OPEN}data: {"errors":[{"message":"no"}]}\n\ndata: [DONE]\n\n`, 'broken'],
  ['a warning', `data: {"warning":"slow","detail":"queue"}\n\n${OPEN}${STOP}`, 'whole'],
  ['a ping', `data: {"type":"ping"}\n\n${OPEN}${STOP}`, 'whole'],
  ['counts alone', `${OPEN}${STOP}data: {"usage":{"prompt_tokens":1},"code":200}\n\n`, 'whole'],
  ['an error that is none', STOP.replace('}]}', '}],"error":null}'), 'whole'],
  ['an error that a text quotes', OPEN.replace('"a"', JSON.stringify(ERROR)) + STOP, 'whole'],
  ['half of an error', OPEN + ERROR.slice(0, -1), 'broken'],
] as const)('OpenAI: %s', (_, text, end) => {
  expect(endOf(text)).toBe(end);
});

const DELTA =
  'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"message_stop"}}\n\n';
const MESSAGE_STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

test.each([
  ['message_stop', DELTA + MESSAGE_STOP, 'whole'],
  ['message_stop without the name', DELTA + MESSAGE_STOP.slice('event: message_stop\n'.length), 'whole'],
  ['message_stop, cut off', DELTA + MESSAGE_STOP.slice(0, -1), 'broken'],
  ['message_stop in a text', DELTA, 'broken'],
  [
    'message_delta',
    `${DELTA}data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n`,
    'broken',
  ],
  ["OpenAI's end", `${DELTA}data: [DONE]\n\n`, 'broken'],
  [
    'an error',
    `${DELTA}event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n`,
    'told',
  ],
] as const)('Anthropic: %s', (_, text, end) => {
  expect(endOf(text, 'anthropic')).toBe(end);
});

test('only the first event counts as the first error', () => {
  const later = new StreamReader('openai');
  later.push(Buffer.from(OPEN + ERROR));
  expect(later.firstError).toBeUndefined();
  const first = new StreamReader('openai');
  first.push(Buffer.from(`: busy\n\n${ERROR.slice(0, 10)}`));
  expect(first.begun).toBe(false);
  first.push(Buffer.from(ERROR.slice(10)));
  expect(first.firstError).toContain('"code":502');
});

test('what breaks a stream off counts until its end, and not after', () => {
  const cause = new ExchangeError('stall', 'silence');
  const reader = new StreamReader('openai');
  reader.push(Buffer.from(STOP));
  expect(reader.errorAtEnd(cause)).toBe(cause);
  reader.push(Buffer.from('data: [DONE]\n\n'));
  expect(reader.errorAtEnd(cause)).toBeUndefined();
});
