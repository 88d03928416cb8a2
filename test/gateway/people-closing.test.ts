import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { cli, jsonOf } from '../cli/run-cli.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { peopleGateway } from './people-gateway.ts';

const TASKS = '/v1/people/tasks';

test('a server that closes while a person is at work on a request that waits keeps the record of the work', async () => {
  const folder = scratchFolder();
  const state = { kind: 'sqlite' as const, url: path.join(folder, 'state.db') };
  const { asks, get, post, close } = await peopleGateway({ reply: 'wait' }, { state });
  const asked = asks('May we?').catch(() => 'cut off');
  const { id } = await vi.waitFor(async () => {
    const [first] = (await get(TASKS, 'agent')).body.data;
    expect(first).toBeDefined();
    return first;
  });
  expect((await post(`${TASKS}/${id}/claim`, 'agent')).status).toBe(200);
  await close();
  await asked;
  const config = path.join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify({ state })); // YAML has JSON in it
  const exported = await cli(['state', 'export', '--stream', 'people', '--config', config]);
  expect(jsonOf(exported)).toMatchObject({ task: id, model: 'human/support', outcome: 'withdrawn' });
});
