import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { validate } from '../../router/gateway/validators.ts';
import { cascadeArtifact, judgeBy } from '../helpers/cascade-artifact.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

const INPUT = { prompt: 'What is 7 plus 5?', model: 'first/small', text: '12', calls: [] };
const LONG_MS = 20_000;
const program = (code: string, timeoutMs = LONG_MS) => ({
  command: [process.execPath, '-e', code],
  timeoutMs,
});

async function address(handle: (body: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => handle(body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/check`;
}

test.each([
  ['exits with 0', '', 'passed'],
  ['exits with 1', 'process.exit(1)', 'rejected'],
  ['exits with another code', 'process.exit(2)', 'failed'],
  ['crashes', 'process.abort()', 'failed'],
  [
    'prints a megabyte to each stream',
    'const m = "x".repeat(2 ** 20); console.log(m); console.error(m)',
    'passed',
  ],
  ['ends without reading', 'process.stdin.destroy(); process.exit(0)', 'passed'],
])('a program that %s', async (_, code, kind) => {
  const text = 'y'.repeat(2 ** 20);
  expect(await validate([program(code)], { ...INPUT, text }, LONG_MS)).toMatchObject({ kind });
});

test.each([
  ['hangs', program('setInterval(() => {}, 1000)', 300), 'it was killed, or took longer than timeout_ms'],
  ['is not there', { command: ['/no/such/program'], timeoutMs: LONG_MS }, 'it cannot be started'],
])('a program that %s fails', async (_, validator, why) => {
  expect(await validate([validator], INPUT, LONG_MS)).toMatchObject({ kind: 'failed', why });
});

test('a program gets the reply, and no key', async () => {
  process.env['PLIMSOLL_TEST_SECRET'] = 'secret';
  onTestFinished(() => {
    delete process.env['PLIMSOLL_TEST_SECRET'];
  });
  const file = path.join(scratchFolder(), 'seen.json');
  const code = `const fs = require('fs');
    fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify({ input: JSON.parse(fs.readFileSync(0, 'utf8')), env: Object.keys(process.env) }))`;
  await validate([program(code)], INPUT, LONG_MS);
  const seen = JSON.parse(readFileSync(file, 'utf8'));
  expect(seen.input).toEqual(INPUT);
  expect(seen.env).not.toContain('PLIMSOLL_TEST_SECRET');
});

test.each([
  ['204', 204, 'passed'],
  ['200', 200, 'passed'],
  ['422', 422, 'rejected'],
  ['500', 500, 'failed'],
  ['a redirection', 302, 'failed'],
])('an address that responds with %s', async (_, status, kind) => {
  let seen = '';
  const url = await address((body, response) => {
    seen = body;
    response
      .writeHead(status, { location: '/elsewhere' })
      .end(status === 200 ? 'x'.repeat(2 ** 20) : undefined);
  });
  expect(await validate([{ url, timeoutMs: LONG_MS }], INPUT, LONG_MS)).toMatchObject({ kind });
  expect(JSON.parse(seen)).toEqual(INPUT);
});

test('an address that hangs, or that nobody listens at, fails', async () => {
  const url = await address(() => {});
  expect(await validate([{ url, timeoutMs: 200 }], INPUT, LONG_MS)).toMatchObject({
    kind: 'failed',
    why: 'it took longer than timeout_ms',
  });
  const nobody = { url: 'http://127.0.0.1:9/', timeoutMs: LONG_MS };
  expect(await validate([nobody], INPUT, LONG_MS)).toMatchObject({
    kind: 'failed',
    why: 'it cannot be reached',
  });
});

test('none takes longer than what is left, and one veto is enough', async () => {
  const url = await address(() => {});
  expect(await validate([{ url, timeoutMs: LONG_MS }], INPUT, 200.5)).toMatchObject({ kind: 'failed' });
  expect(await validate([program('')], INPUT, 9_999.5)).toMatchObject({ kind: 'passed' });
  const pass = program('');
  expect(await validate([pass, program('process.exit(1)')], INPUT, LONG_MS)).toEqual({ kind: 'rejected' });
  expect(await validate([pass, pass], INPUT, LONG_MS)).toEqual({ kind: 'passed' });
});

test.each([
  [0, 'cascade-accepted', 1],
  [1, 'cascade-escalated', 2],
  [7, 'cascade-escalated', 2],
])('at the gateway, exit code %i: %s', async (code, reason, calls) => {
  const { folder, easy } = await cascadeArtifact(judgeBy({}, -4));
  const command = [process.execPath, '-e', `process.exit(${code})`];
  const running = await gatewayForTest({
    config: { artifact: folder, cascade: { validators: [{ command, timeout_ms: LONG_MS }] } },
  });
  for (let i = 0; i < 2; i++) {
    const response = await postRaw(running.url, '/v1/chat/completions', ask(easy[0]!));
    expect(response.headers.get('x-plimsoll-reason')).toBe(reason);
  }
  expect(running.first.requests).toHaveLength(2 * calls);
  const logged = running.log.filter((line) => line.includes('does not work'));
  expect(logged).toHaveLength(code === 7 ? 1 : 0); // once a minute
});

test.each([
  [{}, 'either command or url'],
  [{ command: ['a'], url: 'http://127.0.0.1/' }, 'either command or url'],
  [{ command: [] }, 'command'],
  [{ url: 'ftp://127.0.0.1/' }, 'an http or https address'],
  [{ url: 'http://user:secret@127.0.0.1/' }, 'without a name or password'],
])('refuses the validator %j', (validator, message) => {
  const { error } = configSchema.safeParse({ cascade: { validators: [validator] } });
  expect(error?.message).toContain(message);
});
