import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { peopleGateway, SUPPORT } from './people-gateway.ts';
import { gatewayForTest } from './running-gateway.ts';

const KEY = randomBytes(32);
const URL_ENV = 'PLIMSOLL_TEST_WEBHOOK_URL';
const SECRET_ENV = 'PLIMSOLL_TEST_WEBHOOK_SECRET';
process.env[SECRET_ENV] = `whsec_${KEY.toString('base64')}`;
const WEBHOOK = { webhook: { url_env: URL_ENV, secret_env: SECRET_ENV } };

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver on a free port. @param statuses of its replies, one after the other; 0: none ever comes */
async function receiver(...statuses: readonly number[]) {
  const received: Received[] = [];
  const listener: RequestListener = async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const status = statuses[Math.min(received.length, statuses.length - 1)]!;
    received.push({ headers: request.headers, body });
    if (status > 0) response.writeHead(status).end();
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  process.env[URL_ENV] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return received;
}

/** By the words of the specification, not by the code under test. */
function sign(id: string, timestamp: number, body: string, key = KEY): Record<string, string> {
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${mac}` };
}

const seconds = () => Math.floor(Date.now() / 1_000);

async function send(url: string, body: object, headers: (body: string) => Record<string, string>) {
  const text = JSON.stringify(body);
  const response = await fetch(`${url}/v1/people/support/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers(text) },
    body: text,
  });
  const { error } = (await response.json()) as { error?: { code: string; message: string } };
  return { status: response.status, code: error?.code, message: error?.message };
}

const idOf = async (asked: Response) => ((await asked.json()) as { id: string }).id;

