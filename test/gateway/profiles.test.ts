import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import {
  ask,
  clientsOf,
  gatewayForTest,
  postRaw,
  type RunningGateway,
  startGateway,
} from './running-gateway.ts';

const profiles = {
  claude: { ladder: { cheap: 'claude/small', strong: 'claude/large' } },
  strong: { policy: 'always-strong' },
};

/** A keys file with a key for each profile, and one for none. */
function keysOf(...wanted: readonly (string | undefined)[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'keys.json');
  const keys = wanted.map(
    (profile) =>
      createKey(file, { name: 'a client', now: new Date(), ...(profile !== undefined && { profile }) }).key,
  );
  return { file, keys };
}

const CHAT = '/v1/chat/completions';

// biome-ignore lint/suspicious/noExplicitAny: tests read into responses whose shape is what they check
const jsonOf = (response: Response): Promise<any> => response.json();

const served = (response: Response) => ({
  status: response.status,
  profile: response.headers.get('x-plimsoll-profile'),
  selected: response.headers.get('x-plimsoll-selected'),
});

describe('what names a profile', () => {
  test('model, header and path, at every API, and its ladder and policy decide', async () => {
    const { url, artifact } = await gatewayForTest({ config: { profiles } });
    const question = artifact.easy[0]!;
    const strong = { status: 200, profile: 'strong', selected: 'first/large' };
    const claude = { status: 200, profile: 'claude', selected: 'claude/small' };
    const header = { 'x-plimsoll-profile': 'strong' };
    const chat = (model = 'auto') => ask(question, model);
    expect(served(await postRaw(url, CHAT, chat()))).toEqual({
      status: 200,
      profile: null,
      selected: 'first/small',
    });
    expect(served(await postRaw(url, CHAT, chat('auto:strong')))).toEqual(strong);
    expect(served(await postRaw(url, CHAT, chat(), header))).toEqual(strong);
    expect(served(await postRaw(url, '/p/strong/v1/chat/completions', chat()))).toEqual(strong);
    expect(served(await postRaw(url, '/p/strong/chat/completions', chat()))).toEqual(strong);
    expect(served(await postRaw(url, '/p/claude/v1/messages', chat()))).toEqual(claude);
    const input = { model: 'auto', input: question };
    expect(served(await postRaw(url, '/p/claude/v1/responses', input))).toEqual(claude);
    expect(served(await postRaw(url, '/v1/messages', chat('auto:strong'), header))).toEqual(strong);
    const google = '/p/strong/v1beta/models/auto:generateContent';
    expect(served(await postRaw(url, google, { contents: [{ parts: [{ text: question }] }] }))).toEqual(
      strong,
    );
    const policy = await postRaw(url, '/p/claude/v1/chat/completions', chat('router-always-strong'));
    expect(served(policy)).toEqual({ status: 200, profile: 'claude', selected: 'claude/large' });
    const named = await postRaw(url, CHAT, chat('first/small'), header);
    expect(served(named)).toEqual({ status: 200, profile: 'strong', selected: 'first/small' });
  });

  test('the official clients, with nothing but the base URL', async () => {
    const { url, artifact } = await gatewayForTest({ config: { profiles } });
    const { openai, anthropic } = clientsOf(`${url}/p/strong`);
    const content = artifact.easy[0]!;
    const profileOf = ({ response }: { readonly response: Response }) => served(response).profile;
    expect(profileOf(await openai.chat.completions.create(ask(content)).withResponse())).toBe('strong');
    expect(profileOf(await openai.responses.create({ model: 'auto', input: content }).withResponse())).toBe(
      'strong',
    );
    expect(profileOf(await anthropic.messages.create(ask(content)).withResponse())).toBe('strong');
    const google = new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl: `${url}/p/strong` } });
    const { text } = await google.models.generateContent({ model: 'auto', contents: content });
    expect(text).toBeTruthy();
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain('auto:claude');
  });

  test('a decision without a call: by field, header and path', async () => {
    const { url, artifact } = await gatewayForTest({ config: { profiles } });
    const prompt = artifact.easy[0]!;
    const decided = async (where: string, body: object, headers = {}) => {
      const { profile, candidate, policy } = await jsonOf(await postRaw(url, where, body, headers));
      return [profile, candidate, policy.name];
    };
    const strong = ['strong', 'strong', 'always-strong'];
    expect(await decided('/v1/route', { prompt, profile: 'strong' })).toEqual(strong);
    expect(await decided('/v1/route', { prompt }, { 'x-plimsoll-profile': 'strong' })).toEqual(strong);
    expect(await decided('/p/strong/v1/route', { prompt })).toEqual(strong);
    expect(await decided('/v1/route', { prompt })).toEqual([undefined, 'cheap', 'default']);
    const batch = await postRaw(url, '/p/strong/v1/route/batch', {
      requests: [{ prompt }, { prompt, profile: 'claude' }],
    });
    expect((await jsonOf(batch)).decisions).toMatchObject([
      { profile: 'strong' },
      { error: { code: 'invalid_input', param: 'profile' } },
    ]);
  });

  test('an API key that is bound to one, which no request of it can leave', async () => {
    const { file, keys } = keysOf('strong', undefined, 'gone');
    const { url, artifact } = await gatewayForTest({ config: { profiles, access: { keys_file: file } } });
    const with_ = (at: number, others = {}) => ({ authorization: `Bearer ${keys[at]}`, ...others });
    const chat = (model = 'auto') => ask(artifact.easy[0]!, model);
    expect(served(await postRaw(url, CHAT, chat(), with_(0))).profile).toBe('strong');
    expect(served(await postRaw(url, CHAT, chat(), with_(1))).profile).toBeNull();
    const left = await postRaw(url, CHAT, chat('auto:claude'), with_(0));
    expect(left.status).toBe(400);
    expect((await jsonOf(left)).error).toMatchObject({
      param: 'model',
      message:
        'Of this request the API key says the profile "strong", and the model "claude". Name one of them.',
    });
    const routed = await postRaw(url, '/p/claude/v1/route', { prompt: 'Why?' }, with_(0));
    expect(routed.status).toBe(400);
    const gone = await postRaw(url, CHAT, chat(), with_(2));
    expect([gone.status, (await jsonOf(gone)).error.message]).toEqual([
      404,
      'There is no profile "gone", which the API key names. There are: claude, strong.',
    ]);
    expect((await postRaw(url, '/p/none-such/v1/chat/completions', chat())).status).toBe(401);
  });

  describe('wrongly', () => {
    let running: RunningGateway;
    beforeAll(async () => {
      running = await startGateway({ config: { profiles } });
    });
    afterAll(() => running.close());

    test.each([
      [
        'two of them',
        '/p/claude/v1/chat/completions',
        'auto',
        'strong',
        400,
        'the path says the profile "claude"',
      ],
      [
        'model and header',
        CHAT,
        'auto:claude',
        'strong',
        400,
        'the header x-plimsoll-profile says the profile "strong"',
      ],
      ['a slip in the header', CHAT, 'auto', 'strng', 404, 'Did you mean "strong"?'],
      ['a slip in the path', '/p/cloude/v1/chat/completions', 'auto', '', 404, 'Did you mean "claude"?'],
      ['a slip in the model', CHAT, 'auto:strang', '', 404, 'There is no profile "strang"'],
      ['a name of JavaScript', CHAT, 'auto', '__proto__', 404, 'There is no profile "__proto__"'],
      ['a slip beside a model by name', CHAT, 'first/small', 'strng', 404, 'Did you mean "strong"?'],
    ])('%s', async (_, where, model, header, status, message) => {
      const headers = header === '' ? {} : { 'x-plimsoll-profile': header };
      const response = await postRaw(running.url, where, ask('Why?', model), headers);
      expect(response.status).toBe(status);
      expect((await jsonOf(response)).error.message).toContain(message);
    });
  });
});

