import { expect, test } from 'vitest';
import { questionKey } from '../../evals/cases/index.ts';
import { estimateTokens } from '../../router/catalog/token-estimate.ts';
import { classifyRefusal, retryAfterMs } from '../../router/exchange/provider-error.ts';
import { clientHeaders, contentEncoding, headFault, SseReader } from '../../router/exchange/response.ts';
import { wantedModel } from '../../router/gateway/model-names.ts';
import { editFields, JsonScan, jsonErrorPlace } from '../../router/json/index.ts';
import { isCallError, refusedByProvider } from '../../router/mapped-calls/attempt.ts';
import { StreamReader } from '../../router/native-replies/stream-reader.ts';
import { routedText } from '../../router/prompt/index.ts';
import { headAndTail } from '../../router/prompt/text-limits.ts';
import { REDACTED_KINDS } from '../../router/redaction/index.ts';
import { createRedactor } from '../../router/redaction/redactor.ts';
import { redactedLine } from '../../router/telemetry/logger.ts';

/** Of bodies. Quadratic work on so many characters takes a minute, linear work some milliseconds. */
const LONG = 300_000;
/** Of a header: more than Node and undici let through. */
const HEADER = 100_000;
/** Generous: the machine may be busy. */
const MAX_MS = 3_000;

/** What patterns and scans may go back over: runs, nearly matching pairs, things that open and never close. */
const PIECES = [
  'a',
  ' ',
  '\n',
  '\t \r',
  '"',
  '\\',
  '\\"',
  '{',
  '[',
  '{},',
  '{"a":',
  '1',
  '1.',
  ',',
  ';',
  '-',
  'a-',
  'a-1',
  '/',
  '://',
  '://a:',
  '<',
  '<a>',
  '</a>',
  '<task>',
  '<task ',
  '\n<task ',
  '\n<task>',
  '</task>',
  '</task> x',
  '<env>\n',
  '\n</env>',
  '<system-reminder>',
  '<system-reminder></system-reminder>',
  '# AGENTS.md instructions',
  '</INSTRUCTIONS>',
  '```',
  '\n```',
  'Question: ',
  '\nQuestion: ',
  'Context:\n',
  '<context>',
  '\n   Query:',
  '(A) ',
  '\nA. ',
  'Answer:',
  'basic ',
  'Bearer ',
  'cookie ',
  'cookie=',
  'password"',
  'sk-',
  'plim_',
  'data: ',
  'data: x\n',
  'event: error\n\n',
  'data:\r',
  '"finish_reason" ',
  '"type" ',
  '"error"',
  'input token count ',
  '"retryDelay": ',
  '"retryDelay":"1',
  '漢',
  '\ud800',
  '@',
  'a@',
  'a@b.',
  '030 ',
  '+1-',
  '(1',
  'DE89',
  '4111 ',
  'eyJa.',
  'eyJabcdefghij.eyJ',
  'password=',
  'password is ',
  '-----BEGIN PRIVATE KEY-----',
  'Ann ',
  '王',
  'e\u0301',
];

/** Each in a run, alone, behind a beginning that fits and before an end that does not. */
function texts(length: number, before: readonly string[] = ['']): string[] {
  return PIECES.flatMap((piece) =>
    before.flatMap((start) => {
      const run = piece.repeat(Math.ceil(length / piece.length));
      return [start + run, `${start}${run}!`];
    }),
  );
}

function expectFast(name: string, work: (text: string) => unknown, inputs: readonly string[]): void {
  for (const input of inputs) {
    const startedMs = performance.now();
    try {
      work(input);
    } catch (error) {
      if (error instanceof RangeError) throw error; // a stack that overflowed
    }
    const ms = performance.now() - startedMs;
    expect(ms, `${name} of ${JSON.stringify(input.slice(0, 40))}`).toBeLessThan(MAX_MS);
  }
}

const call = { model: { name: 'p/m' }, dialect: 'openai' } as Parameters<typeof refusedByProvider>[0];

function sdkError(responseBody: string) {
  const error = Object.assign(new Error('refused'), {
    name: 'AI_APICallError',
    statusCode: 400,
    responseBody,
  });
  if (!isCallError(error)) throw new Error('This is no error of the SDK.');
  return error;
}

const redactor = createRedactor({ kinds: REDACTED_KINDS, names: ['Ann', 'Ann Ann Ann Lee', '王小明'] });

const BODIES: readonly [string, (text: string) => unknown, (readonly string[])?][] = [
  ['routedText', (prompt) => routedText({ prompt })],
  [
    'routedText of parts',
    (text) =>
      routedText({
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text },
              { type: 'text', text: '<task>x</task>' },
            ],
          },
        ],
      }),
  ],
  ['estimateTokens', estimateTokens],
  ['headAndTail', (text) => headAndTail(text, 1_000)],
  ['questionKey', questionKey],
  ['wantedModel', wantedModel, ['', 'router-', 'auto:', 'a/']],
  [
    'editFields',
    (text) => editFields(text, {}, { set: ['model', 'm'] }),
    ['', '{"model":', '{"a":"', '{"model":"'],
  ],
  [
    'editFields of a body with a model',
    (text) => editFields(text, { model: 'm' }, { set: ['model', 'm'] }),
    ['', '{"model":', '{"a":"', '{"model":"', '{"model":1,"a":"\\\\u00'],
  ],
  [
    'JsonScan',
    (text) => new JsonScan({ maxDepth: LONG, maxValues: 10 * LONG }).push(Buffer.from(text)),
    ['', '"'],
  ],
  ['jsonErrorPlace', jsonErrorPlace, ['', '{"a":"', '[1,', '-']],
  ['personal data', (text) => redactor().text(text)],
  ['redactedLine', (text) => redactedLine(JSON.stringify({ token: 'x', text }))],
  [
    'refusalOf',
    (text) => classifyRefusal(400, 'application/json', JSON.stringify({ error: { message: text } })),
  ],
  ['refusedByProvider', (text) => refusedByProvider(call, sdkError(text), 'key')],
  ['SseReader', (text) => new SseReader().push(Buffer.from(text)), ['', 'data: ']],
  ['StreamReader', (text) => new StreamReader('openai').push(Buffer.from(`data: ${text}\n\n`))],
];

test.each(BODIES)(
  '%s takes linear time',
  (name, work, before) => {
    expectFast(name, work, texts(LONG, before));
  },
  300_000,
);

const HEADERS: readonly [string, (text: string) => unknown][] = [
  ['retryAfterMs', (text) => retryAfterMs({ 'retry-after': text, 'x-ratelimit-reset': text })],
  ['answerHeaders', (connection) => clientHeaders({ connection }, false, undefined)],
  ['encodingOf', (text) => contentEncoding({ status: 200, headers: { 'content-encoding': text } })],
  ['wrongHead', (text) => headFault({ status: 200, headers: { 'content-type': text } }, false)],
];

test.each(HEADERS)(
  '%s takes linear time',
  (name, work) => {
    expectFast(name, work, texts(HEADER, ['', 'application/', 'a, ', '1h']));
  },
  120_000,
);
