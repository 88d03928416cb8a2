import fc from 'fast-check';
import { expect, test } from 'vitest';
import { repeatedField } from '../../router/json/index.ts';
import { scaled } from '../helpers/long-run.ts';

const NAMES = ['stream', 'n', 'stop'];
const ESCAPES: Readonly<Record<string, string>> = {
  stream: 'str\\u0065am',
  n: '\\u006E',
  stop: '\\u0073top',
};

test.each([
  ['{"stream":true,"stream":false}', 'stream'],
  ['{"stream":true,"str\\u0065am":true}', 'stream'],
  ['{"n":1,"stream":true,"x":{"n":2},"stream" : null}', 'stream'],
  ['{"stream":true,"x":{"stream":false}}', undefined],
  ['{"stream":"stream","x":["stream"]}', undefined],
  ['{"stream":true,"x":"\\"stream\\":"}', undefined],
  ['{"stream":true,"Stream":true}', undefined],
  ['{}', undefined],
  ['{"stream":true,"stream', undefined],
])('%s', (text, repeated) => {
  expect(repeatedField(text, NAMES)).toBe(repeated);
});

test('finds a field that is there twice, in any text, and no other', () => {
  const name = fc.constantFrom(...NAMES, 'x', 'messages', '');
  const written = name.chain((plain) =>
    fc.constantFrom(JSON.stringify(plain), `"${ESCAPES[plain] ?? plain}"`).map((key) => ({ plain, key })),
  );
  const value = fc.oneof(
    fc.json(),
    fc.constantFrom(...NAMES).map((text) => JSON.stringify({ [text]: text })),
  );
  const fields = fc.array(fc.record({ name: written, value, space: fc.constantFrom('', ' ', '\n\t') }));
  fc.assert(
    fc.property(fields, (all) => {
      const body = all.map(
        ({ name: { key }, value: text, space }) => `${space}${key}${space}:${space}${text}`,
      );
      const plain = all.map(({ name: one }) => one.plain).filter((one) => NAMES.includes(one));
      const repeated = plain.find((one, at) => plain.indexOf(one) < at);
      expect(repeatedField(`{${body.join(',')}}`, NAMES)).toBe(repeated);
    }),
    { numRuns: scaled(2_000) },
  );
});
