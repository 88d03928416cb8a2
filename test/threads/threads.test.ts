import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openState } from '../../router/state/index.ts';
import { memoryState } from '../../router/state/memory.ts';
import { createThreads } from '../../router/threads/index.ts';
import { postRaw, type RunningGateway } from '../gateway/running-gateway.ts';
import { eventsOf } from '../responses-dialect/event-rules.ts';
import { gatewayWithAllKinds, MODELS, WAYS } from '../responses-dialect/gateways.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-threads-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let running: RunningGateway;
beforeAll(async () => {
  running = await gatewayWithAllKinds({ config: { threads: 'on', state: { kind: 'memory' } } });
});
afterAll(() => running.close());

const notFound = { status: 404 };

test.each(WAYS)('%s: a reply is kept, read, gone on from at every other model, and deleted', async (way) => {
  const { openai } = running;
  const first = await openai.responses.create({ model: MODELS[way], input: `I am Ada (${way}).` });
  expect(first).toMatchObject({ store: true });
  const kept = await openai.responses.retrieve(first.id);
  expect(kept.output).toEqual(first.output);
  const items = await openai.responses.inputItems.list(first.id);
  expect(items.data).toMatchObject([
    { type: 'message', role: 'user', content: [{ text: `I am Ada (${way}).` }] },
  ]);

  let previous = first;
  for (const other of WAYS) {
    const next = { model: MODELS[other], input: `And ${other}?`, previous_response_id: previous.id };
    const events = await eventsOf(openai, next);
    const last = events.at(-1);
    if (last?.type !== 'response.completed') throw new Error(`ends with ${last?.type}`);
    const sent = JSON.stringify(running.first.requests.at(-1)!.body);
    expect(sent).toContain(`I am Ada (${way}).`);
    expect(sent).toContain(JSON.stringify(first.output_text).slice(1, -1));
    expect(sent).not.toContain('previous_response_id":"');
    previous = last.response;
    expect((await openai.responses.retrieve(previous.id)).previous_response_id).toBe(
      next.previous_response_id,
    );
  }
  await openai.responses.delete(first.id);
  await expect(openai.responses.retrieve(first.id)).rejects.toMatchObject(notFound);
  await expect(
    openai.responses.create({ model: MODELS[way], input: 'Go on.', previous_response_id: previous.id }),
  ).rejects.toMatchObject({
    status: 400,
    code: 'previous_response_not_found',
    param: 'previous_response_id',
  });
});

test('store: false keeps nothing, also as a stream', async () => {
  const { openai } = running;
  const ask = { model: MODELS.anthropic, input: 'Forget it.', store: false };
  const plain = await openai.responses.create(ask);
  expect(plain).toMatchObject({ store: false });
  const events = await eventsOf(openai, ask);
  for (const id of [plain.id, events[0]?.type === 'response.created' ? events[0].response.id : '']) {
    await expect(openai.responses.retrieve(id)).rejects.toMatchObject(notFound);
  }
});

test('a reference to an item is the item', async () => {
  const { openai } = running;
  const first = await openai.responses.create({ model: MODELS.anthropic, input: 'Say something.' });
  const input = [
    { type: 'item_reference' as const, id: first.output[0]!.id! },
    { role: 'user' as const, content: 'Say it again.' },
  ];
  await openai.responses.create({ model: MODELS.compatible, input });
  expect(running.first.requests.at(-1)!.body['messages']).toMatchObject([
    { role: 'assistant', content: first.output_text },
    { role: 'user' },
  ]);
  input[0]!.id = 'msg_nobody';
  await expect(openai.responses.create({ model: MODELS.compatible, input })).rejects.toMatchObject({
    status: 400,
    param: 'input.0.id',
  });
});

