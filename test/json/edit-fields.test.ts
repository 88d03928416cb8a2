import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editFields, withField } from '../../router/json/edit-fields.ts';
import { isObject, parseJson } from '../../router/json/index.ts';
import { scaled } from '../helpers/long-run.ts';

function objectFrom(text: string): object {
  const parsed = parseJson(text);
  return isObject(parsed) ? parsed : {};
}

function withModel(text: string, model: string): string {
  return editFields(text, objectFrom(text), { set: ['model', model] });
}

test('only the value of model changes', () => {
  const text =
    '{ "seed" : 12345678901234567890, "model":\n "auto" , "x": 1.0, "messages":[{"model":"auto","content":"\\"model\\": \\\\"}]}';
  expect(withModel(text, 'gpt "4"')).toBe(
    '{ "seed" : 12345678901234567890, "model":\n "gpt \\"4\\"" , "x": 1.0, "messages":[{"model":"auto","content":"\\"model\\": \\\\"}]}',
  );
});

test.each([
  ['{"model":1,"x":"}","model":"auto","messages":[]}', '{"model":"m","x":"}","model":"m","messages":[]}'],
  ['{"model":{"model":["]}"]} ,"a":1}', '{"model":"m" ,"a":1}'],
  ['{"model":[] }', '{"model":"m" }'],
  ['{"model":null}', '{"model":"m"}'],
  ['{"model":-1.5e+3\n}', '{"model":"m"\n}'],
  ['{"a":"model","model":true,"b":"\\\\"}', '{"a":"model","model":"m","b":"\\\\"}'],
  ['{"Model":1,"models":2,"mode":3,"":{"model":4}}', '{"Model":1,"models":2,"mode":3,"":{"model":4}}'],
])('%s', (text, expected) => {
  expect(withModel(text, 'm')).toBe(expected);
});

test.each([
  ['{"max_tokens" : 5,"a":{"max_tokens":1}}', '{"limit" : 5,"a":{"max_tokens":1}}'],
  ['{"a":"max_tokens","max_tokens":1e400,"max_tokens":2}', '{"a":"max_tokens","limit":1e400,"limit":2}'],
  ['{"a":["max_tokens",{"max_tokens":1}],"b":"\\"max_tokens\\":1"}', undefined],
  ['{"max_tokens_":1,"Max_tokens":1}', undefined],
  ['{"max_tokens', undefined],
])('a field is renamed at the top alone: %s', (text, expected = text) => {
  const edits = { set: ['model', 'm'], rename: ['max_tokens', 'limit'] } as const;
  expect(editFields(text, objectFrom(text), edits)).toBe(expected);
});

test.each([
  ['{"max_tokens":5,"model":"auto"}', '{"limit":5,"model":"m"}'],
  ['{"model": "auto" ,"max_tokens":5,"a":1}', '{"model": "m" ,"limit":5,"a":1}'],
  ['{"model":{"max_tokens":1},"max_tokens":5}', '{"model":"m","limit":5}'],
  [
    '{"max_token\\u0073":5,"a":{"max_tokens":1},"model":1}',
    '{"max_token\\u0073":5,"a":{"max_tokens":1},"model":"m"}',
  ],
  [
    '{"a":"says \\"model","b":"\\"max_tokens","model":1,"max_tokens":2}',
    '{"a":"says \\"model","b":"\\"max_tokens","model":"m","limit":2}',
  ],
])('both edits: %s', (text, expected) => {
  const edits = { set: ['model', 'm'], rename: ['max_tokens', 'limit'] } as const;
  expect(editFields(text, objectFrom(text), edits)).toBe(expected);
});

/** One of the ways to write a JSON string: each character as itself or as an escape. */
const written = (content: fc.Arbitrary<string>) =>
  fc.tuple(content, fc.infiniteStream(fc.nat(2))).map(([text, ways]) => {
    const units = Array.from({ length: text.length }, (_, i) => text[i]!);
    return `"${units.map((unit) => writtenUnit(unit, ways.next().value)).join('')}"`;
  });

function writtenUnit(unit: string, way: number): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
  if (way === 1) return `\\u${hex}`;
  if (way === 2) return `\\u${hex.toUpperCase()}`;
  return JSON.stringify(unit).slice(1, -1);
}

