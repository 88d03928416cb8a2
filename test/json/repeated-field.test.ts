import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isObject, JsonScan, parseJson, repeatedField } from '../../router/json/index.ts';
import { scaled } from '../helpers/long-run.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  stream: 'str\\u0065am',
  n: '\\u006E',
  messages: '\\u006dessages',
};

function repeatedIn(text: string): string | undefined {
  const scan = new JsonScan({ maxDepth: 1e6, maxValues: 1e9 });
  scan.push(Buffer.from(text));
  return repeatedField(text, parseJson(text), scan.names);
}

test.each([
  ['{"stream":true,"stream":false}', 'stream'],
  ['{"stream":true,"str\\u0065am":true}', 'stream'],
  ['{"n":1,"stream":true,"x":{"n":2},"stream" : null}', 'stream'],
  ['{"stream":true,"x":{"stream":false}}', undefined],
  ['{"stream":"stream","x":["stream"]}', undefined],
  ['{"stream":true,"x":"\\"stream\\":"}', undefined],
  ['{"stream":true,"Stream":true}', undefined],
  ['{"x":1,"x":2}', 'x'],
  ['{"x":{"a":1,"a":2},"n":1}', 'x.a'],
  ['{"n":[0,{"a":1},{"a":{"b":":"},"b":"a","a":2}]}', 'n.2.a'],
  [
    '{"messages":[{"role":"user"},{"role":"user","content":[{"text":"a"},{"text":"a","te\\u0078t":"b"}]}]}',
    'messages.1.content.1.text',
  ],
  ['{"n":{"__proto__":1,"__proto__":2}}', 'n.__proto__'],
  ['{"n":{"__proto__":1,"1":2,"constructor":{}}}', undefined],
  ['{"n":{"":{"":1,"":2}}}', 'n..'],
  ['{}', undefined],
] as const)('%s', (text, repeated) => {
  expect(repeatedIn(text)).toBe(repeated);
});

/** A JSON text whose objects may have fields twice, and the path of the first that is. */
interface Written {
  readonly text: string;
  readonly repeated: readonly (string | number)[] | undefined;
}

const space = fc.constantFrom('', ' ', '\n\t');
const scalar: fc.Arbitrary<Written> = fc
  .constantFrom('1', 'null', '"n"', '"\\"n\\":"', '"{,:}"', '"\\\\"', '-1.5e3')
  .map((text) => ({ text, repeated: undefined }));
const name = fc
  .constantFrom('stream', 'n', 'messages', 'x', 'a')
  .chain((plain) =>
    fc.constantFrom(JSON.stringify(plain), `"${ESCAPES[plain] ?? plain}"`).map((key) => ({ plain, key })),
  );

function objectOf(value: fc.Arbitrary<Written>): fc.Arbitrary<Written> {
  const field = fc.record({ name, value, space });
  return fc.array(field, { maxLength: 4 }).map((fields) => {
    const text = fields.map((one) => `${one.space}${one.name.key}${one.space}:${one.space}${one.value.text}`);
    const found = fields.map(({ name: { plain }, value: inner }, at): Written['repeated'] => {
      if (fields.slice(0, at).some((earlier) => earlier.name.plain === plain)) return [plain];
      return inner.repeated && [plain, ...inner.repeated];
    });
    return { text: `{${text.join(',')}}`, repeated: found.find((path) => path !== undefined) };
  });
}

const { value } = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    objectOf(tie('value')),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => {
      const at = items.findIndex(({ repeated }) => repeated !== undefined);
      const inner = items[at]?.repeated;
      return { text: `[${items.map(({ text }) => text).join(' , ')}]`, repeated: inner && [at, ...inner] };
    }),
  ),
}));

test('finds the first field that is there twice, however it is written, and no other', () => {
  fc.assert(
    fc.property(objectOf(value), ({ text, repeated }) => {
      expect(isObject(JSON.parse(text))).toBe(true);
      expect(repeatedIn(text)).toBe(repeated?.join('.'));
    }),
    { numRuns: scaled(2_000) },
  );
});

test('a text without repeated fields has as many names as its value', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(repeatedIn(`{"n":${text}}`)).toBeUndefined();
    }),
    { numRuns: scaled(1_000) },
  );
});
