import { expect, test } from 'vitest';
import { newApiKey } from '../../router/access/keys-file.ts';
import { PlimsollError } from '../../router/errors.ts';
import { createLogger, redactedLine } from '../../router/telemetry/logger.ts';

const SECRET = 'Zx9-planted_Secret.77';

function logging(options: { tty?: boolean; secrets?: readonly string[] } = {}) {
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line), isTTY: options.tty ?? false };
  const logger = createLogger('debug', stream, () => options.secrets ?? []);
  return { logger, lines, text: () => lines.join('') };
}

test.each([
  ['a field', { authorization: `Bearer ${SECRET}` }],
  [
    'any case',
    { Authorization: SECRET, 'X-API-Key': SECRET, 'Proxy-Authorization': SECRET, 'x-goog-api-key': SECRET },
  ],
  ['headers', { headers: { 'x-api-key': SECRET, 'set-cookie': [SECRET] } }],
  ['deep', { a: { b: [{ c: { apiKey: SECRET } }] } }],
  ['a structure', { credentials: { any: { where: SECRET } } }],
  [
    'environment',
    { env: { OPENAI_API_KEY: SECRET, AWS_SECRET_ACCESS_KEY: SECRET, AWS_BEARER_TOKEN_BEDROCK: SECRET } },
  ],
  ['a list as rawHeaders', { rawHeaders: ['Host', 'x', 'X-Api-Key', SECRET] }],
  ['text with a header', { note: `sent Authorization: Bearer ${SECRET}, and got 401` }],
  ['text with JSON', { note: JSON.stringify({ api_key: SECRET }) }],
  ['a query', { url: `https://x.test/v1?api_key=${SECRET}&a=1` }],
  ['a user in an address', { url: `https://me:${SECRET}@x.test/` }],
  ['a bare bearer', { note: `Bearer ${SECRET}` }],
])('a secret in %s is not logged', (_, fields) => {
  const { logger, lines, text } = logging();
  logger.info(fields, 'message');
  expect(text()).not.toContain('planted');
  expect(text()).toContain('[redacted]');
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'message' });
});

test('secrets by their form, in messages, children, keys of objects and errors', () => {
  const { logger, text } = logging();
  const key = newApiKey();
  const forms = [
    key.text,
    'sk-proj-abcdefghij0123456789',
    'gsk_abcdefghijklmnopqrst',
    `AIza${'b'.repeat(35)}`,
    'AKIAABCDEFGHIJKLMNOP',
  ];
  for (const form of forms) {
    logger.info(`the key ${form} was refused`);
    logger.child({ note: form }).warn({ list: [form], [form]: 1 }, 'x');
  }
  for (const form of forms) expect(text()).not.toContain(form);
  expect(text()).toContain(`plim_${key.id}_[redacted]`); // the id says which key it was
});

test('of an error only what is safe: no message of others, none of its fields', () => {
  const { logger, lines, text } = logging();
  const other = Object.assign(new Error(`upstream said ${SECRET}`), {
    headers: { authorization: SECRET },
    body: SECRET,
  });
  logger.error(other);
  logger.error({ err: other }, 'it failed');
  logger.error({ error: other });
  expect(text()).not.toContain('planted');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['failed', 'it failed', undefined]);
  logger.error({ err: new PlimsollError('io', 'The disk is full.') });
  expect(JSON.parse(lines[3]!).err).toEqual({
    error: 'PlimsollError',
    code: 'io',
    message: 'The disk is full.',
  });
});

test('known secrets of any form are found wherever they stand, escaped ones too', () => {
  const odd = 'pass"word\\no form';
  const { logger, text } = logging({ secrets: [odd, 'short'] });
  logger.info({ [`k${odd}`]: { x: `a ${odd} b` } }, `said ${odd}, short`);
  expect(text()).not.toContain('no form');
  expect(text()).toContain('short'); // too short to be told from a word
});

test('on a terminal too', () => {
  const { logger, text } = logging({ tty: true });
  logger.warn({ headers: { authorization: SECRET } }, `x-api-key: ${SECRET}`);
  expect(text()).not.toContain('planted');
});

test('what is no secret stays, byte for byte', () => {
  const harmless = [
    { input_tokens: 5, maxTokens: 3, tokens: { in: 1 } },
    { apiKeyEnv: 'OPENAI_API_KEY', keys_file: 'k.json', key_id: '0123456789ab', tokenId: 7 },
    { access: { required: true }, authorization: null, passwordSet: true },
    { note: 'a task-oriented risk-averse router; basic arithmetic of tokens', url: 'https://x.test/a@b' },
  ];
  for (const fields of harmless) {
    const line = `${JSON.stringify({ level: 'info', ...fields, msg: 'x' })}\n`;
    expect(redactedLine(line)).toBe(line);
  }
});