const space = fc.constantFrom('', '', ' ', '\n', '\t\r\n ');
const number = fc.constantFrom('0', '-0', '1.0', '1e400', '-12345678901234567890.5E-3', '0.1e+1');
const { value } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false', '[]', '{}'),
    number,
    written(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          'model',
          '}',
          'x'.repeat(70),
          `${'x'.repeat(64)}\\"}`,
          '{"model":1}',
          '\\',
          '\\"',
          'auto',
        ),
      ),
    ),
    tie('list'),
    tie('object'),
  ),
  list: fc
    .tuple(space, fc.array(fc.tuple(tie('value'), space), { maxLength: 4 }))
    .map(([lead, items]) => `[${lead}${items.map(([item, after]) => item + after).join(',')}]`),
  object: fc
    .array(fc.tuple(written(fc.constantFrom('model', 'a', '}')), tie('value')), { maxLength: 4 })
    .map((fields) => `{${fields.map(([name, held]) => `${name}:${held}`).join(',')}}`),
}));

interface Field {
  readonly isModel: boolean;
  readonly before: string;
  readonly value: string;
  readonly after: string;
}

const field: fc.Arbitrary<Field> = fc
  .tuple(
    fc.oneof(
      written(fc.constant('model')).map((name) => [true, name] as const),
      written(fc.oneof(fc.string(), fc.constantFrom('models', 'Model', '__proto__', 'messages')))
        .filter((name) => JSON.parse(name) !== 'model')
        .map((name) => [false, name] as const),
    ),
    fc.array(space, { minLength: 4, maxLength: 4 }),
    value,
  )
  .map(([[isModel, name], [lead, second, third, after], held]) => ({
    isModel,
    before: `${lead}${name}${second}:${third}`,
    value: held,
    after: after!,
  }));

test('any JSON object: every own model is replaced, and no other character', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), space, fc.string(), (fields, around, model) => {
      const text = (held: (field: Field) => string) =>
        `${around}{${fields.map((one) => one.before + held(one) + one.after).join(',')}}${around}`;
      const before = text((one) => one.value);
      const after = withModel(before, model);
      expect(after).toBe(text((one) => (one.isModel ? JSON.stringify(model) : one.value)));
      const expected = JSON.parse(before);
      if (Object.hasOwn(expected, 'model')) expected.model = model;
      expect(JSON.parse(after)).toEqual(expected);
    }),
    { numRuns: scaled(2_000) },
  );
});

test('any string at all: it ends, without an error', () => {
  const pieces = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    ' ',
    '"model"',
    '"model":',
    'x',
    '1',
  );
  const text = fc.array(pieces, { maxLength: 24 }).map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (any) => {
      expect(typeof withModel(any, 'm')).toBe('string');
    }),
    { numRuns: scaled(5_000) },
  );
});

const deep = (n: number): string => '['.repeat(n) + ']'.repeat(n);

test.each<[string, (n: number, model: string) => string]>([
  ['an escape at every second character', (n, model) => `{"content":"${'\\"'.repeat(n)}","model":${model}}`],
  ['backslashes', (n, model) => `{"content":"${'\\\\'.repeat(n)}","model":${model}}`],
  ['many values of model', (n, model) => `{${`"model":${model},`.repeat(n / 10)}"model":${model}}`],
  ['deep nesting', (n, model) => `{"a":${deep(n)},"model":${model}}`],
  [
    'a deeply nested model',
    (n, model) => `{"model":${model === '"auto"' ? deep(n) : model},"model":${model}}`,
  ],
])('a long text of %s', (_, textOf) => {
  const n = scaled(4_000_000);
  expect(withModel(textOf(n, '"auto"'), 'm')).toBe(textOf(n, '"m"'));
});

test.each([
  ['{"model":"m"}', '{"logprobs":true,"model":"m"}'],
  [' { "model" : "m" }', ' {"logprobs":true, "model" : "m" }'],
  ['{"model":"m","logprobs":false}', '{"model":"m","logprobs":true}'],
  ['{"logprobs": null ,"a":{"logprobs":1}}', '{"logprobs": true ,"a":{"logprobs":1}}'],
  ['{"logprobs":1,"a":[],"logprobs":{"b":2}}', '{"logprobs":true,"a":[],"logprobs":true}'],
  ['{"\\u006cogprobs":0}', '{"\\u006cogprobs":true}'],
])('a field with a value, in %s', (text, expected) => {
  expect(withField(text, objectFrom(text), 'logprobs', true)).toBe(expected);
});