test('its deadline holds for its requests alone, and no provider hears of it', async () => {
  const { url, first } = await gatewayForTest({
    config: { profiles: { quick: { deadline_ms: 150 }, patient: {} } },
    upstream: { delayMs: 600 },
  });
  const ended = async (profile: string) =>
    (await postRaw(url, CHAT, ask('Why?'), { 'x-plimsoll-profile': profile })).status;
  expect(await Promise.all([ended('quick'), ended('patient')])).toEqual([504, 200]);
  expect(JSON.stringify(first.requests.map(({ headers }) => headers))).not.toContain('x-plimsoll');
});

test('a specialist takes its tasks, and is no fallback for others', async () => {
  const { url, first, artifact } = await gatewayForTest({
    config: {
      ladder: { cheap: { model: 'first/small', for: ['sql'] }, strong: 'first/large' },
      upstream: { allow_downgrade: true, retry: { max_retries: 0 } },
    },
  });
  const [easy, hard] = [artifact.easy[0]!, artifact.hard[0]!];
  const task = (name: string) => ({ 'x-plimsoll-task': name });
  const selected = async (headers: Record<string, string>) =>
    served(await postRaw(url, CHAT, ask(easy), headers)).selected;
  expect(await selected(task('SQL'))).toBe('first/small');
  expect(await selected(task('chat'))).toBe('first/large');
  expect(await selected({})).toBe('first/large');
  first.failAlways('500');
  const asked = first.requests.length;
  expect((await postRaw(url, CHAT, ask(hard))).status).toBeGreaterThanOrEqual(500);
  const models = first.requests.slice(asked).map(({ body }) => (body as { model: string }).model);
  expect(new Set(models)).toEqual(new Set(['large']));
});

test("a profile's own share of capture takes its place", async () => {
  const state = { kind: 'memory' as const };
  const { url } = await gatewayForTest({
    config: {
      state,
      capture: { share: 1 },
      profiles: { hidden: { capture: 'off' }, ...profiles },
    },
  });
  for (const model of ['auto:hidden', 'auto:hidden', 'auto:strong', 'auto'])
    await (await postRaw(url, CHAT, ask('Why?', model))).text();
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  expect(await metrics()).toContain('plimsoll_captured_total{outcome="other-profile"} 2');
  await expect.poll(metrics, { timeout: 40_000 }).toContain('plimsoll_captured_total{outcome="stored"} 2');
});
