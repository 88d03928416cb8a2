import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type CapturedRequest, readCaptured } from '../../router/records/index.ts';
import { openState } from '../../router/state/index.ts';
import { ask, gatewayForTest, postRaw, type RunningGateway, type Wishes } from './running-gateway.ts';

type Changes = NonNullable<Wishes['config']>;

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-capture-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A gateway that captures into a new SQLite file. */
async function capturing(capture: Partial<NonNullable<Changes['capture']>>, changes: Changes = {}) {
  const state = { kind: 'sqlite' as const, url: path.join(scratch(), 'state.db') };
  const running = await gatewayForTest({ config: { state, capture: { share: 1, ...capture }, ...changes } });
  return { ...running, file: state.url, stored: () => storedIn(state.url) };
}

async function storedIn(url: string): Promise<CapturedRequest[]> {
  const state = await openState({ kind: 'sqlite', url, migrate: 'manual' });
  const all: CapturedRequest[] = [];
  for await (const one of readCaptured(state.log)) all.push(one);
  await state.close();
  return all;
}

async function outcomes({ url }: Pick<RunningGateway, 'url'>): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^plimsoll_captured_total\{outcome="([\w-]+)"\} (\d+)$/gm);
  return Object.fromEntries(
    [...lines].flatMap(([, outcome, count]) => (count === '0' ? [] : [[outcome, Number(count)]])),
  );
}

