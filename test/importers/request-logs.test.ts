import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCases, promptRows } from '../../evals/cases/index.ts';
import { importLogs, LOG_FORMATS, logFormat } from '../../scripts/importers/index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-logs-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

async function imported(format: string, ...contents: (readonly unknown[] | string)[]) {
  const place = (name: string) => path.join(scratch, `${files++}-${name}`);
  const inputs = contents.map((content) => {
    const file = place('log.jsonl');
    writeFileSync(
      file,
      typeof content === 'string' ? content : content.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    return file;
  });
  const out = place('requests.jsonl');
  const log = logFormat(format);
  if (log === undefined) throw new Error(`There is no format ${format}.`);
  const notes: string[] = [];
  const summary = await importLogs(log, { format, inputs, out, onNotes: (lines) => notes.push(...lines) });
  const rows = readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { summary, rows, notes, out };
}

const ASKED = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Name a river.' },
];
const COMPLETION = {
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: 'The Seine.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 4 },
};
const [START, END] = ['2026-11-29T10:00:00.000Z', '2026-11-29T10:00:01.500Z'];

/** One call, as each tool exports it. */
const RECORDS: Readonly<Record<string, unknown>> = {
  'openai-log': {
    id: 'r1',
    timestamp: START,
    request: { model: 'gpt-4o-mini', messages: ASKED },
    response: COMPLETION,
    latency_ms: 1_500,
  },
  'anthropic-log': {
    id: 'r1',
    timestamp: START,
    latency_ms: 1_500,
    request: {
      model: 'claude-haiku-4-5',
      max_tokens: 9,
      system: 'Be brief.',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Name a river.' }] }],
    },
    response: {
      type: 'message',
      model: 'claude-haiku-4-5',
      content: [{ type: 'text', text: 'The Seine.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 12, output_tokens: 4 },
    },
  },
  litellm: {
    id: 'r1',
    call_type: 'acompletion',
    status: 'success',
    model: 'gpt-4o-mini',
    messages: ASKED,
    response: COMPLETION,
    model_parameters: { temperature: 0 },
    prompt_tokens: 12,
    completion_tokens: 4,
    response_cost: 0.00001,
    startTime: 1_764_410_400,
    endTime: 1_764_410_401.5,
    response_time: 1.5,
  },
  langfuse: {
    id: 'r1',
    type: 'GENERATION',
    model: 'gpt-4o-mini',
    startTime: START,
    endTime: END,
    input: { messages: ASKED },
    output: { role: 'assistant', content: 'The Seine.' },
    usageDetails: { input: 12, output: 4 },
    calculatedTotalCost: 0.00001,
  },
  helicone: {
    request_id: 'r1',
    request_created_at: START,
    request_model: 'gpt-4o-mini',
    request_body: JSON.stringify({ model: 'gpt-4o-mini', messages: ASKED }),
    response_body: COMPLETION,
    delay_ms: 1_500,
    cost_usd: 0.00001,
  },
  langsmith: {
    id: 'r1',
    run_type: 'llm',
    start_time: START,
    end_time: END,
    extra: { metadata: { ls_model_name: 'gpt-4o-mini' } },
    inputs: {
      messages: [
        [
          {
            lc: 1,
            type: 'constructor',
            id: ['langchain', 'schema', 'messages', 'SystemMessage'],
            kwargs: { content: 'Be brief.' },
          },
          {
            lc: 1,
            type: 'constructor',
            id: ['langchain', 'schema', 'messages', 'HumanMessage'],
            kwargs: { content: 'Name a river.' },
          },
        ],
      ],
    },
    outputs: { generations: [[{ text: 'The Seine.' }]] },
    prompt_tokens: 12,
    completion_tokens: 4,
  },
  otel: {
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              { name: 'GET', spanId: 'x', attributes: [] },
              {
                name: 'chat gpt-4o-mini',
                spanId: 'r1',
                startTimeUnixNano: String(BigInt(Date.parse(START)) * 1_000_000n),
                endTimeUnixNano: String(BigInt(Date.parse(END)) * 1_000_000n),
                attributes: [
                  { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o-mini' } },
                  { key: 'gen_ai.usage.input_tokens', value: { intValue: '12' } },
                  { key: 'gen_ai.usage.output_tokens', value: { intValue: '4' } },
                  {
                    key: 'gen_ai.system_instructions',
                    value: { stringValue: JSON.stringify([{ type: 'text', content: 'Be brief.' }]) },
                  },
                  {
                    key: 'gen_ai.input.messages',
                    value: {
                      stringValue: JSON.stringify([
                        { role: 'user', parts: [{ type: 'text', content: 'Name a river.' }] },
                      ]),
                    },
                  },
                  {
                    key: 'gen_ai.output.messages',
                    value: {
                      stringValue: JSON.stringify([
                        {
                          role: 'assistant',
                          parts: [{ type: 'text', content: 'The Seine.' }],
                          finish_reason: 'stop',
                        },
                      ]),
                    },
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  chats: {
    id: 'r1',
    model: 'gpt-4o-mini',
    conversations: [
      { from: 'system', value: 'Be brief.' },
      { from: 'human', value: 'Name a river.' },
      { from: 'gpt', value: 'The Seine.' },
    ],
  },
};

describe('logs of calls', () => {
  it.each(Object.keys(RECORDS))(
    '%s: the request in one form, and what is known of its reply',
    async (format) => {
      const { summary, rows, out } = await imported(format, [RECORDS[format]]);
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        id: 'r1',
        source: format,
        system: 'Be brief.',
        messages: [{ role: 'user', content: 'Name a river.' }],
        reply: {
          model: expect.stringMatching(/gpt-4o-mini|claude-haiku-4-5/),
          text: 'The Seine.',
          ...(format !== 'chats' && { input_tokens: 12, output_tokens: 4, latency_ms: 1_500 }),
        },
      });
      expect(summary).toMatchObject({ requests: 1, labelled: 0, rejected: 0 });
      for await (const { one } of promptRows([out]))
        expect(one).toMatchObject({ id: 'r1', text: 'Name a river.' });
    },
  );

  it('every format has a test', () => {
    expect([...Object.keys(RECORDS), 'promptfoo'].sort()).toEqual(
      LOG_FORMATS.map(({ format }) => format).sort(),
    );
  });

  it('scores of promptfoo are labels: one case a prompt, with an outcome a provider', async () => {
    const result = (id: string, raw: string, score: number) => ({
      provider: { id },
      prompt: { raw },
      response: { output: 'The Seine.', tokenUsage: { prompt: 12, completion: 4 } },
      cost: 0.00001,
      latencyMs: 5,
      score,
      success: score === 1,
    });
    const results = [
      result('openai:small', 'Name a river.', 0),
      result('openai:large', 'Name a river.', 1),
      result('openai:small', JSON.stringify(ASKED), 1),
      result('openai:large', JSON.stringify(ASKED), 1),
    ];
    const { summary, out } = await imported('promptfoo', [{ results: { version: 3, results } }]);
    expect(summary).toMatchObject({
      requests: 2,
      labelled: 2,
      models: { 'openai:small': 2, 'openai:large': 2 },
      missing: {},
    });
    const { cases } = await loadCases([out]);
    expect(
      cases.map(({ outcomes }) => [...outcomes].map(([model, { quality }]) => [model, quality])),
    ).toEqual([
      [
        ['openai:small', 0],
        ['openai:large', 1],
      ],
      [
        ['openai:small', 1],
        ['openai:large', 1],
      ],
    ]);
  });

  it('a batch of OpenAI or Anthropic: requests and replies of two files', async () => {
    const openai = await imported(
      'openai-log',
      [
        {
          custom_id: 'a',
          method: 'POST',
          url: '/v1/chat/completions',
          body: { model: 'gpt-4o-mini', messages: ASKED },
        },
      ],
      [{ id: 'batch_1', custom_id: 'a', response: { status_code: 200, body: COMPLETION }, error: null }],
    );
    expect(openai.rows[0]).toMatchObject({
      id: 'a',
      reply: { model: 'gpt-4o-mini-2024-07-18', text: 'The Seine.', output_tokens: 4 },
    });
    const anthropic = await imported(
      'anthropic-log',
      [
        {
          custom_id: 'a',
          params: { model: 'claude-haiku-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
        },
      ],
      [
        {
          custom_id: 'a',
          result: {
            type: 'succeeded',
            message: {
              type: 'message',
              model: 'claude-haiku-4-5',
              content: [{ type: 'text', text: 'Hello.' }],
            },
          },
        },
      ],
    );
    expect(anthropic.rows[0]).toMatchObject({
      id: 'a',
      messages: [{ role: 'user', content: 'Hi' }],
      reply: { model: 'claude-haiku-4-5', text: 'Hello.' },
    });
  });

  it('a log that is cut in the middle loses one row; bad rows are told by kind, and what is missing is counted', async () => {
    const good = Array.from({ length: 60 }, (_, n) => ({
      request: { model: n % 2 ? 'a' : 'b', messages: [{ role: 'user', content: `Question ${n}?` }] },
    }));
    const whole = good.map((one) => `${JSON.stringify(one)}\n`).join('');
    const { summary, notes } = await imported(
      'openai-log',
      `${whole}${JSON.stringify(good[0]).slice(0, 40)}`,
    );
    expect(summary).toMatchObject({
      requests: 60,
      rejected: 1,
      read: 61,
      models: { a: 30, b: 30 },
      missing: { 'reply.text': 60, 'reply.cost_usd': 60 },
    });
    expect(notes.join('\n')).toMatch(/:61: not valid JSON/);
    const picture = {
      request: { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
    };
    await expect(imported('openai-log', [good[0], picture, picture, { request: {} }])).rejects.toThrow(
      /3 of 4 rows[\s\S]*text alone/,
    );
  });

  it('what calls no model is left out, and a file of nothing else is refused', async () => {
    const { summary } = await imported('langfuse', [{ type: 'SPAN', name: 'x' }, RECORDS['langfuse']]);
    expect(summary).toMatchObject({ requests: 1, excluded: 1 });
    await expect(imported('langsmith', [{ run_type: 'chain' }])).rejects.toThrow(
      'none of 1 records is a call of a model',
    );
  });
});
