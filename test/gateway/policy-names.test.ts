import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configSchema, loadConfig } from '../../router/config.ts';
import { wantedModel } from '../../router/gateway/wanted-model.ts';
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
    { numRuns: 2_000 },
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
