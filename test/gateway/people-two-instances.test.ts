import { expect, onTestFinished, test, vi } from 'vitest';
import { openState } from '../../router/state/index.ts';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';
import { ASK_HUMAN, callers, keysOfPeople, SUPPORT } from './people-gateway.ts';
import { PRICED_MODELS, startGateway } from './running-gateway.ts';

const TASKS = '/v1/people/tasks';
const SECRET_TEXT = 'May we cancel within two weeks?';

test.skipIf(!HAS_POSTGRES)(
  'two instances share one queue: asked at one, claimed and answered at the other, once, and paid for once',
  async () => {
    const url = await postgresUrl();
    const keys = keysOfPeople();
    process.env['PLIMSOLL_TEST_KEYS'] = `one:${Buffer.alloc(32, 7).toString('base64')}`;
    const config = {
      people: { support: { ...SUPPORT, reply: 'wait' as const } },
      rules: ASK_HUMAN,
      profiles: { later: { people_reply: 'poll' as const } },
      state: { kind: 'postgres' as const, url, encryption_keys_env: 'PLIMSOLL_TEST_KEYS' },
      access: { keys_file: keys.file },
      limits: [{ for: { key: keys.client.stored.id }, windows: [{ '24h': '100 usd' }] }],
      models: PRICED_MODELS,
      instances: 2,
    };
    const state = await openState({ kind: 'postgres', url, migrate: 'auto' });
    const [one, other] = [await startGateway({ config }), await startGateway({ config })];
    onTestFinished(async () => {
      await Promise.all([one.close(), other.close()]);
      await state.close();
    });
    const [client, agent] = [callers(one.url, keys), callers(other.url, keys)];
    const waiting = client.asks(SECRET_TEXT);
    const { id } = await vi.waitFor(async () => {
      const [first] = (await agent.get(TASKS, 'agent')).body.data;
      expect(first).toBeDefined();
      return first;
    }, 20_000);
    const stored = (await state.documents
      .list('', 'people-task', 10)
      .catch((error) => String(error))) as unknown;
    expect(JSON.stringify(stored)).not.toContain('cancel'); // it cannot be read without the key
    const answers = await Promise.all([
      agent.post(`${TASKS}/${id}/answer`, 'agent', { text: 'Yes.' }),
      client.post(`${TASKS}/${id}/answer`, 'second', { text: 'No.' }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const reply = (await (await waiting).json()) as { choices: { message: { content: string } }[] };
    expect(reply.choices[0]!.message.content).toBe(answers[0]!.status === 200 ? 'Yes.' : 'No.');
    const later = await client.asks(SECRET_TEXT, { model: 'auto:later' });
    expect(later.status).toBe(202);
    const polled = (await later.json()) as { id: string; url: string };
    await agent.post(`${TASKS}/${polled.id}/answer`, 'agent', { text: 'Later.' });
    expect((await client.get(polled.url, 'client')).body.choices[0].message.content).toBe('Later.');
    // Nobody claimed: the usual four minutes at 0.6 a minute, twice.
    await vi.waitFor(async () => {
      const spent = await state.ledger.spent(keys.client.stored.id, '2000-01-01');
      expect(spent).toMatchObject({ nanoUsd: 2 * 2_400_000_000 });
    }, 20_000);
    const [window] = await state.ledger.windows(Date.now());
    expect(window).toMatchObject({ reserved: 0, settled: 4_800_000_000 });
    const log = await state.log.read('people', { afterSeq: 0, limit: 10 });
    expect(log.map(({ body }) => JSON.parse(body))).toMatchObject([
      { task: id, model: 'human/support', outcome: 'answered', cost_nano_usd: 2_400_000_000, minutes: 4 },
      { task: polled.id },
    ]);
  },
  60_000,
);
