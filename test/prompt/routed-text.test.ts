import { describe, expect, it } from 'vitest';
import { PlimsollError } from '../../router/errors.ts';
import { MAX_ROUTED_CHARACTERS, routedText } from '../../router/prompt/routed-text.ts';
import { EARLIER_ASKS_WITHIN_CHARACTERS } from '../../router/prompt/text-limits.ts';
import type { RouteInput } from '../../router/types.ts';

const user = (content: string) => ({ role: 'user', content });
const image = { type: 'image_url', image_url: { url: 'https://example.org/a.png' } };

describe('earlier asks', () => {
  it('do not follow a long ask', () => {
    const long = 'x'.repeat(EARLIER_ASKS_WITHIN_CHARACTERS);
    expect(routedText({ messages: [user('earlier'), user(long)] })).toBe(long);
  });

  it('fill the text up to the limit, newest first, the last one by head and tail', () => {
    const pasted = `Explain this log: ${'z'.repeat(5_000)} What broke?`;
    const text = routedText({ messages: [user('the very first'), user(pasted), user('shorter please')] });
    expect(text).toHaveLength(EARLIER_ASKS_WITHIN_CHARACTERS);
    expect(text.startsWith('shorter please\n\nExplain this log:')).toBe(true);
    expect(text.endsWith('What broke?')).toBe(true);
    expect(text).not.toContain('the very first');
  });

  it('leave no remnant that says nothing', () => {
    const last = 'x'.repeat(EARLIER_ASKS_WITHIN_CHARACTERS - 30);
    expect(routedText({ messages: [user('earlier '.repeat(20)), user(last)] })).toBe(last);
  });
});

describe('long text', () => {
  it('keeps head and tail within the limit', () => {
    const text = routedText({ prompt: `First words. ${'y'.repeat(100_000)} Last words.` });
    expect(text).toHaveLength(MAX_ROUTED_CHARACTERS);
    expect(text.startsWith('First words. ')).toBe(true);
    expect(text.endsWith(' Last words.')).toBe(true);
  });

  it('is cut after the noise is gone, so that a closing tag far away is found', () => {
    const reminder = `<system-reminder>\n${'n'.repeat(100_000)}\n</system-reminder>`;
    expect(routedText({ prompt: `${reminder}\nWhat now?` })).toBe('What now?');
  });
});

describe('characters that are none', () => {
  it('NUL and lone surrogates become the replacement character', () => {
    expect(routedText({ prompt: 'a\0b \ud83e c \udd94 d 🦔' })).toBe('a\ufffdb \ufffd c \ufffd d 🦔');
  });
});

describe('parts of a message', () => {
  it('may be unknown or malformed', () => {
    const content = [null, { type: 'hologram', text: 'no' }, { type: 'text' }, { type: 'text', text: 'yes' }];
    const input = { messages: [{ role: 'user', content }] } as unknown as RouteInput;
    expect(routedText(input)).toBe('yes');
  });

  it('may be missing altogether', () => {
    const messages = [
      user('yes'),
      { role: 'user' },
      { role: 'user', content: null },
      { role: 'user', content: [] },
    ];
    expect(routedText({ messages })).toBe('yes');
  });

  it('each lose their own noise', () => {
    const reminder = '<system-reminder>\nnoise\n</system-reminder>';
    const content = [
      { type: 'text', text: `one\n${reminder}` },
      { type: 'text', text: `${reminder}\ntwo` },
    ];
    expect(routedText({ messages: [{ role: 'user', content }] })).toBe('one\ntwo');
  });
});

describe('a request without words', () => {
  const wordless: [string, RouteInput][] = [
    ['an empty prompt', { prompt: '' }],
    ['a prompt of white space', { prompt: ' \n\t\u00a0' }],
    ['no messages', { messages: [] }],
    ['only images', { messages: [{ role: 'user', content: [image] }] }],
    ['only a system prompt', { messages: [{ role: 'system', content: 'Be brief.' }] }],
    ['only a tool result', { messages: [{ role: 'tool', content: '42' }] }],
    ['empty messages', { messages: [user(''), user('  ')] }],
  ];

  it.each(wordless)('%s is invalid input', (_name, input) => {
    const attempt = () => routedText(input);
    expect(attempt).toThrow(PlimsollError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    expect(attempt).toThrow('no text to score');
  });

  it.each([
    {},
    { prompt: 7 },
    { messages: 'hello' },
    { prompt: 'hello', messages: [user('hello')] },
    'hello',
    ['hello'],
    null,
    undefined,
  ])('%j is refused', (input) => {
    const attempt = () => routedText(input as unknown as RouteInput);
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    expect(attempt).toThrow('Give either a prompt');
  });

  it.each([[[null]], [[user('hello'), 'hello']], [[{ content: 'hello' }]]])(
    '%j is refused: a role is missing',
    (messages) => {
      const attempt = () => routedText({ messages } as unknown as RouteInput);
      const field = `messages.${messages.length - 1}.role`;
      expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-input', place: { field } }));
    },
  );
});