test('a conversation is created, gone on with, read and deleted', async () => {
  const { openai } = running;
  const { id } = await openai.conversations.create({
    metadata: { topic: 'tea' },
    items: [{ type: 'message', role: 'user', content: 'I like tea.' }],
  });
  for (const way of WAYS) {
    await openai.responses.create({ model: MODELS[way], conversation: id, input: `What do I like, ${way}?` });
    expect(JSON.stringify(running.first.requests.at(-1)!.body)).toContain('I like tea.');
  }
  const items: OpenAI.Conversations.ConversationItem[] = [];
  for await (const item of openai.conversations.items.list(id, { order: 'asc', limit: 2 })) items.push(item);
  expect(items.length).toBeGreaterThanOrEqual(1 + 2 * WAYS.length);
  expect(items[0]).toMatchObject({ role: 'user', content: [{ text: 'I like tea.' }] });
  expect(await openai.conversations.retrieve(id)).toMatchObject({ metadata: { topic: 'tea' } });
  await openai.conversations.delete(id);
  await expect(openai.conversations.retrieve(id)).rejects.toMatchObject(notFound);
  await expect(
    openai.responses.create({ model: MODELS.anthropic, conversation: id, input: 'Still?' }),
  ).rejects.toMatchObject(notFound);
});

async function refusal(response: Response): Promise<{ status: number; message: string }> {
  const { error } = (await response.json()) as { error: { message: string } };
  return { status: response.status, message: error.message };
}

test('a page has as many items as it was asked for, and goes on after an item', async () => {
  const { openai } = running;
  const { id } = await openai.conversations.create({
    items: [{ type: 'message', role: 'user', content: 'first' }],
  });
  for (const input of ['second', 'third']) {
    await openai.responses.create({ model: MODELS.anthropic, conversation: id, input });
  }
  const all = (await openai.conversations.items.list(id, { order: 'asc', limit: 100 })).data;
  expect(all).toHaveLength(5);
  for (const order of ['asc', 'desc'] as const) {
    for (const limit of [1, 2, 3]) {
      const read: OpenAI.Conversations.ConversationItem[] = [];
      for await (const item of openai.conversations.items.list(id, { order, limit })) read.push(item);
      expect(read).toEqual(order === 'asc' ? all : all.toReversed());
    }
  }
  const items = `${running.url}/v1/conversations/${id}/items`;
  for (const limit of ['0', '101', '1.5', 'x']) {
    expect(await refusal(await fetch(`${items}?limit=${limit}`))).toMatchObject({
      status: 400,
      message: expect.stringContaining('limit must be a whole number from 1 to 100'),
    });
  }
  expect(await refusal(await fetch(`${items}?after=msg_nobody`))).toMatchObject({ status: 400 });
  // A wrong limit is found before anything is read.
  const nobody = `${running.url}/v1/conversations/conv_nobody/items`;
  expect((await fetch(`${nobody}?limit=0`)).status).toBe(400);
  expect((await fetch(`${nobody}?limit=1`)).status).toBe(404);
});

test('a page reads no more documents than it needs', async () => {
  const { documents } = memoryState();
  let reads = 0;
  const threads = createThreads({
    ...documents,
    get: (key) => {
      reads++;
      return documents.get(key);
    },
  });
  const items = Array.from({ length: 20 }, (_, at) => ({ role: 'user', content: `${at}` }));
  const { id } = (await threads.createConversation({}, items, '')) as { id: string };
  reads = 0;
  const page = { limit: 1, order: 'asc', after: undefined } as const;
  expect(await threads.conversationItems(id, page, '')).toMatchObject({
    items: [{ content: [{ text: '0' }] }],
    hasMore: true,
  });
  expect(reads).toBe(3); // the conversation, its item, and the next one
});

const message = { type: 'message', role: 'user', content: 'Hi.' };

