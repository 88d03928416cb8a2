import { expect, test } from 'vitest';
import { requireAccess } from '../../router/access/access.ts';
import { accessSchema } from '../../router/config/server-schema.ts';

const LOOPBACK = ['127.0.0.1', '127.8.9.10', 'localhost', 'LOCALHOST', '::1', '[::1]', '::ffff:127.0.0.1'];
const REACHABLE = [
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '192.168.1.2',
  'example.com',
  'localhost.example.com',
  '127.0.0.1.evil.net',
  '128.0.0.1',
];

const access = (fields: object) => accessSchema.parse(fields);

test.each(LOOPBACK)('%s alone may serve without keys', (host) => {
  expect(requireAccess(access({}), host)).toBe(false);
  expect(requireAccess(access({ keys_file: 'k' }), host)).toBe(true);
  expect(requireAccess(access({ keys_file: 'k', required: false }), host)).toBe(false);
  expect(() => requireAccess(access({ required: true }), host)).toThrow(
    /access\.required is true, and none are configured/,
  );
});

test.each(REACHABLE)('%s is refused without keys', (host) => {
  expect(() => requireAccess(access({}), host)).toThrow(
    expect.objectContaining({ code: 'invalid-config', place: { field: 'access.keys_file' } }),
  );
  expect(() => requireAccess(access({ required: false }), host)).toThrow(
    /access\.required is false, but others/,
  );
  expect(() => requireAccess(access({ required: false, keys_file: 'k' }), host)).toThrow(/access\.required/);
  expect(requireAccess(access({ keys_file: 'k' }), host)).toBe(true);
});

test('unknown fields and values are refused', () => {
  for (const wrong of [{ keys: [] }, { keys_file: '' }, { required: 'no' }]) {
    expect(accessSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
});
