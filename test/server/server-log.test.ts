import path from 'node:path';
import { expect, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { exampleRequest } from '../../router/server/server-log.ts';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { scratchFolder } from './hot-serving.ts';
import { serving } from './serving.ts';

const EVERYWHERE = { host: '0.0.0.0', port: 0, drain_timeout_ms: 500 };

function keysFile(): { readonly file: string; readonly key: string } {
  const file = path.join(scratchFolder(), 'keys.json');
  return { file, key: createKey(file, { name: 'test', now: new Date() }).key };
}

test('an address that others reach is not warned of if keys guard it, and they do', async () => {
  const { file, key } = keysFile();
  const { url, log } = await gatewayForTest({ config: { server: EVERYWHERE, access: { keys_file: file } } });
  expect(log.join('')).toContain(`Plimsoll listens on ${url}`);
  expect(log.join('')).not.toContain('authentication');
  expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
});

test('keys without providers guard nothing, and the warning says so', async () => {
  const { file } = keysFile();
  const access = { keysFile: file, required: 'auto' as const, keysInState: false, limits: {}, keyLimits: {} };
  const server = await serving({ server: { host: '0.0.0.0' }, config: { access } });
  expect(server.log.join('')).toMatch(
    /no authentication.*; access\.keys_file guards nothing without providers/,
  );
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  await server.close();
});

test.each([true, false])('the request to try is answered as it is printed, guarded: %s', async (guarded) => {
  const { file, key } = keysFile();
  const { url } = await gatewayForTest({ config: guarded ? { access: { keys_file: file } } : {} });
  const line = exampleRequest(url, guarded).replace('<your key>', key);
  const headers = [...line.matchAll(/-H '([\w-]+): ([^']+)'/g)].map(([, name, value]) => [name!, value!]);
  const answer = await fetch(/curl (\S+)/.exec(line)![1]!, {
    method: 'POST',
    headers: Object.fromEntries(headers),
    body: /-d '([^']+)'/.exec(line)![1]!,
  });
  expect([answer.status, headers.length]).toEqual([200, guarded ? 2 : 1]);
});