test('requests and replies of every dialect are kept, plain and streamed, with what they cost', async () => {
  const { openai, anthropic, stored, close, ...running } = await capturing({});
  const plain = await openai.chat.completions
    .create({
      ...ask('What is the capital of France, and how far is it from the sea?'),
      metadata: { task: 'geography' },
    })
    .withResponse();
  for await (const _ of await openai.chat.completions.create({
    ...ask('Name a river.'),
    stream: true,
    stream_options: { include_usage: true },
  }));
  const message = await anthropic.messages.create({ ...ask('Name a mountain.'), system: 'Be brief.' });
  await anthropic.messages.stream(ask('Name a lake.', 'auto:claude')).finalMessage();
  await openai.responses.create({ model: 'first/large', input: 'Name a sea.' });
  const image_url = { url: 'data:image/png;base64,iVBORw0KGgo=' };
  const picture = [{ role: 'user', content: [{ type: 'image_url', image_url }] }];
  await postRaw(running.url, '/v1/chat/completions', { model: 'first/large', messages: picture });
  await expect.poll(() => outcomes(running)).toEqual({ stored: 5, 'not-text': 1 });
  await close();
  const all = await stored();
  const [first, streamed, third, lake, sea] = all;
  const id = plain.response.headers.get('x-plimsoll-decision-id');
  expect(first).toEqual({
    id,
    timeMs: expect.any(Number),
    group: expect.any(String),
    samplingProbability: 1,
    stratum: { task: 'geography', length: 'short', language: 'en', score: expect.any(String) },
    request: {
      messages: [{ role: 'user', content: 'What is the capital of France, and how far is it from the sea?' }],
    },
    decision: {
      model: plain.response.headers.get('x-plimsoll-selected'),
      score: expect.any(Number),
      threshold: expect.any(Number),
      reason: plain.response.headers.get('x-plimsoll-reason'),
      artifact: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    reply: {
      model: plain.response.headers.get('x-plimsoll-served'),
      text: plain.data.choices[0]?.message.content,
      finishReason: 'stop',
      signals: expect.objectContaining({ refusal: 0, length_log: expect.any(Number) }),
      inputTokens: plain.data.usage?.prompt_tokens,
      outputTokens: plain.data.usage?.completion_tokens,
      costUsd: Number(plain.response.headers.get('x-plimsoll-cost-usd')),
      latencyMs: expect.any(Number),
    },
  });
  expect(streamed?.reply).toMatchObject({
    finishReason: 'stop',
    text: expect.stringMatching(/\w/),
    outputTokens: expect.any(Number),
  });
  const [block] = message.content;
  expect(third?.request).toEqual({
    system: 'Be brief.',
    messages: [{ role: 'user', content: 'Name a mountain.' }],
  });
  expect(third?.reply?.text).toBe(block?.type === 'text' && block.text);
  expect(lake?.stratum.task).toBe('claude');
  expect(lake?.reply?.text).toMatch(/\w/);
  expect(sea?.decision).toEqual({ model: 'first/large', reason: 'explicit-model' });
  expect(sea?.request.messages).toEqual([{ role: 'user', content: 'Name a sea.' }]);
  expect(sea?.stratum.score).toBe('none');
});

test('personal data are replaced in system, messages, calls, results and reply; nothing of them is in the file or the log', async () => {
  const names = path.join(scratch(), 'names.txt');
  writeFileSync(names, '# customers\nAnn Whitfield\n\n');
  const script = { turns: [], text: 'Write to ann@example.org or +49 30 901820.' };
  const state = { kind: 'sqlite' as const, url: path.join(scratch(), 'state.db') };
  const capture = {
    share: 1,
    redact: ['email', 'phone', 'card', 'iban', 'key', 'name'] as const,
    names_file: names,
  };
  const running = await gatewayForTest({
    config: { state, capture: { ...capture, redact: [...capture.redact] } },
    upstream: { script },
  });
  const tool = { type: 'function' as const, function: { name: 'find', parameters: { type: 'object' } } };
  await running.openai.chat.completions.create({
    model: 'auto',
    messages: [
      { role: 'system', content: 'The agent is Ann Whitfield, ann@example.org.' },
      { role: 'user', content: 'Find 4111 1111 1111 1111 of Ann Whitfield' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c', type: 'function', function: { name: 'find', arguments: '{"mail":"ann@example.org"}' } },
        ],
      },
      {
        role: 'tool',
        tool_call_id: 'c',
        content: 'DE89 3704 0044 0532 0130 00, key sk-abcdefghijklmnop1234',
      },
    ],
    tools: [tool],
    user: 'ann-7',
  });
  await expect.poll(() => outcomes(running)).toEqual({ stored: 1 });
  await running.close();
  const [one] = await storedIn(state.url);
  expect(one?.request).toEqual({
    system: 'The agent is [name 1], [email 1].',
    messages: [
      { role: 'user', content: 'Find [card 1] of [name 1]' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c', type: 'function', function: { name: 'find', arguments: '{"mail":"[email 1]"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c', content: '[iban 1], key [key 1]' },
    ],
    tools: [tool],
  });
  expect(one?.reply?.text).toBe('Write to [email 1] or [phone 1].');
  const file = readFileSync(state.url).toString('latin1') + running.log.join('');
  for (const word of ['ann@example.org', 'Whitfield', '4111 1111', 'DE89', 'sk-abcdef', '901820', 'ann-7'])
    expect(file).not.toContain(word);
});

test('only the words that are wanted, of the profiles that are wanted, within the bound', async () => {
  const { openai, url, stored, close } = await capturing({
    include: 'prompt',
    profiles: ['auto'],
    max_bytes: 4_096,
  });
  await openai.chat.completions.create(ask('One.'));
  await openai.chat.completions.create(ask('Two.', 'first/large'));
  await openai.chat.completions.create(ask('x'.repeat(5_000)));
  await expect
    .poll(() => outcomes({ url }))
    .toMatchObject({ stored: expect.any(Number), 'other-profile': 1, 'too-large': 1 });
  await close();
  const all = await stored();
  expect(all[0]?.request.messages).toEqual([{ role: 'user', content: 'One.' }]);
  expect(all[0]?.reply).toMatchObject({
    model: expect.any(String),
    finishReason: 'stop',
    outputTokens: expect.any(Number),
  });
  expect(all[0]?.reply).not.toHaveProperty('text');
});

test("the operator's program has the last word; what it does not give back is not kept", async () => {
  const program = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, texts } = JSON.parse(line);
    if (texts.some((text) => text.includes('hang'))) return;
    process.stdout.write(JSON.stringify({ id, texts: texts.map((text) => text.replaceAll('Atlantis', '[place]')) }) + '\\n');
  });`;
  const redact_command = { command: [process.execPath, '-e', program], timeout_ms: 5_000 };
  const { openai, url, stored, close } = await capturing({ redact_command, include: 'prompt' });
  await openai.chat.completions.create(ask('Where is Atlantis? Write to a@example.org.'));
  await expect.poll(() => outcomes({ url }), { timeout: 30_000 }).toEqual({ stored: 1 });
  await openai.chat.completions.create(ask('Please hang.'));
  await expect
    .poll(() => outcomes({ url }), { timeout: 30_000 })
    .toEqual({ stored: 1, 'redaction-failed': 1 });
  await close();
  expect((await stored()).map(({ request }) => request.messages[0]?.content)).toEqual([
    'Where is [place]? Write to [email 1].',
  ]);
});

test('a share: what is drawn has its probability, and nobody waits for it', async () => {
  const { openai, url, stored, close } = await capturing({ share: 0.5 });
  for (let n = 0; n < 40; n++) await openai.chat.completions.create(ask(`Question ${n}?`));
  await expect
    .poll(async () => Object.values(await outcomes({ url })).reduce((sum, count) => sum + count, 0))
    .toBe(40);
  const { stored: count = 0 } = await outcomes({ url });
  await close();
  const all = await stored();
  expect(all).toHaveLength(count);
  for (const { samplingProbability } of all) expect(samplingProbability).toBeGreaterThanOrEqual(0.25);
});

test.each([
  [{ redact: ['name'] as const }, 'capture.names_file'],
  [{ redact: ['name'] as const, names_file: '/no/such/file' }, 'capture.names_file'],
  [{ phone_countries: ['XX'] }, 'capture.phone_countries'],
])('a wrong configuration is refused: %j', async (capture, field) => {
  const started = capturing({
    ...capture,
    ...('redact' in capture && { redact: [...capture.redact] }),
  } as never);
  await expect(started).rejects.toThrow(field.replace('capture.', ''));
});
