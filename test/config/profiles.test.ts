import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configSchema, loadConfig } from '../../router/config/index.ts';

type Wanted = NonNullable<Parameters<typeof configSchema.parse>[0]>;

function profilesOf(profiles: object, others: Wanted = {}) {
  return configSchema.parse({ ...(others as object), profiles }).profiles;
}

function loadFault(yaml: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-profiles-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(file, yaml);
  try {
    loadConfig(file, {});
  } catch (error) {
    return String((error as Error).message).replaceAll(file, 'FILE');
  }
  throw new Error('The configuration was taken.');
}

test('a profile takes what it does not say from those that it extends, then from the configuration', () => {
  const { base, legal, contracts } = profilesOf(
    {
      contracts: {
        extends: 'legal',
        ladder: { strong: 'c' },
        cascade: { max_wait_ms: 900 },
        latency: { max_wait_ms: 2_000 },
      },
      legal: { extends: 'base', artifact: 'models/legal', margin: 0.01, capture: 'off' },
      base: {
        ladder: { cheap: 'b' },
        policy: 'always-strong',
        cascade: 'off',
        capture: { share: 0.5 },
        latency: { class: 'batch' },
      },
    },
    {
      ladder: { cheap: 'a', strong: 'a' },
      upstream: { deadline_ms: 5_000 },
      cascade: { max_wait_ms: 700, samples: 3 },
      latency: { max_expected_ms: 800 },
    },
  );
  expect(base).toMatchObject({ artifact: undefined, cascade: 'off', captureShare: 0.5, deadlineMs: 5_000 });
  expect(legal).toMatchObject({ cascade: 'off', captureShare: 0, ladder: { cheap: 'b', strong: 'a' } });
  expect(contracts).toEqual({
    lineage: ['contracts', 'legal', 'base'],
    ladder: { cheap: 'b', strong: 'c' },
    specialists: {},
    artifact: 'models/legal',
    policy: 'always-strong',
    margin: 0.01,
    deadlineMs: 5_000,
    cascade: { maxWaitMs: 900, samples: 3, validators: [] },
    latency: { class: 'batch', maxExpectedMs: 800, whenSlow: 'keep', maxWaitMs: 2_000 },
    captureShare: 0,
    rules: [],
    limits: [],
    responseCache: undefined,
    origins: {
      'ladder.cheap': 'base',
      'ladder.strong': 'contracts',
      artifact: 'legal',
      policy: 'base',
      margin: 'legal',
      capture: 'legal',
      cascade: 'contracts',
      latency: 'contracts',
    },
  });
});

test('a chain of profiles of any length and order resolves to the nearest value, and a circle is refused', () => {
  const margins = fc.array(fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(margins, fc.nat(), (values, closing) => {
      const profile = (at: number) => ({
        ...(values[at] !== undefined && { margin: values[at] / 100 }),
        ...(at + 1 < values.length && { extends: `p${at + 1}` }),
      });
      const declared = Object.fromEntries(values.map((_, at) => [`p${at}`, profile(at)]));
      const resolved = profilesOf(declared);
      for (const at of values.keys()) {
        const nearest = values.slice(at).find((value) => value !== undefined);
        expect(resolved[`p${at}`]!.margin).toBe(nearest === undefined ? undefined : nearest / 100);
      }
      const last = `p${values.length - 1}`;
      const circle = { ...declared, [last]: { extends: `p${closing % values.length}` } };
      expect(configSchema.safeParse({ profiles: circle }).error?.issues[0]?.message).toMatch(/in a circle/);
    }),
    { numRuns: 100 },
  );
});

describe('what is wrong is named with its line, its field and the chain', () => {
  test.each([
    [
      'profiles:\n  a: { extends: b }\n  b: { extends: a }\n',
      'FILE, line 2, field "profiles.a.extends": profiles that extend each other in a circle: a extends b extends a.',
    ],
    [
      'profiles:\n  a: { extends: legl }\n  legal: {}\n',
      'FILE, line 2, field "profiles.a.extends": a extends legl, and there is no profile "legl". Did you mean "legal"?',
    ],
    [
      'profiles:\n  a: { extends: __proto__ }\n',
      'FILE, line 2, field "profiles.a.extends": a extends __proto__, and there is no profile "__proto__".',
    ],
    [
      'profiles:\n  a: { margn: 0.1 }\n',
      'FILE, line 2, field "profiles.a.margn": there is no such field. Did you mean "margin"?',
    ],
    [
      'profiles:\n  a:\n    cascade: { max_wait_s: 900 }\n',
      'FILE, line 3, field "profiles.a.cascade.max_wait_s": there is no such field. Did you mean "max_wait_ms"?',
    ],
    [
      'profiles:\n  a:\n    cascade: of\n',
      'FILE, line 3, field "profiles.a.cascade": off, or an object with fields of cascade.',
    ],
    [
      'profiles:\n  a:\n    capture: on\n',
      'FILE, line 3, field "profiles.a.capture": off, or an object with a share, such as { share: 0.1 }.',
    ],
  ])('%j', (yaml, message) => {
    expect(loadFault(yaml)).toBe(message);
  });
});

test('the example of docs/CONFIGURATION.md loads, and every profile of it says what it must', () => {
  const page = readFileSync('docs/CONFIGURATION.md', 'utf8');
  const yaml = /## Profiles\n.*?```yaml\n(.*?)```/s.exec(page)![1]!;
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-profiles-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(file, yaml);
  const { profiles } = loadConfig(file, {});
  expect(profiles).toMatchObject({
    careful: { margin: 0.01, captureShare: 0 },
    contracts: { lineage: ['contracts', 'careful'], artifact: 'models/contracts', margin: 0.01 },
    nightly: { deadlineMs: 3_600_000, cascade: { maxWaitMs: 120_000 } },
    support: { policy: 'always-strong', cascade: 'off' },
  });
  expect(profiles['contracts']!.ladder).toEqual({
    cheap: 'openai/gpt-6-luna',
    strong: 'anthropic/claude-sonnet-5-5',
  });
});

test('capture of a profile needs capture of the configuration', () => {
  expect(loadFault('profiles:\n  a:\n    capture: { share: 0.5 }\n')).toBe(
    'FILE, line 3, field "profiles.a.capture": needs capture of the configuration itself, which says what is redacted.',
  );
});