test.each<[string, string, RegExp]>([
  ['a list', '[]', /must be a JSON object/],
  ['a field twice', '{"metadata":{"a":"1","a":"2"}}', /metadata\.a is there more than once/],
  ['metadata of another type', '{"metadata":[]}', /metadata must be an object/],
  ['a value of metadata', '{"metadata":{"a":1}}', /metadata\.a must be a string of at most 512/],
  ['a long value', JSON.stringify({ metadata: { a: 'x'.repeat(513) } }), /metadata\.a must be .* 512/],
  ['a long key', JSON.stringify({ metadata: { ['k'.repeat(65)]: '' } }), /longer than 64 characters/],
  [
    'many keys',
    JSON.stringify({ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [at, ''])) }),
    /has 17 keys, and may have 16/,
  ],
  ['items of another type', '{"items":["Hi."]}', /items must be a list of items/],
  ['many items', JSON.stringify({ items: Array(21).fill(message) }), /items has 21 items, .* 20 at most/],
])('a body of conversations is refused: %s', async (_, body, expected) => {
  const headers = { 'content-type': 'application/json' };
  const refused = await fetch(`${running.url}/v1/conversations`, { method: 'POST', headers, body });
  expect(await refusal(refused)).toEqual({ status: 400, message: expect.stringMatching(expected) });
});

test('OpenAI’s largest metadata and number of items are taken, and no more items are added at once', async () => {
  const keys = Array.from({ length: 16 }, (_, at) => `${at}`.padEnd(64, 'k'));
  const metadata = Object.fromEntries(keys.map((key) => [key, 'v'.repeat(512)]));
  const items = Array(20).fill(message);
  const created = await postRaw(running.url, '/v1/conversations', { metadata, items });
  const { id } = (await created.json()) as { id: string };
  expect(await running.openai.conversations.retrieve(id)).toMatchObject({ metadata });
  const added = `/v1/conversations/${id}/items`;
  expect((await postRaw(running.url, added, { items })).status).toBe(200);
  const refused = await postRaw(running.url, added, { items: [...items, message] });
  expect(await refusal(refused)).toMatchObject({
    status: 400,
    message: expect.stringContaining('20 at most'),
  });
});

test('a response with more than 1,000 input items is answered only if it is not to be kept', async () => {
  const request = { model: MODELS.anthropic, input: Array(1_001).fill(message) };
  const before = running.first.requests.length;
  const refused = await postRaw(running.url, '/v1/responses', request);
  expect(await refusal(refused)).toEqual({
    status: 400,
    message: expect.stringMatching(/input has 1001 items, .* 1000 at most; send store: false/),
  });
  expect(running.first.requests).toHaveLength(before);
  expect((await postRaw(running.url, '/v1/responses', { ...request, store: false })).status).toBe(200);
});

test('a thread with 2,000 items takes no more, and can still be read', async () => {
  const threads = createThreads(memoryState().documents);
  const { id } = (await threads.createConversation({}, [], '')) as { id: string };
  const next = { conversation: id, input: Array(1_000).fill(message) };
  let last = '';
  for (const response of ['resp_1', 'resp_2']) {
    const request = await threads.resolve(next, '');
    expect(await threads.keep(request, { id: response, output: [] }, '')).toBe(true);
    const chained = await threads.resolve(
      { input: next.input, ...(last !== '' && { previous_response_id: last }) },
      '',
    );
    last = `chained_${response}`;
    expect(await threads.keep(chained, { id: last, output: [] }, '')).toBe(true);
  }
  await expect(threads.addItems(id, [message], '')).rejects.toThrow(/2000 items, and takes no more/);
  for (const full of [{ conversation: id }, { previous_response_id: last }]) {
    const request = { ...full, input: 'And now?' };
    await expect(threads.resolve(request, '')).rejects.toThrow(/2000 items, and takes no more/);
    const { body } = await threads.resolve({ ...request, store: false }, '');
    expect(body['input']).toHaveLength(2_001);
  }
});

