import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { outboundFrom } from '../../router/exchange/connection-pools.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo } from '../providers/call-to.ts';
import { KEY, TIMEOUTS, upstreamOf } from '../providers/native-attempt-calls.ts';
import { authorityForTest } from './certificates.ts';

/** A proxy for tunnels, which leads every host to this machine. */
async function connectProxy(password?: string) {
  const asked: string[] = [];
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connect', ({ url = '', headers }, client, head) => {
    const { 'proxy-authorization': authorization } = headers;
    asked.push(url);
    client.on('error', () => {});
    const expected = password && `Basic ${Buffer.from(password).toString('base64')}`;
    if (authorization !== expected) return client.end('HTTP/1.1 407 No\r\n\r\n');
    const provider = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      provider.write(head);
      provider.pipe(client).pipe(provider);
    });
    provider.on('error', () => client.destroy());
    onTestFinished(() => void provider.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** One request, in this environment. */
async function sent(url: string, env: NodeJS.ProcessEnv, caFile?: string) {
  const outbound = outboundFrom(caFile, env);
  const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: KEY }, outbound }));
  const outcome = await attempt(callTo(url), TIMEOUTS);
  return outcome.kind === 'reply' ? 'reply' : outcome.failure;
}

test('a provider behind a proxy, over TLS that a company signs', async () => {
  const authority = authorityForTest();
  const port = await authority.serve('api.provider.test');
  const url = `https://api.provider.test:${port}/v1`;
  const { asked, address } = await connectProxy();
  const env = { HTTPS_PROXY: `http://${address}` };
  expect(await sent(url, env, authority.file)).toBe('reply');
  expect(asked).toEqual([`api.provider.test:${port}`]);
  expect(await sent(url, env)).toBe('tls-untrusted');
  const other = `https://elsewhere.test:${port}/v1`;
  expect(await sent(other, env, authority.file)).toBe('tls-host-name');
});

test('an own authority without a proxy', async () => {
  const authority = authorityForTest();
  const url = `https://localhost:${await authority.serve('localhost')}/v1`;
  expect(await sent(url, {}, authority.file)).toBe('reply');
  expect(await sent(url, {})).toBe('tls-untrusted');
});

test('a proxy with a password, one that refuses, and one that is not there', async () => {
  const provider = await upstreamOf();
  const url = provider.url.replace('127.0.0.1', 'api.provider.test');
  const { address } = await connectProxy('ann:secret');
  expect(await sent(url, { http_proxy: `http://ann:secret@${address}` })).toBe('reply');
  expect(await sent(url, { http_proxy: `http://ann:wrong@${address}` })).toBe('connect');
  expect(await sent(url, { http_proxy: 'http://127.0.0.1:1' })).toBe('connect-refused');
  expect(provider.requests).toHaveLength(1);
});

test('this machine and the hosts in NO_PROXY are called directly', async () => {
  const provider = await upstreamOf();
  const { asked, address } = await connectProxy();
  const env = { HTTP_PROXY: `http://${address}` };
  expect(await sent(provider.url, env)).toBe('reply');
  expect(asked).toEqual([]);
  const named = provider.url.replace('127.0.0.1', 'api.provider.test');
  expect(await sent(named, { ...env, NO_PROXY: 'other.test, .provider.test' })).toBe('dns');
  expect(await sent(named, { ...env, NO_PROXY: '*' })).toBe('dns');
  expect(asked).toEqual([]);
  expect(await sent(named, { ...env, NO_PROXY: 'other.test' })).toBe('reply');
});

test('mapped requests take the same way', async () => {
  const provider = await upstreamOf();
  const { asked, address } = await connectProxy();
  const outbound = outboundFrom(undefined, { HTTP_PROXY: `http://${address}` });
  const attempt = sendOnce(createMappedAttempt({ env: { TEST_KEY: KEY }, outbound }));
  const url = provider.url.replace('127.0.0.1', 'api.provider.test');
  expect(await attempt(callTo(url), TIMEOUTS)).toMatchObject({ kind: 'reply' });
  expect(asked).toHaveLength(1);
});

test('what is wrong is said before anything is sent, without the address', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-ca-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string) => {
    writeFileSync(path.join(folder, 'ca.pem'), text);
    return path.join(folder, 'ca.pem');
  };
  expect(() => outboundFrom(path.join(folder, 'none.pem'), {})).toThrow(/cannot be read \(ENOENT\)/);
  expect(() => outboundFrom(file('no certificate'), {})).toThrow(/ca_file: .* has no certificate/);
  const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  expect(() => outboundFrom(file(damaged), {})).toThrow(/has a certificate that cannot be read/);
  for (const address of ['proxy:secret@', 'socks5://ann:secret@proxy', 'ftp://secret']) {
    expect(() => outboundFrom(undefined, { HTTPS_PROXY: address })).toThrow(
      /^HTTPS_PROXY is no address of a proxy\. Set it to one such as [^ ]+, or unset it\.$/,
    );
  }
});
