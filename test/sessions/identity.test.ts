import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SessionRequest, sessionIdentity } from '../../router/sessions/identity.ts';

const SECRET = 'a secret';
const UUID = '0b0f8f8e-31c4-4a6e-9a39-1c9d0f2a4c11';

function identify(request: Partial<SessionRequest>, mayInfer = true) {
  const whole = { dialect: 'openai', body: {}, headers: {}, keyId: undefined, ...request } as const;
  return sessionIdentity(whole, SECRET, mayInfer);
}

const hello = (system = 'Be brief.', first = 'Hello') => ({
  messages: [
    { role: 'system', content: system },
    { role: 'user', content: first },
  ],
});

describe('the first source that is there decides', () => {
  const responses = { dialect: 'responses' } as const;
  const anthropic = { dialect: 'anthropic' } as const;
  test.each<[string, string, Partial<SessionRequest>]>([
    ['x-session-id', 'a', { headers: { 'x-session-id': 'a', 'x-claude-code-session-id': 'b' } }],
    ['x-claude-code-session-id', 'b', { headers: { 'x-claude-code-session-id': 'b', 'session-id': 'c' } }],
    ['session-id', 'c', { headers: { 'session-id': 'c', 'thread-id': 'd' } }],
    ['thread-id', 'd', { headers: { 'thread-id': 'd', 'x-session-affinity': 'e' } }],
    ['x-session-affinity', 'e', { headers: { 'x-session-affinity': 'e' }, body: { prompt_cache_key: 'f' } }],
    ['prompt_cache_key', 'f', { ...responses, body: { prompt_cache_key: 'f', conversation: 'g' } }],
    ['conversation', 'g', { ...responses, body: { conversation: 'g', previous_response_id: 'h' } }],
    ['conversation', 'g', { ...responses, body: { conversation: { id: 'g' } } }],
    ['previous_response_id', 'h', { ...responses, body: { previous_response_id: 'h', input: 'Hello' } }],
    [
      'metadata.user_id',
      UUID,
      { ...anthropic, body: { metadata: { user_id: `user_1_account_2_session_${UUID}` } } },
    ],
    ['metadata.user_id', UUID, { ...anthropic, body: { metadata: { user_id: `{"session_id":"${UUID}"}` } } }],
  ])('%s: %s', (source, name, request) => {
    expect(identify(request)).toMatchObject({ source, name });
  });

  test('a source that is empty or null is not there', () => {
    const request = { headers: { 'x-session-id': '' }, body: { prompt_cache_key: null, ...hello() } };
    expect(identify(request)).toMatchObject({ source: 'inferred', name: undefined });
  });

  test('another user of metadata.user_id names no session', () => {
    const body = { metadata: { user_id: 'ann' }, ...hello() };
    expect(identify({ dialect: 'anthropic', body })).toMatchObject({ source: 'inferred' });
  });
});

test.each([
  ['longer than 256 characters', 'x'.repeat(257)],
  ['10 kB', 'x'.repeat(10_240)],
])('an id of %s is no session, and nothing else takes its place', (_, id) => {
  const further = { headers: { 'x-session-id': id, 'session-id': 'short' } };
  expect(identify({ ...further, body: { prompt_cache_key: 'other', ...hello() } })).toBeUndefined();
  expect(identify({ headers: { 'x-session-id': 'x'.repeat(256) } })).toBeDefined();
});

test('an id belongs to its API key, and is not in what is stored', () => {
  const headers = { 'x-session-id': 'my conversation' };
  const ids = ['k1', 'k2', undefined].map((keyId) => identify({ headers, keyId })!.id);
  expect(new Set(ids).size).toBe(3);
  expect(identify({ headers, keyId: 'k1' })!.id).toBe(ids[0]);
  expect(ids.join()).not.toContain('conversation');
  const other = { dialect: 'openai', body: {}, headers, keyId: 'k1' } as const;
  expect(sessionIdentity(other, 'another secret', true)!.id).not.toBe(ids[0]);
});

describe('inferred sessions', () => {
  test('later turns of one conversation are one session; another system prompt or first turn is another', () => {
    const first = identify({ body: hello() })!;
    const later = {
      messages: [
        ...hello().messages,
        { role: 'assistant', content: 'Hi' },
        { role: 'user', content: 'More' },
      ],
    };
    expect(identify({ body: later })).toMatchObject({ source: 'inferred', id: first.id });
    expect(identify({ body: hello('Be long.') })!.id).not.toBe(first.id);
    expect(identify({ body: hello('Be brief.', 'Bye') })!.id).not.toBe(first.id);
  });

  test('a cache mark that moves on does not make another session', () => {
    const body = (mark: object) => ({
      system: [{ type: 'text', text: 'Be brief.', ...mark }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello', ...mark }] }],
    });
    const marked = identify({ dialect: 'anthropic', body: body({ cache_control: { type: 'ephemeral' } }) });
    expect(identify({ dialect: 'anthropic', body: body({}) })).toEqual(marked);
  });

  test('the Responses API: a text, or items', () => {
    const instructions = 'Be brief.';
    const text = identify({ dialect: 'responses', body: { instructions, input: 'Hello' } });
    const input = [{ role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }];
    expect(identify({ dialect: 'responses', body: { instructions, input } })).toEqual(text);
  });

  test('without a user turn, or where it may not be inferred, there is none', () => {
    expect(identify({ body: { messages: [{ role: 'system', content: 'Be brief.' }] } })).toBeUndefined();
    expect(identify({ body: hello() }, false)).toBeUndefined();
  });

  test('an inferred id is never that of a name, and parts do not run into each other', () => {
    const words = JSON.stringify(['', 'Be brief.', 'Hello']);
    const named = identify({ headers: { 'x-session-id': words } })!;
    expect(named.id).not.toBe(identify({ body: hello() })!.id);
    const shifted = [
      { keyId: 'a', headers: { 'x-session-id': 'bc' } },
      { keyId: 'ab', headers: { 'x-session-id': 'c' } },
    ].map((request) => identify(request)!.id);
    expect(shifted[0]).not.toBe(shifted[1]);
  });
});

test('no body makes it throw', () => {
  const dialects = fc.constantFrom('openai', 'anthropic', 'responses');
  fc.assert(
    fc.property(fc.object({ key: fieldNames(), maxDepth: 4 }), dialects, (body, dialect) => {
      const found = identify({ body: body as SessionRequest['body'], dialect: dialect as 'openai' });
      expect(found?.id.length ?? 43).toBe(43);
    }),
  );
});

function fieldNames() {
  const read = ['messages', 'input', 'system', 'instructions', 'content', 'role', 'text', 'conversation'];
  return fc.constantFrom(...read, 'id', 'metadata', 'user_id', 'prompt_cache_key', 'previous_response_id');
}