test('ids that are none are clear errors', async () => {
  const long = 'r'.repeat(10_000);
  for (const previous_response_id of ['resp_nobody', long, '']) {
    const body = { model: MODELS.anthropic, input: 'Go on.', previous_response_id };
    const refused = await postRaw(running.url, '/v1/responses', body);
    expect(refused.status).toBe(400);
    const { error } = (await refused.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('previous_response_not_found');
    expect(error.message).not.toContain('rrrr');
  }
  expect((await fetch(`${running.url}/v1/responses/${long}`)).status).toBe(404);
});

test('a thread of another key is not there, and one that leads back to itself is refused', async () => {
  const { documents } = memoryState();
  const threads = createThreads(documents);
  const request = await threads.resolve({ input: 'Mine.' }, 'key-a');
  await threads.keep(request, { id: 'resp_1', output: [] }, 'key-a');
  expect((await threads.response('resp_1', 'key-a')).response['id']).toBe('resp_1');
  await expect(threads.response('resp_1', 'key-b')).rejects.toMatchObject({ code: 'not-found' });
  await expect(threads.resolve({ previous_response_id: 'resp_1' }, 'key-b')).rejects.toMatchObject({
    code: 'previous-response-not-found',
  });
  const value = { response: { id: 'resp_2', output: [] }, input: [], ancestors: ['resp_2'] };
  await documents.put({ scope: 'key-a', kind: 'response', id: 'resp_2' }, { value });
  await expect(threads.resolve({ previous_response_id: 'resp_2' }, 'key-a')).rejects.toThrow(
    /leads back to itself/,
  );
});

test('erasure finds responses and their items by user and session, and conversations by their id', async () => {
  const state = { kind: 'sqlite' as const, url: path.join(scratch, 'erasure.db') };
  const own = await gatewayWithAllKinds({ config: { threads: 'on', state } });
  const { openai } = own;
  const say = async (fields: object, headers?: Record<string, string>) =>
    (await openai.responses.create({ model: MODELS.anthropic, input: 'Hello.', ...fields }, { headers })).id;
  try {
    const { id: conversation } = await openai.conversations.create({
      items: [{ type: 'message', role: 'user', content: 'I like tea.' }],
    });
    const byUser = [await say({ user: 'ann' }), await say({ safety_identifier: 'ann' })];
    const next = await say({ user: 'ann', previous_response_id: byUser[0] });
    const bySession = await say({}, { 'x-session-id': 'monday' });
    const inConversation = await say({ conversation });
    const other = await say({ user: 'bob' }, { 'x-session-id': 'tuesday' });
    const kept = await openState({ ...state, migrate: 'manual' });
    onTestFinished(() => kept.close());
    const isGone = async (id: string) => {
      const found = await openai.responses.retrieve(id).catch((error) => error.status);
      return found === 404;
    };

    expect(await kept.documents.erase({ user: 'ann' })).toBeGreaterThanOrEqual(3 * 3); // with an item each way
    for (const id of [...byUser, next]) expect(await isGone(id)).toBe(true);
    expect(await isGone(bySession)).toBe(false);
    await kept.documents.erase({ session: 'monday' });
    expect(await isGone(bySession)).toBe(true);
    await kept.documents.erase({ session: conversation });
    expect(await isGone(inConversation)).toBe(true);
    await expect(openai.conversations.retrieve(conversation)).rejects.toMatchObject(notFound);
    expect(await isGone(other)).toBe(false);
  } finally {
    await own.close();
  }
});

test('without threads nothing is kept, and nothing goes out with only its last part', async () => {
  const off = await gatewayWithAllKinds();
  try {
    const reply = await off.openai.responses.create({ model: MODELS.anthropic, input: 'Hello.' });
    expect(reply).toMatchObject({ store: false });
    await expect(off.openai.responses.retrieve(reply.id)).rejects.toMatchObject(notFound);
    const before = off.first.requests.length;
    for (const body of [
      { previous_response_id: reply.id },
      { conversation: 'conv_1' },
      { input: [{ type: 'item_reference', id: 'msg_1' }] },
    ]) {
      const refused = await postRaw(off.url, '/v1/responses', {
        model: MODELS.openai,
        input: 'Go on.',
        ...body,
      });
      expect(await refused.json()).toMatchObject({ error: { code: 'previous_response_not_found' } });
    }
    expect(off.first.requests).toHaveLength(before);
  } finally {
    await off.close();
  }
});
