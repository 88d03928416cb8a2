import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configSchema, loadConfig } from '../../router/config/index.ts';
import { wantedModel } from '../../router/gateway/model-names.ts';
import { scaled } from '../helpers/long-run.ts';
import { scratchFolder } from '../server/hot-serving.ts';

function allowed(name: string): boolean {
  return configSchema.safeParse({ policies: { [name]: { threshold: 0.2 } } }).success;
}

function canBeAskedFor(name: string): boolean {
  try {
    const wanted = wantedModel(`router-${name}`);
    return wanted.kind === 'policy' && wanted.policy === name && wanted.threshold === undefined;
  } catch {
    return false;
  }
}

test.each([
  ['thrifty', true],
  ['thrifty2', true],
  ['thrifty-v2', true],
  ['v1.5', true],
  ['2', true],
  ['thrifty 2', false],
  ['thrifty-2', false],
  ['thrifty-.5', false],
  ['thrifty-', false],
  ['a/b', false],
  ['', false],
])('a policy %j may be in the configuration: %s; then it can be asked for', (name, may) => {
  expect([allowed(name), canBeAskedFor(name)]).toEqual([may, may]);
});

test('whatever name the configuration takes can be asked for, and no other is refused', () => {
  const names = fc.string({
    unit: fc.constantFrom('a', 'Z', '_', '7', '.', '-', ' ', '/', 'é'),
    maxLength: 8,
  });
  fc.assert(
    fc.property(names, (name) => {
      expect(allowed(name)).toBe(canBeAskedFor(name));
    }),
    { numRuns: scaled(2_000) },
  );
});

const parts = fc.constantFrom(
  'router-',
  'auto',
  ':',
  'a',
  'B',
  '_',
  '7',
  '.',
  '-',
  '/',
  ' ',
  '0.25',
  'é',
  '\n',
);
const models = fc.array(parts, { maxLength: 10 }).map((all) => all.join(''));

test('model is read as the grammar says: dashes part a policy, and a number at the end is its threshold', () => {
  // The same language in a form that is easier to read; quadratic, hence only here.
  const grammar = /^router-([\w.]+(?:-[\w.]*[a-z_][\w.]*)*)(?:-(-?\d*\.?\d+))?$/i;
  fc.assert(
    fc.property(models, (model) => {
      const [, policy, threshold] = grammar.exec(model) ?? [];
      if (policy === undefined) {
        expect(kindOf(model)).not.toBe('policy');
      } else {
        expect(wantedModel(model)).toEqual({
          kind: 'policy',
          policy,
          threshold: threshold === undefined ? undefined : Number(threshold),
        });
      }
    }),
    { numRuns: scaled(10_000) },
  );
});

function kindOf(model: string): string {
  try {
    return wantedModel(model).kind;
  } catch {
    return 'refused';
  }
}

test.each([
  ['a policy', (n: number) => `router-a-${'a'.repeat(n)}!`],
  ['a profile', (n: number) => `auto:${'a'.repeat(n)}`],
  ['a model of a provider', (n: number) => `first/${'a'.repeat(n)}`],
])('%s whose name has more than 256 characters is refused, and the error does not repeat it', (_, nameOf) => {
  expect(() => wantedModel(nameOf(4_000_000))).toThrow(
    expect.objectContaining({
      code: 'invalid-input',
      message: expect.stringMatching(/^.{0,300}no name has more than 256.{0,200}$/),
      place: { field: 'model' },
    }),
  );
});

test('the error names the key and the rule', () => {
  const file = path.join(scratchFolder(), 'plimsoll.config.yaml');
  writeFileSync(file, 'policies: { thrifty-2: { threshold: 0.2 } }\n');
  expect(() => loadConfig(file, {})).toThrow(
    expect.objectContaining({
      code: 'invalid-config',
      message: expect.stringMatching(
        /field "policies\.thrifty-2": the name of a policy has .*dashes that no number/,
      ),
    }),
  );
});
