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
const HANGS = 'setInterval(() => {}, 1000)';
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

/** Nobody listens there any more. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

test.each([
  ['exits with 0', '', 'passed'],
  ['exits with 1', 'process.exit(1)', 'rejected'],
  ['exits with another code', 'process.exit(2)', 'crashed'],
  ['crashes', 'process.abort()', 'crashed'],
  ['is killed by somebody else', 'process.kill(process.pid, "SIGKILL")', 'crashed'],
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
  ['hangs', program(HANGS, 300), LONG_MS, 'timeout', 'it had not ended after timeout_ms, and was stopped'],
  ['hangs for all that is left', program(HANGS), 300, 'timeout', /after cascade\.max_wait_ms/],
  [
    'is killed',
    program('process.kill(process.pid, "SIGTERM")'),
    LONG_MS,
    'crashed',
    'it was killed by SIGTERM',
  ],
  ['ends with 7', program('process.exit(7)'), LONG_MS, 'crashed', 'it ended with code 7'],
  [
    'is not there',
    { command: ['/no/such/program'], timeoutMs: LONG_MS },
    LONG_MS,
    'failed',
    /cannot be started/,
  ],
])('a program that %s says why', async (_, validator, leftMs, kind, why) => {
  expect(await validate([validator], INPUT, leftMs)).toMatchObject({
    kind,
    why: expect.stringMatching(why),
  });
});

test.skipIf(process.platform === 'win32')(
  'a program that is stopped takes what it has started with it',
  async () => {
    const file = path.join(scratchFolder(), 'pid');
    const command = ['sh', '-c', `sleep 600 & echo $! > ${file}; wait`];
    expect(await validate([{ command, timeoutMs: 2_000 }], INPUT, LONG_MS)).toMatchObject({
      kind: 'timeout',
    });
    const started = Number(readFileSync(file, 'utf8'));
    expect(started).toBeGreaterThan(0);
    await expect.poll(() => isRunning(started)).toBe(false);
  },
);

/** A process that has ended and was not waited for is a zombie, which still has its number. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/\) Z/.test(status);
  } catch {
    return false;
  }
}

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
    kind: 'timeout',
    why: 'it had not ended after timeout_ms, and was stopped',
  });
  for (const [nobody, code] of [
    [await closedAddress(), 'ECONNREFUSED'],
    ['http://nobody.invalid/', 'ENOTFOUND|EAI_AGAIN'],
  ] as const) {
    expect(await validate([{ url: nobody, timeoutMs: LONG_MS }], INPUT, LONG_MS)).toMatchObject({
      kind: 'failed',
      why: expect.stringMatching(`it cannot be reached \\((${code})\\)`),
    });
  }
});

test('none takes longer than what is left, and one veto is enough', async () => {
  const url = await address(() => {});
  expect(await validate([{ url, timeoutMs: LONG_MS }], INPUT, 200.5)).toMatchObject({ kind: 'timeout' });
  expect(await validate([program('')], INPUT, 9_999.5)).toMatchObject({ kind: 'passed' });
  const pass = program('');
  expect(await validate([pass, program('process.exit(1)')], INPUT, LONG_MS)).toEqual({ kind: 'rejected' });
  expect(await validate([pass, pass], INPUT, LONG_MS)).toEqual({ kind: 'passed' });
});

test.each([
  ['exit code 0', 'process.exit(0)', LONG_MS, undefined, 1],
  ['exit code 1', 'process.exit(1)', LONG_MS, 'validator-rejected', 2],
  ['exit code 7', 'process.exit(7)', LONG_MS, 'validator-crashed', 2],
  ['killed by somebody else', 'process.kill(process.pid, "SIGKILL")', LONG_MS, 'validator-crashed', 2],
  ['killed by the deadline', HANGS, 200, 'validator-timeout', 2],
])('at the gateway, %s', async (_, code, timeout_ms, escalated, calls) => {
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const { folder, easy } = await cascadeArtifact(judgeBy({}, -4));
  const command = [process.execPath, '-e', code];
  const running = await gatewayForTest({
    config: { artifact: folder, cascade: { validators: [{ command, timeout_ms }] }, decision_log: { file } },
  });
  for (let i = 0; i < 2; i++) {
    const response = await postRaw(running.url, '/v1/chat/completions', ask(easy[0]!));
    expect(response.headers.get('x-plimsoll-reason')).toBe(
      escalated === undefined ? 'cascade-accepted' : 'cascade-escalated',
    );
  }
  expect(running.first.requests).toHaveLength(2 * calls);
  const logged = running.log.filter((line) => line.includes('does not work'));
  const isBroken = escalated === 'validator-crashed' || escalated === 'validator-timeout';
  expect(logged).toHaveLength(isBroken ? 1 : 0); // once a minute
  await running.close();
  const causes = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).cascade.escalated);
  expect(causes).toEqual([escalated, escalated]);
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
