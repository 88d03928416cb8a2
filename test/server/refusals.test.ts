import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorEnvelopeSchema } from '../../router/openapi/decision-schemas.ts';
import { type Answer, get, post, type Serving, serving } from './serving.ts';

let server: Serving;

beforeAll(async () => {
  server = await serving({ server: { maxMessages: 3 } });
});
afterAll(() => server.close());

const SECRET = 'xyzzy-plugh';
const route = (body: unknown, headers = {}) => post(`${server.url}/v1/route`, body, headers);

function expectRefusal({ status, body }: Answer, expected: [number, string, string | null]): void {
  expect(() => errorEnvelopeSchema.parse(body)).not.toThrow();
  expect([status, body.error.code, body.error.param]).toEqual(expected);
  expect(body.error.type).toBe(status < 500 ? 'invalid_request_error' : 'server_error');
  expect(JSON.stringify(body)).not.toContain(SECRET);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:|\n {4}at /);
}

describe('wrong fields', () => {
  const user = { role: 'user', content: SECRET };
  test.each<[string, unknown, [number, string, string | null]]>([
    ['neither prompt nor messages', {}, [400, 'invalid_field', 'prompt']],
    ['both', { prompt: SECRET, messages: [user] }, [400, 'invalid_field', 'prompt']],
    ['an empty prompt', { prompt: '' }, [400, 'invalid_input', 'prompt']],
    ['white space', { prompt: ' \n\t ' }, [400, 'invalid_input', 'prompt']],
    ['a prompt that is a number', { prompt: 5 }, [400, 'invalid_field', 'prompt']],
    ['a prompt that is null', { prompt: null }, [400, 'invalid_field', 'prompt']],
    ['no messages', { messages: [] }, [400, 'invalid_field', 'messages']],
    [
      'a message without a role',
      { messages: [{ content: SECRET }] },
      [400, 'invalid_field', 'messages.0.role'],
    ],
    [
      'content that is a number',
      { messages: [user, { role: 'user', content: 1 }] },
      [400, 'invalid_field', 'messages.1.content'],
    ],
    ['too many messages', { messages: [user, user, user, user] }, [400, 'too_many_entries', 'messages']],
    ['an unknown field', { prompt: SECRET, temperature: 1 }, [400, 'unknown_field', 'temperature']],
    ['an unknown policy', { prompt: SECRET, policy: 'nope' }, [404, 'not_found', 'policy']],
    ['explain that is a word', { prompt: SECRET, explain: 'yes' }, [400, 'invalid_field', 'explain']],
    ['a body that is a list', [SECRET], [400, 'invalid_field', null]],
    ['a body that is a string', JSON.stringify(SECRET), [400, 'invalid_field', null]],
    ['a body that is null', 'null', [400, 'invalid_field', null]],
    ['a prompt that is there twice', `{"prompt":"x","prompt":"${SECRET}"}`, [400, 'invalid_field', 'prompt']],
    [
      'a role that is there twice',
      `{"messages":[{"role":"user","content":"${SECRET}","role":"system"}]}`,
      [400, 'invalid_field', 'messages.0.role'],
    ],
    ['__proto__', `{"prompt":"x","__proto__":{"prompt":"${SECRET}"}}`, [400, 'unknown_field', '__proto__']],
  ])('%s', async (_, body, expected) => {
    expectRefusal(await route(body), expected);
  });

  test.each([
    ['promt', 'prompt'],
    ['Messages', 'messages'],
    ['polcy', 'policy'],
    ['explian', 'explain'],
  ])('an unknown field is named with the one that it may mean: %s', async (field, nearest) => {
    const { body } = await route({ prompt: 'x', [field]: 1 });
    expect(body.error).toMatchObject({
      param: field,
      message: expect.stringContaining(`Did you mean "${nearest}"?`),
    });
    const far = await route({ prompt: 'x', temperature: 1 });
    expect(far.body.error.message).not.toContain('Did you mean');
  });

  test('the name of an unknown field comes back short and printable', async () => {
    const { body } = await route({ prompt: 'x', [`\u0007${'é'.repeat(5000)}`]: 1 });
    expect(body.error.param).toMatch(/^\?+$/);
    expect(body.error.param.length).toBeLessThanOrEqual(100);
  });
});

