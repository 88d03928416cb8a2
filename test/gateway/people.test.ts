import { describe, expect, test, vi } from 'vitest';
import { peopleGateway } from './people-gateway.ts';

const TASKS = '/v1/people/tasks';

async function errorIn(response: Response) {
  return ((await response.json()) as { error: { code: string; message: string } }).error;
}

describe('a client that polls', () => {
  test('gets 202, then the reply of the person who claimed, with its cost', async () => {
    const { asks, get, post, gateway } = await peopleGateway();
    const asked = await asks('May we cancel?');
    expect(asked.status).toBe(202);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'x-plimsoll-selected': 'human/support',
      'x-plimsoll-reason': 'rule',
      'x-plimsoll-rule': 'legal',
      'x-plimsoll-verdict': 'none',
      'retry-after': '30',
    });
    const { id, url, status } = (await asked.json()) as { id: string; url: string; status: string };
    expect([url, status]).toEqual([`/v1/people/replies/${id}`, 'waiting']);
    expect(asked.headers.get('location')).toBe(url);
    const list = await get(TASKS, 'agent');
    expect(list.body.data).toMatchObject([{ id, people: 'support', status: 'waiting', claimed_by: null }]);
    expect(JSON.stringify(list.body)).not.toContain('cancel');
    const claimed = await post(`${TASKS}/${id}/claim`, 'agent');
    expect(claimed.body).toMatchObject({
      status: 'claimed',
      messages: [{ role: 'user', text: 'May we cancel?' }],
    });
    expect((await get(url, 'client')).status).toBe(202);
    expect((await post(`${TASKS}/${id}/answer`, 'agent', { text: 'Within two weeks.' })).status).toBe(200);
    const reply = await get(url, 'client');
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      object: 'chat.completion',
      model: 'human/support',
      choices: [{ message: { role: 'assistant', content: 'Within two weeks.' }, finish_reason: 'stop' }],
    });
    expect(reply.headers.get('x-plimsoll-served')).toBe('human/support');
    expect(Number(reply.headers.get('x-plimsoll-cost-usd'))).toBeLessThan(0.1); // seconds of work
    expect((await get(url, 'client')).body).toEqual(reply.body);
    const metrics = await gateway.metrics.exposition();
    expect(metrics).toContain('plimsoll_people_tasks_total{model="human/support",outcome="answered"} 1');
    expect(metrics).toContain('plimsoll_people_reply_seconds_count{model="human/support"} 1');
  });

  test('the reply is in the form of the API that the client spoke', async () => {
    const { asks, get, post } = await peopleGateway();
    for (const [at, shape] of [
      [
        '/v1/messages',
        { type: 'message', content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' },
      ],
      ['/v1/responses', { object: 'response', status: 'completed' }],
    ] as const) {
      const more =
        at === '/v1/responses' ? { input: 'May we?', messages: undefined, max_tokens: undefined } : {};
      const { id, url } = (await (await asks('May we?', more, 'client', at)).json()) as {
        id: string;
        url: string;
      };
      await post(`${TASKS}/${id}/answer`, 'agent', { text: 'Yes.' });
      const { body } = await get(url, 'client');
      expect(body).toMatchObject(shape);
      expect(JSON.stringify(body)).toContain('Yes.');
    }
  });

  test('of two people who answer at once the first wins', async () => {
    const { asks, get, post } = await peopleGateway();
    const { id, url } = (await (await asks('May we?')).json()) as { id: string; url: string };
    const both = await Promise.all([
      post(`${TASKS}/${id}/answer`, 'agent', { text: 'One.' }),
      post(`${TASKS}/${id}/answer`, 'second', { text: 'Two.' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const won = both[0]!.status === 200 ? 'One.' : 'Two.';
    expect((await get(url, 'client')).body.choices[0].message.content).toBe(won);
    const again = await post(`${TASKS}/${id}/answer`, 'agent', { text: 'Three.' });
    expect([again.status, again.body.error.code]).toEqual([409, 'conflict']);
  });
});

describe('who may', () => {
  test('answer: keys with the role operate, of tasks of their own team', async () => {
    const { asks, get, post } = await peopleGateway();
    const { id, url } = (await (await asks('May we?')).json()) as { id: string; url: string };
    for (const who of ['client', 'viewer'] as const) {
      const refused = await post(`${TASKS}/${id}/answer`, who, { text: 'No.' });
      expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden']);
      expect((await get(TASKS, who)).status).toBe(403);
    }
    expect((await get(TASKS, 'blueAgent')).body.data).toEqual([]);
    expect((await get(TASKS, 'redAgent')).body.data).toHaveLength(1);
    for (const step of ['claim', 'release', 'answer'])
      expect((await post(`${TASKS}/${id}/${step}`, 'blueAgent', { text: 'No.' })).status).toBe(404);
    expect((await get(`${TASKS}/${id}`, 'blueAgent')).status).toBe(404);
    expect((await get(url, 'stranger')).status).toBe(404);
    expect((await post(`${TASKS}/${id}/answer`, 'redAgent', { text: 'Yes.' })).status).toBe(200);
    expect((await get(url, 'stranger')).status).toBe(404);
  });

  test('answer a claimed task: who claimed it, until it is given back', async () => {
    const { asks, post } = await peopleGateway();
    const { id } = (await (await asks('May we?')).json()) as { id: string };
    await post(`${TASKS}/${id}/claim`, 'agent');
    for (const step of ['claim', 'release', 'answer']) {
      const refused = await post(`${TASKS}/${id}/${step}`, 'second', { text: 'No.' });
      expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict']);
    }
    expect((await post(`${TASKS}/${id}/release`, 'agent')).body).toMatchObject({ status: 'waiting' });
    expect((await post(`${TASKS}/${id}/answer`, 'second', { text: 'Yes.' })).status).toBe(200);
  });
});

describe('a request that waits', () => {
  test('gets the reply when it is there, plain and as a stream, in both dialects', async () => {
    const { clients, get, post } = await peopleGateway({ reply: 'wait' });
    const answering = async (text: string) => {
      const { id } = await vi.waitFor(async () => {
        const [first] = (await get(TASKS, 'agent')).body.data;
        expect(first).toBeDefined();
        return first;
      });
      await post(`${TASKS}/${id}/answer`, 'agent', { text });
    };
    const [plain] = await Promise.all([
      clients.openai.chat.completions
        .create({ model: 'human/support', messages: [{ role: 'user', content: 'Hello?' }] })
        .withResponse(),
      answering('Hello.'),
    ]);
    expect(plain.data.choices[0]!.message.content).toBe('Hello.');
    expect(plain.response.headers.get('x-plimsoll-served')).toBe('human/support');
    expect(plain.response.headers.get('x-plimsoll-cost-usd')).toBe('2.40000000'); // the usual four minutes
    const [streamed] = await Promise.all([
      (async () => {
        const stream = await clients.openai.chat.completions.create({
          model: 'human/support',
          messages: [{ role: 'user', content: 'Hello?' }],
          stream: true,
        });
        let text = '';
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        return text;
      })(),
      answering('Streamed.'),
    ]);
    expect(streamed).toBe('Streamed.');
    const [message] = await Promise.all([
      clients.anthropic.messages
        .stream({ model: 'human/support', max_tokens: 100, messages: [{ role: 'user', content: 'Hello?' }] })
        .finalMessage(),
      answering('For Claude’s client.'),
    ]);
    expect(message.content).toMatchObject([{ type: 'text', text: 'For Claude’s client.' }]);
  });

  test('after the deadline it gets an error, or the reply of the fallback model; a person is told', async () => {
    const late = await peopleGateway({ reply: 'wait', deadline_ms: 1_000 });
    const asked = late.asks('May we?');
    const { id } = await vi.waitFor(async () => {
      const [first] = (await late.get(TASKS, 'agent')).body.data;
      expect(first).toBeDefined();
      return first;
    });
    await late.post(`${TASKS}/${id}/claim`, 'agent');
    const failed = await asked;
    expect(failed.status).toBe(504);
    const told = await late.post(`${TASKS}/${id}/answer`, 'agent', { text: 'Too late.' });
    expect([told.status, told.body.error.code]).toEqual([410, 'too_late']);
    const metrics = await late.gateway.metrics.exposition();
    expect(metrics).toContain('plimsoll_people_tasks_total{model="human/support",outcome="late"} 1');
    const fallback = {
      reply: 'wait',
      deadline_ms: 1_000,
      when_late: 'fallback',
      fallback: 'first/large',
    } as const;
    const other = await peopleGateway(fallback);
    const replied = await other.asks('May we?');
    expect([replied.status, replied.headers.get('x-plimsoll-served')]).toEqual([200, 'first/large']);
  });

  test('a client that leaves takes its request back', async () => {
    const { url, bearer, get, post } = await peopleGateway({ reply: 'wait' });
    const leaving = new AbortController();
    const asked = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', ...bearer('client') },
      body: JSON.stringify({ model: 'human/support', messages: [{ role: 'user', content: 'Hello?' }] }),
    }).catch(() => 'left');
    const { id } = await vi.waitFor(async () => {
      const [first] = (await get(TASKS, 'agent')).body.data;
      expect(first).toBeDefined();
      return first;
    });
    leaving.abort();
    expect(await asked).toBe('left');
    await vi.waitFor(async () => expect((await get(TASKS, 'agent')).body.data).toEqual([]));
    expect((await post(`${TASKS}/${id}/answer`, 'agent', { text: 'Hello.' })).status).toBe(410);
  });
});

test('with reply: fallback a model replies at once, and the person’s reply follows', async () => {
  const { asks, get, post } = await peopleGateway({ reply: 'fallback', fallback: 'first/large' });
  const replied = await asks('May we?');
  expect(replied.status).toBe(200);
  expect(replied.headers.get('x-plimsoll-handed-off')).toBe('true');
  expect(replied.headers.get('x-plimsoll-selected')).toBe('human/support');
  expect(replied.headers.get('x-plimsoll-served')).toBe('first/large');
  const id = replied.headers.get('x-plimsoll-task');
  await post(`${TASKS}/${id}/answer`, 'agent', { text: 'The model was wrong.' });
  const { body } = await get(`/v1/people/replies/${id}`, 'client');
  expect(body.choices[0].message.content).toBe('The model was wrong.');
});

test('a full queue is 429, or the fallback model; a profile says how its clients get replies', async () => {
  const { asks } = await peopleGateway({ max_waiting: 1 });
  expect((await asks('One?')).status).toBe(202);
  const refused = await asks('Two?');
  expect([refused.status, (await errorIn(refused)).code]).toEqual([429, 'queue_full']);
  const other = await peopleGateway(
    { max_waiting: 1, when_late: 'fallback', fallback: 'first/large' },
    { profiles: { now: { people_reply: 'fallback' } } },
  );
  const now = await other.asks('One?', { model: 'auto:now' });
  expect([now.status, now.headers.get('x-plimsoll-handed-off')]).toEqual([200, 'true']);
  const full = await other.asks('Two?');
  expect([
    full.status,
    full.headers.get('x-plimsoll-served'),
    full.headers.get('x-plimsoll-handed-off'),
  ]).toEqual([200, 'first/large', null]);
});

describe('what people cannot do', () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
  const schema = { name: 's', schema: { type: 'object', properties: {} } };
  const wants = [
    { tools },
    { response_format: { type: 'json_object' } },
    { response_format: { type: 'json_schema', json_schema: schema } },
    { n: 2 },
  ];

  test('goes past a rule for them to the model that the policy chooses', async () => {
    const { asks } = await peopleGateway();
    for (const more of wants) {
      const replied = await asks('Hello?', more);
      expect([replied.status, replied.headers.get('x-plimsoll-rule')]).toEqual([200, null]);
      expect(replied.headers.get('x-plimsoll-served')).toMatch(/^first\//);
    }
    const input = { input: 'Hello?', messages: undefined, max_tokens: undefined };
    const json = { ...input, text: { format: { type: 'json_object' } } };
    expect((await asks('Hello?', json, 'client', '/v1/responses')).status).toBe(200);
    expect((await asks('Hello?', { model: 'first/large', tools })).headers.get('x-plimsoll-served')).toBe(
      'first/large',
    );
    expect((await asks('Hello?')).status).toBe(202);
  });

  test('goes past a policy that chose them, and past a rule that names their rung', async () => {
    const onLadder = { ladder: { cheap: 'first/small', strong: 'human/support' }, allow_ungated: true };
    const { asks } = await peopleGateway({}, { ...onLadder, default_policy: 'always-strong', rules: [] });
    expect((await asks('Hello?')).status).toBe(202);
    const ruled = await peopleGateway(
      {},
      { ...onLadder, rules: [{ name: 'legal', when: { tag: 'legal' }, use: 'strong' }] },
    );
    expect((await ruled.asks('Hello?')).status).toBe(202);
    for (const more of wants) {
      for (const ask of [asks, ruled.asks])
        expect((await ask('Hello?', more)).headers.get('x-plimsoll-served')).toBe('first/small');
    }
  });
});

test('a stream that waits says for whom, and a rule for people is no rule for a cheaper model', async () => {
  const { asks, get, post, log } = await peopleGateway(
    {},
    { gateway: { heartbeat_ms: 20 }, server: { port: 0, drain_timeout_ms: 500 } },
  );
  const asked = asks('May we?', { stream: true });
  const { id } = await vi.waitFor(async () => {
    const [first] = (await get(TASKS, 'agent')).body.data;
    expect(first).toBeDefined();
    return first;
  });
  const stream = await asked; // its head, before anybody replied
  await post(`${TASKS}/${id}/answer`, 'agent', { text: 'Yes.' });
  const text = await stream.text();
  expect(text).toContain(': waiting for a person\n');
  expect(text).not.toContain('checked');
  expect(log.join()).not.toContain('may choose a cheaper model');
});

test('what people cannot do is refused by name', async () => {
  const { asks, post } = await peopleGateway();
  const tool = { type: 'function', function: { name: 'f', parameters: {} } };
  const refused = await asks('Hello?', { model: 'human/support', tools: [tool] });
  expect(refused.status).toBe(400);
  expect((await errorIn(refused)).message).toContain('people, who read and write text');
  const { id } = (await (await asks('May we?')).json()) as { id: string };
  for (const [body, why] of [
    [{}, 'text must be a string'],
    [{ text: ' ' }, 'text is empty'],
    [{ text: 'x', by: 'me' }, 'by is no field'],
    [{ text: 'x'.repeat(100_001) }, 'more than 100000 characters'],
  ] as const) {
    const wrong = await post(`${TASKS}/${id}/answer`, 'agent', body);
    expect(wrong.status).toBe(400);
    expect(wrong.body.error.message).toContain(why);
  }
});
