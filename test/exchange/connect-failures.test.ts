import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ask, gatewayForTest, postRaw } from '../gateway/running-gateway.ts';
import { itLong } from '../helpers/long-run.ts';
import { rawServer } from '../providers/native-attempt-calls.ts';
import { type Authority, authorityForTest } from './certificates.ts';

const CHILD = fileURLToPath(new URL('connect-child.ts', import.meta.url));

/** What an attempt comes to in a process that trusts the authority. */
async function trusting({ file }: Authority, url: string): Promise<string> {
  const args = ['--import', import.meta.resolve('tsx'), CHILD, url];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: file };
  return (await promisify(execFile)(process.execPath, args, { env })).stdout;
}

itLong('certificates: right, for another host, expired, and of nobody that is trusted', async () => {
  const authority = authorityForTest();
  const right = await authority.serve('localhost');
  const other = await authority.serve('elsewhere.test');
  const expired = await authority.serve('localhost', -1);
  expect(await trusting(authority, `https://localhost:${right}/v1`)).toBe('answer');
  expect(await trusting(authority, `https://localhost:${other}/v1`)).toBe(
    'tls-host-name ERR_TLS_CERT_ALTNAME_INVALID',
  );
  expect(await trusting(authority, `https://localhost:${expired}/v1`)).toBe('tls-expired CERT_HAS_EXPIRED');
});

/** One request to a model at this address, which has nobody to fall back to. */
async function asked(baseUrl: string) {
  const { url, log } = await gatewayForTest({
    config: {
      providers: { first: { kind: 'openai-compatible', base_url: baseUrl } },
      profiles: {},
      models: { 'first/small': {}, 'first/large': {} },
      upstream: {
        retry: { max_retries: 2, initial_wait_ms: 1, max_wait_ms: 2 },
        timeouts: { connect_ms: 300 },
      },
    },
  });
  const response = await postRaw(url, '/v1/chat/completions', ask('Hello', 'first/small'));
  const { error } = (await response.json()) as { error: { message: string } };
  const lines = log.map((line) => JSON.parse(line)).filter(({ failure }) => failure);
  const attempts = Number(response.headers.get('x-plimsoll-attempts'));
  return { status: response.status, message: error.message, attempts, lines };
}

test('an authority that is not trusted: not retried, told as the operator’s, logged once with the cause', async () => {
  const port = await authorityForTest().serve('localhost');
  const { status, message, attempts, lines } = await asked(`https://localhost:${port}/v1`);
  expect([status, attempts]).toEqual([503, 1]);
  expect(message).toMatch(/first\/small tls-untrusted.*the server's log says why/);
  expect(lines).toMatchObject([
    {
      level: 'error',
      model: 'first/small',
      failure: 'tls-untrusted',
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    },
  ]);
});

test.each([
  ['refused', 'http://127.0.0.1:1/v1', 'connect-refused', 'ECONNREFUSED'],
  [
    'a name that does not resolve',
    'http://nowhere.invalid/v1',
    'dns',
    expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
  ],
])('%s: retried, with a failure of its own and one line in the log', async (_, url, failure, code) => {
  const { status, message, attempts, lines } = await asked(url);
  expect([status, attempts]).toEqual([503, 3]);
  expect(message).toContain(`first/small ${failure}. Try again later`);
  expect(lines).toMatchObject([{ level: 'warn', model: 'first/small', failure, code }]);
});

test('a server that never answers the handshake is a timeout of the connection; one that speaks no TLS is a failure of TLS', async () => {
  const silent = (await rawServer(() => {})).replace('http:', 'https:');
  expect((await asked(silent)).message).toContain('first/small connect-timeout');
  const plain = (await rawServer((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'))).replace(
    'http:',
    'https:',
  );
  const { attempts, lines } = await asked(plain);
  expect(attempts).toBe(1);
  expect(lines).toMatchObject([{ level: 'error', failure: 'tls' }]);
});