describe('bodies that are not read', () => {
  test('invalid JSON: the error names the place, and quotes nothing', async () => {
    const answer = await route(`{\n  "prompt": "${SECRET}" oops\n}`);
    expectRefusal(answer, [400, 'invalid_json', null]);
    expect(answer.body.error.message).toContain('line 2, column 27');
  });

  test('JSON that ends early', async () => {
    const answer = await route(`{"prompt":"${SECRET}`);
    expectRefusal(answer, [400, 'invalid_json', null]);
    expect(answer.body.error.message).toContain('ends too early');
  });

  test('another content type', async () => {
    expectRefusal(await route('prompt=x', { 'content-type': 'text/plain' }), [
      415,
      'unsupported_media_type',
      null,
    ]);
    expectRefusal(await route('{}', { 'content-type': 'application/jsonp' }), [
      415,
      'unsupported_media_type',
      null,
    ]);
  });

  test('JSON types with a suffix or a charset are read', async () => {
    for (const type of ['application/json; charset=utf-8', 'application/vnd.api+json', 'APPLICATION/JSON']) {
      expect((await route({ prompt: 'x' }, { 'content-type': type })).status).toBe(200);
    }
  });

  test('another charset or encoding', async () => {
    const charset = { 'content-type': 'application/json; charset=latin1' };
    expectRefusal(await route({ prompt: 'x' }, charset), [415, 'unsupported_encoding', null]);
    expectRefusal(await route({ prompt: 'x' }, { 'content-encoding': 'rot13' }), [
      415,
      'unsupported_encoding',
      null,
    ]);
    expectRefusal(await route({ prompt: 'x' }, { 'content-encoding': 'gzip' }), [400, 'invalid_body', null]);
  });

  test('no body', async () => {
    const answer = await get(`${server.url}/v1/route`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
  });

  test('a prompt of 5 MB', async () => {
    expectRefusal(await route({ prompt: 'x'.repeat(5 * 2 ** 20) }), [413, 'body_too_large', null]);
  });

  test('JSON nested as deep as it may be, and deeper', async () => {
    const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
    const inField = (n: number) => `{"messages":[{"role":"user","content":"hi","x":${deep(n)}}]}`;
    expect((await route(inField(253))).status).toBe(200);
    expectRefusal(await route(inField(254)), [400, 'json_too_deep', null]);
    expectRefusal(await route(deep(256)), [400, 'invalid_field', null]);
    expectRefusal(await route(deep(257)), [400, 'json_too_deep', null]);
    expectRefusal(await route('['.repeat(256)), [400, 'invalid_json', null]);
    expectRefusal(await route('['.repeat(100_000)), [400, 'json_too_deep', null]);
    expectRefusal(await route('{"a":'.repeat(100_000)), [400, 'json_too_deep', null]);
  });

  test('more parts than are checked', async () => {
    const parts = (length: number) => ({
      messages: [{ role: 'user', content: Array.from({ length }, () => ({ type: 'text', text: 'a' })) }],
    });
    expect((await route(parts(10_000))).status).toBe(200);
    expectRefusal(await route(parts(10_001)), [400, 'too_many_entries', 'messages']);
    const batch = await post(`${server.url}/v1/route/batch`, { requests: [parts(6_000), parts(6_000)] });
    expectRefusal(batch, [400, 'too_many_entries', 'messages']);
  });

  test('more values than are read', async () => {
    expectRefusal(await route(`[${'1,'.repeat(399_991)}1]`), [400, 'invalid_field', null]);
    expectRefusal(await route(`[${'1,'.repeat(399_992)}1]`), [413, 'too_many_values', null]);
    expectRefusal(await route('{},'.repeat(300_000)), [413, 'too_many_values', null]);
  });
});

describe('wrong addresses', () => {
  test('unknown routes', async () => {
    for (const path of ['/v1/chat/completions', '/chat/completions', '/embeddings']) {
      const call = await post(`${server.url}${path}`, {});
      expectRefusal(call, [404, 'route_not_found', null]);
      expect(JSON.stringify(call.body)).toMatch(/no providers.*Add .*providers.* to its configuration/);
    }
    expectRefusal(await post(`${server.url}/nowhere`, 'not json'), [404, 'route_not_found', null]);
  });

  test('wrong methods name the right one', async () => {
    const wrong = await get(`${server.url}/v1/route`);
    expectRefusal(wrong, [405, 'method_not_allowed', null]);
    expect(wrong.headers.get('allow')).toBe('POST');
    const health = await post(`${server.url}/healthz`, {});
    expectRefusal(health, [405, 'method_not_allowed', null]);
    expect(health.headers.get('allow')).toBe('GET, HEAD');
  });

  test('a URL that cannot be decoded', async () => {
    expect((await get(`${server.url}/%E0%A4%A`)).status).toBe(404);
  });
});

describe('x-request-id', () => {
  test('a harmless one is echoed, on refusals too', async () => {
    const headers = { 'x-request-id': 'trace-1.a:b_2' };
    expect((await route({ prompt: 'x' }, headers)).headers.get('x-request-id')).toBe('trace-1.a:b_2');
    expect((await route({}, headers)).headers.get('x-request-id')).toBe('trace-1.a:b_2');
  });

  test.each(['a'.repeat(129), 'a b', '<script>', 'a;b'])('%s is replaced', async (id) => {
    const given = (await route({ prompt: 'x' }, { 'x-request-id': id })).headers.get('x-request-id');
    expect(given).toMatch(/^req_[0-9a-f-]{36}$/);
  });
});

test('the log holds no prompt, whatever was refused', async () => {
  await route({ prompt: SECRET, explain: true });
  expect(server.log.join('')).not.toContain(SECRET);
  expect(server.log.join('')).toContain('decided');
});
