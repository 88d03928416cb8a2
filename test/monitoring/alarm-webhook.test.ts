import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { alarmWebhook } from '../../router/monitoring/alarm-webhook.ts';

const VARIABLE = 'PLIMSOLL_TEST_WEBHOOK';
const ALARM = { kind: 'drift', artifact: 'mine', message: 'Requests moved.' } as const;
afterEach(() => delete process.env[VARIABLE]);

/** A real webhook that replies with these statuses, one after the other. */
async function webhook(statuses: number[]) {
  const bodies: unknown[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    bodies.push(JSON.parse(await text(request)));
    response.writeHead(statuses.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  process.env[VARIABLE] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/T00/secret`;
  return bodies;
}

test('posts the alarm in the form of Slack', async () => {
  const bodies = await webhook([]);
  await alarmWebhook(VARIABLE, () => expect.unreachable())(ALARM);
  expect(bodies).toEqual([{ text: 'Plimsoll: Requests moved.', kind: 'drift', artifact: 'mine' }]);
});

test('tries three times, then says why without the address', async () => {
  const bodies = await webhook([500, 500, 503]);
  const failures: object[] = [];
  await alarmWebhook(VARIABLE, (error) => failures.push(error), 1)(ALARM);
  expect(bodies).toHaveLength(3);
  expect(JSON.stringify(failures)).toContain('status 503');
  expect(JSON.stringify(failures)).not.toContain('secret');
});

test('a webhook that cannot be reached', async () => {
  process.env[VARIABLE] = 'http://127.0.0.1:1/secret';
  const failures: object[] = [];
  await alarmWebhook(VARIABLE, (error) => failures.push(error), 1)(ALARM);
  expect(JSON.stringify(failures)).toContain('cannot be reached');
  expect(JSON.stringify(failures)).not.toContain('secret');
});

test.each([[undefined], ['hooks.example/T00']])('%s is no address', (address) => {
  if (address !== undefined) process.env[VARIABLE] = address;
  expect(() => alarmWebhook(VARIABLE, () => {})).toThrow(
    expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(VARIABLE) }),
  );
});
