import { describe, expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { readRules } from '../../router/configured-rules.ts';

type Wanted = NonNullable<Parameters<typeof configSchema.parse>[0]>;
const parsed = (config: object) => configSchema.parse(config as Wanted);
const rule = (name: string, more: object = {}) => ({ name, when: { tag: name }, use: 'cheap', ...more });
const names = (rules: readonly { readonly name: string }[]) => rules.map(({ name }) => name);

describe('rules of a profile', () => {
  const { profiles, rules } = parsed({
    rules: [rule('own')],
    profiles: {
      plain: {},
      other: { rules: [rule('other')] },
      none: { rules: [] },
      both: { extends: 'other', rules: { extends: true, list: [rule('first')] } },
      before: { rules: { extends: true, list: [rule('before')] } },
      child: { extends: 'before' },
    },
  });

  test('replace those that it inherits, or are looked at before them if it says so', () => {
    const found = Object.entries(profiles).map(([name, profile]) => [name, names(profile.rules)]);
    expect(Object.fromEntries(found)).toEqual({
      plain: ['own'],
      other: ['other'],
      none: [],
      both: ['first', 'other'],
      before: ['before', 'own'],
      child: ['before', 'own'],
    });
    expect(profiles['plain']!.rules).toBe(rules);
    expect(profiles['child']!.origins['rules']).toBe('before');
  });

  test('are checked for the ladders that they are of, and the message names their field', async () => {
    const read = (config: object, profile?: string) => readRules(parsed(config), 0, profile);
    const wrong = { profiles: { a: { rules: [rule('x', { use: 'chaep' })] } } };
    await expect(read(wrong)).rejects.toThrow(/profiles\.a\.rules\.0\.use.*"cheap"/);
    const shadowed = {
      rules: [rule('x', { when: {} })],
      profiles: { a: { rules: { extends: true, list: [] } } },
    };
    await expect(read(shadowed)).resolves.toBeDefined();
    const never = {
      rules: [rule('own')],
      profiles: { a: { rules: { extends: true, list: [rule('all', { when: {} })] } } },
    };
    await expect(read(never)).rejects.toThrow(/"own" can never fire: "all" before it/);
    const fine = { rules: [rule('own')], profiles: { a: { rules: [rule('mine')] } } };
    expect(names((await read(fine, 'a')).rules.all)).toEqual(['mine']);
    expect(names((await read(fine)).rules.all)).toEqual(['own']);
    await expect(read(fine, 'aa')).rejects.toThrow(/Did you mean "a"/);
  });

  test('a name that an inherited rule has too is refused', () => {
    const twice = { rules: [rule('x')], profiles: { a: { rules: { extends: true, list: [rule('x')] } } } };
    expect(() => parsed(twice)).toThrow(/two rules named .*x.*its own and an inherited one/);
  });
});

describe('limits of a profile', () => {
  const windows = [{ '1m': '10 requests' }];

  test('are of its requests alone, and what extends it has as many of its own', () => {
    const { limits } = parsed({
      limits: [{ windows: [{ '1m': '100 requests' }] }],
      profiles: {
        a: { limits: [{ windows }, { for: { key: '*' }, windows }] },
        b: { extends: 'a' },
        c: { extends: 'a', limits: [] },
      },
    });
    expect(limits.map((limit) => limit.for)).toEqual([
      {},
      { profile: 'a' },
      { key: '*', profile: 'a' },
      { profile: 'b' },
      { key: '*', profile: 'b' },
    ]);
    expect(limits[2]!.field).toBe('profiles.a.limits.1');
  });

  test('name no profile, and none twice', () => {
    const limit = (more: object) => ({ profiles: { a: { limits: [{ ...more, windows }] } } });
    expect(() => parsed(limit({ for: { profile: 'b' } }))).toThrow(/profile/);
    const both = { ...limit({}), limits: [{ for: { profile: 'a' }, windows }] };
    expect(() => parsed(both)).toThrow(/the same as a limit of the configuration/);
  });
});

describe('the response cache of a profile', () => {
  test('is that of the configuration, another one, or none', () => {
    const { profiles, responseCache } = parsed({
      response_cache: { ttl_ms: 5_000, tools: true },
      profiles: {
        same: {},
        longer: { response_cache: { ttl_ms: 9_000 } },
        off: { extends: 'longer', response_cache: 'off' },
        on: { extends: 'off', response_cache: { any_temperature: true } },
      },
    });
    expect(profiles['same']!.responseCache).toBe(responseCache);
    expect(profiles['longer']!.responseCache).toEqual({ ...responseCache, ttlMs: 9_000 });
    expect(profiles['off']!.responseCache).toBeUndefined();
    expect(profiles['on']!.responseCache).toMatchObject({ anyTemperature: true, tools: false });
  });

  test('fields that contradict each other only together are refused', () => {
    const config = {
      response_cache: { max_bytes: 1_048_576 },
      profiles: { a: { response_cache: { max_entry_bytes: 2_000_000 } } },
    };
    expect(() => parsed(config)).toThrow(/max_entry_bytes may not be more than max_bytes/);
  });
});
