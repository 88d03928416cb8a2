import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, type RunningGateway, startGateway } from './running-gateway.ts';

let running: RunningGateway;
beforeAll(async () => {
  running = await startGateway();
});
afterAll(() => running.close());

test('auto: what is easy goes to the cheap model, what is hard to the strong one (OpenAI)', async () => {
  const { openai, artifact } = running;
  const cheap = await openai.chat.completions.create(ask(artifact.easy[0]!)).withResponse();
  const strong = await openai.chat.completions.create(ask(artifact.hard[0]!)).withResponse();
  expect([cheap.data.model, strong.data.model]).toEqual(['small', 'large']);
  expect(plimsollHeaders(cheap.response)).toMatchObject({
    'decision-id': expect.stringMatching(/^dec_[0-9a-f-]{36}$/),
    selected: 'first/small',
    served: 'first/small',
    policy: 'default',
    reason: 'within-threshold',
    attempts: '1',
    'overhead-ms': expect.stringMatching(/^\d+\.\d{3}$/),
  });
  expect(plimsollHeaders(strong.response)).toMatchObject({
    selected: 'first/large',
    reason: 'over-threshold',
  });
});

test('auto by the Anthropic client, and by a profile', async () => {
  const { anthropic, artifact } = running;
  const routed = await anthropic.messages.create(ask(artifact.hard[1]!)).withResponse();
  expect(plimsollHeaders(routed.response)).toMatchObject({
    served: 'first/large',
    reason: 'over-threshold',
  });
  const easy = await anthropic.messages.create(ask(artifact.easy[1]!, 'auto:claude')).withResponse();
  expect(easy.data.model).toBe('claude-haiku-4-5');
  expect(plimsollHeaders(easy.response)).toMatchObject({ served: 'claude/small', policy: 'default' });
});

test('the cost of an answer is that of its tokens at the price of the model, beside the strong one', async () => {
  const { openai, artifact } = running;
  const { data, response } = await openai.chat.completions.create(ask(artifact.easy[2]!)).withResponse();
  const { prompt_tokens: input, completion_tokens: output } = data.usage!;
  const costs = plimsollHeaders(response);
  expect(Number(costs['cost-usd'])).toBeCloseTo((input * 1 + output * 2) / 1e6, 8);
  expect(Number(costs['baseline-cost-usd'])).toBeCloseTo((input * 10 + output * 20) / 1e6, 8);
});

test('an explicit model is obeyed, whatever the question', async () => {
  const { openai, anthropic, artifact } = running;
  const hard = await openai.chat.completions.create(ask(artifact.hard[0]!, 'first/small')).withResponse();
  expect(hard.data.model).toBe('small');
  const headers = plimsollHeaders(hard.response);
  expect(headers).toMatchObject({ selected: 'first/small', served: 'first/small', reason: 'explicit-model' });
  expect(headers).not.toHaveProperty('policy');
  const easy = await anthropic.messages.create(ask(artifact.easy[0]!, 'claude2/large')).withResponse();
  expect(plimsollHeaders(easy.response)).toMatchObject({ served: 'claude2/large' });
});

test.each(['router-default', 'router-default-0.3', 'router-always-strong'])('model %s', async (model) => {
  const { openai, artifact } = running;
  const { response } = await openai.chat.completions.create(ask(artifact.easy[0]!, model)).withResponse();
  const served = model === 'router-always-strong' ? 'first/large' : 'first/small';
  const policy = model === 'router-always-strong' ? 'always-strong' : 'default';
  expect(plimsollHeaders(response)).toMatchObject({ served, policy });
});

test.each([
  ['router-default-0.29', 400, /0\.29 has not passed the gate; 0\.3 has/],
  ['router-always-cheap', 404, /has not passed the gate/],
  ['router-nobody', 404, /no policy named "nobody"/],
  ['auto:nobody', 404, /no profile "nobody"\. There are: claude/],
  ['first/smal', 404, /first\/small/],
  ['gpt-4o', 404, /"gpt-4o".* GET \/v1\/models/],
  ['small', 404, /"small".*"first\/small"/],
  ['third/small', 404, /"third\/small".*"first\/small"/],
])('model %s is refused with %s, in both forms, and nobody is asked', async (model, status, message) => {
  const { openai, anthropic, first, second } = running;
  const before = first.requests.length + second.requests.length;
  await expect(openai.chat.completions.create(ask('Hello', model))).rejects.toMatchObject({
    status,
    message: expect.stringMatching(message),
    code: status === 404 ? 'model_not_found' : 'invalid_input',
    param: 'model',
    type: 'invalid_request_error',
    requestID: expect.stringMatching(/^req_/),
  });
  const type = status === 404 ? 'not_found_error' : 'invalid_request_error';
  await expect(anthropic.messages.create(ask('Hello', model))).rejects.toMatchObject({
    status,
    error: { type: 'error', error: { type, message: expect.stringMatching(message) } },
  });
  expect(first.requests.length + second.requests.length).toBe(before);
});

test('GET /v1/models lists what `model` may say, by both clients', async () => {
  const { openai, anthropic } = running;
  const expected = ['auto', 'auto:claude', 'router-default', 'router-always-strong', 'first/small'];
  const ofOpenai = (await openai.models.list()).data;
  expect(ofOpenai.map(({ id }) => id)).toEqual(expect.arrayContaining(expected));
  expect(ofOpenai.find(({ id }) => id === 'first/small')).toMatchObject({
    object: 'model',
    owned_by: 'first',
  });
  const ofAnthropic = [];
  for await (const model of anthropic.models.list()) ofAnthropic.push(model.id);
  expect(ofAnthropic).toEqual(ofOpenai.map(({ id }) => id));
});

test('embeddings: of a model by name, as the upstream gives them; not of auto', async () => {
  const { openai, first } = running;
  const input = ['one', 'two'];
  const { data, model } = await openai.embeddings.create({ model: 'first/embedder', input });
  expect(model).toBe('embedder');
  expect(data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
  expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
  expect(first.requests.at(-1)).toMatchObject({ path: '/v1/embeddings', body: { model: 'embedder', input } });
  await expect(openai.embeddings.create({ model: 'auto', input })).rejects.toMatchObject({
    status: 400,
    param: 'model',
    message: expect.stringContaining('<provider>/<model>'),
  });
  await expect(openai.embeddings.create({ model: 'claude/small', input })).rejects.toMatchObject({
    status: 400,
  });
});

/** What follows `x-plimsoll-`. */
function plimsollHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].flatMap(([name, value]) =>
      name.startsWith('x-plimsoll-') ? [[name.slice('x-plimsoll-'.length), value] as const] : [],
    ),
  );
}