test('a new task is told, signed, without a word of it, and again with the same id after a failure', async () => {
  const received = await receiver(503, 204);
  const { asks } = await peopleGateway(WEBHOOK);
  const id = await idOf(await asks('May we cancel?'));
  await vi.waitFor(() => expect(received).toHaveLength(2), { timeout: 5_000 });
  const [first, second] = received as [Received, Received];
  expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
  expect(second.body).toBe(first.body);
  expect(JSON.parse(first.body)).toMatchObject({
    type: 'people.task.created',
    data: { task_id: id, people: 'support' },
  });
  expect(first.body).not.toContain('cancel');
  for (const { headers, body } of received) {
    const { 'webhook-id': message, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
    expect(signature).toBe(sign(String(message), Number(at), body)['webhook-signature']);
    expect(Math.abs(Number(at) - seconds())).toBeLessThan(10);
  }
});

test('a webhook that hangs holds no client up, and the task waits all the same', async () => {
  const received = await receiver(0);
  const { asks, get, log } = await peopleGateway(WEBHOOK);
  const startedMs = performance.now();
  expect((await asks('May we?')).status).toBe(202);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  expect((await get('/v1/people/tasks', 'agent')).body.data).toHaveLength(1);
  expect(log.join()).not.toContain(process.env[SECRET_ENV]);
});

test('a signed message replies once; what is replayed, forged, old or for another is refused', async () => {
  await receiver(204);
  const { url, asks, get } = await peopleGateway(WEBHOOK);
  const id = await idOf(await asks('May we?'));
  const body = { task_id: id, text: 'Yes.' };
  const other = randomBytes(32);
  for (const headers of [
    () => ({}),
    (text: string) => sign('msg_1', seconds(), text, other),
    (text: string) => sign('msg_1', seconds(), `${text} `),
    (text: string) => sign('msg_1', seconds() - 301, text),
    (text: string) => sign('msg_1', seconds() + 301, text),
    (text: string) => ({ ...sign('msg_1', seconds(), text), 'webhook-timestamp': 'now' }),
  ])
    expect(await send(url, body, headers)).toMatchObject({ status: 403, code: 'forbidden' });
  expect((await get(`/v1/people/replies/${id}`, 'client')).status).toBe(202);
  const signed = (text: string) => sign('msg_2', seconds(), text);
  const wrong = await send(url, { task_id: id }, signed);
  expect(wrong).toMatchObject({ status: 400, message: 'text must be a string.' });
  expect((await send(url, body, signed)).status).toBe(200);
  expect(await send(url, body, signed)).toMatchObject({
    status: 409,
    message: expect.stringContaining('sent before'),
  });
  const again = await send(url, body, (text) => sign('msg_3', seconds(), text));
  expect(again).toMatchObject({ status: 409, message: expect.stringContaining('the first one counts') });
  const { body: reply } = await get(`/v1/people/replies/${id}`, 'client');
  expect(reply.choices[0].message.content).toBe('Yes.');
});

test('a message that was refused may be sent again with its id, and twice at once it is taken once', async () => {
  await receiver(204);
  const { url, asks, get, post } = await peopleGateway(WEBHOOK);
  const id = await idOf(await asks('May we?'));
  const signed = (text: string) => sign('msg_5', seconds(), text);
  await post(`/v1/people/tasks/${id}/claim`, 'agent');
  expect(await send(url, { task_id: id, text: 'Yes.' }, signed)).toMatchObject({
    status: 409,
    message: expect.stringContaining('Somebody else has this task'),
  });
  expect(await send(url, { task_id: id, text: ' ' }, signed)).toMatchObject({ status: 400 });
  await post(`/v1/people/tasks/${id}/release`, 'agent');
  const both = await Promise.all([1, 2].map(() => send(url, { task_id: id, text: 'Yes.' }, signed)));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  const { body } = await get(`/v1/people/replies/${id}`, 'client');
  expect(body.choices[0].message.content).toBe('Yes.');
});

test('of two signatures one has to fit; a message for one name does not reach the tasks of another', async () => {
  await receiver(204);
  const { url, asks } = await peopleGateway(WEBHOOK, {
    people: { support: { ...SUPPORT, ...WEBHOOK }, legal: SUPPORT },
    rules: [{ name: 'legal', when: { tag: 'legal' }, use: 'human/legal' }],
  });
  const id = await idOf(await asks('May we?'));
  const both = (text: string) => {
    const own = sign('msg_4', seconds(), text);
    const old = sign('msg_4', seconds(), text, randomBytes(32))['webhook-signature'];
    return { ...own, 'webhook-signature': `${old} ${own['webhook-signature']}` };
  };
  expect(await send(url, { task_id: id, text: 'Yes.' }, both)).toMatchObject({ status: 404 });
});

test.each([
  [
    { people: { support: { ...SUPPORT, webhook: { secret_env: 'PLIMSOLL_TEST_NOT_SET' } } } },
    'must hold whsec_',
  ],
  [{ people: { support: { ...SUPPORT, fallback: 'first/none' } } }, 'there is no model "first/none"'],
  [
    { people: { a: SUPPORT, b: SUPPORT }, rules: [{ name: 'r', when: {}, use: 'human' }] },
    'Name one: human/a, human/b',
  ],
  [{ rules: [{ name: 'r', when: {}, use: 'human' }] }, 'add the part people'],
  [
    { people: { support: SUPPORT }, upstream: { fallbacks: { 'first/large': ['human/support'] } } },
    'a failure is not handed to them',
  ],
])('a start that would not work says what to change', async (config, why) => {
  await expect(gatewayForTest({ config })).rejects.toThrow(why);
});

test.each([
  [
    { people: { support: { ...SUPPORT, reply: 'fallback' } }, providers: { a: { kind: 'openai' } } },
    'name the model',
  ],
  [{ people: { support: SUPPORT } }, 'needs providers'],
  [{ providers: { human: { kind: 'openai' } } }, 'is the name of people'],
  [
    {
      people: { support: { ...SUPPORT, webhook: { secret_env: 'whsec_abc' } } },
      providers: { a: { kind: 'openai' } },
    },
    'never the secret itself',
  ],
])('a configuration of people that cannot be says why', (fields, why) => {
  const { error } = configSchema.safeParse(fields);
  expect(error?.issues.map(({ message }) => message).join()).toContain(why);
});
