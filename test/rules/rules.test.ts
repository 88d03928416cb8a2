import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../router/config/index.ts';
import { configSchema } from '../../router/config/schema.ts';
import { compileRules } from '../../router/rules/compile-rules.ts';
import { DAYS, type RequestTraits, type RuleConditions, type RuleOptions } from '../../router/rules/rule.ts';
import { boundedRungs, rungNamed, withRule } from '../../router/rules/rule-options.ts';
import { unreachableRule } from '../../router/rules/unreachable.ts';

const CANDIDATES = ['cheap', 'middle', 'strong'];
const TARGETS = { ladders: [{ candidates: CANDIDATES }], profiles: ['fast'], limits: ['month', 'a'] };
/** A Wednesday. */
const NOON = Date.parse('2026-12-02T12:00:00Z');

const GERMAN = 'Bitte fasse den folgenden Bericht in drei Sätzen zusammen und nenne die wichtigsten Zahlen.';
const ENGLISH =
  'Please sum up the following report in three sentences and name the figures that matter most.';
const aged = (turns: number, minutes: number) => () => ({ turns, minutes });

interface Wishes extends Partial<Omit<RequestTraits, 'text' | 'needs'>> {
  readonly text?: string | undefined;
  readonly tools?: boolean;
  readonly images?: boolean;
  readonly inputTokens?: number;
}

function traits({ text = 'Hello', tools = false, images = false, inputTokens = 10, ...rest }: Wishes = {}) {
  const needs = { tools, images, inputTokens };
  const others = {
    model: 'auto',
    isExplicit: false,
    task: undefined,
    tags: [],
    keyId: undefined,
    headers: {},
  };
  return { ...others, ...rest, text: () => text, needs: () => needs } satisfies RequestTraits;
}

/** Rules as the configuration has them, parsed by its schema. */
function parsed(rules: unknown): readonly RuleOptions[] {
  return configSchema.parse({ rules }).rules;
}

async function fires(when: object, wishes: Wishes, nowMs = NOON): Promise<boolean> {
  const rules = await compileRules(parsed([{ name: 'one', when, use: 'cheap' }]), TARGETS);
  return rules.find(traits(wishes), nowMs) !== undefined;
}

describe('a condition holds', () => {
  test.each<[object, Wishes, Wishes]>([
    [{ task: 'SQL' }, { task: 'sql' }, { task: 'chat' }],
    [{ task: ['sql', 'maths'] }, { task: 'maths' }, {}],
    [{ tag: ['Batch', 'night'] }, { tags: ['x', 'batch'] }, { tags: ['x'] }],
    [{ key: 'k1' }, { keyId: 'k1' }, {}],
    [{ model: 'auto' }, { model: 'auto' }, { model: 'auto:fast' }],
    [{ model: 'openai/big' }, { model: 'openai/big', isExplicit: true }, { model: 'auto' }],
    [{}, {}, { model: 'openai/big', isExplicit: true }],
    [{ header: { 'X-Team': 'a' } }, { headers: { 'x-team': 'a' } }, { headers: { 'x-team': 'A' } }],
    [
      { header: { 'x-team': ['a', 'b'], 'x-env': 'dev' } },
      { headers: { 'x-team': 'b', 'x-env': 'dev' } },
      { headers: { 'x-team': 'b' } },
    ],
    [{ header: { constructor: 'a' } }, { headers: { constructor: 'a' } }, { headers: {} }],
    [{ characters: { at_least: 5, at_most: 6 } }, { text: 'Hello' }, { text: 'Hello, you' }],
    [{ characters: { at_most: 0 } }, { text: '' }, { text: 'a' }],
    [{ tokens: { at_least: 100 } }, { inputTokens: 100 }, { inputTokens: 99 }],
    [{ tools: true }, { tools: true }, {}],
    [{ images: false }, {}, { images: true }],
    [{ matches: '(?i)\\bselect\\b.+\\bfrom\\b' }, { text: 'SELECT a FROM b' }, { text: 'selection' }],
    [{ task: 'sql', tools: true }, { task: 'sql', tools: true }, { task: 'sql' }],
    [{ language: 'de' }, { text: GERMAN }, { text: ENGLISH }],
    [{ language: ['fr', 'en'] }, { text: ENGLISH }, { text: GERMAN }],
    [{ language: 'und' }, { text: '1234 + 17 = ?' }, { text: ENGLISH }],
    [{ language: 'ja' }, { text: 'この文章を英語に翻訳してください。' }, { text: '请把这段话翻译成英文。' }],
    [
      { budget_used: { limit: 'month', at_least: 0.8 } },
      { budgetUsed: (limit) => (limit === 'month' ? 0.8 : 0) },
      { budgetUsed: (limit) => (limit === 'month' ? 0.79 : 1) },
    ],
    [{ budget_used: { limit: 'month', at_most: 0 } }, {}, { budgetUsed: () => 0.1 }],
    [{ session_age: { turns: { at_least: 3 } } }, { sessionAge: aged(3, 0) }, { sessionAge: aged(2, 99) }],
    [
      { session_age: { minutes: { at_least: 30 } } },
      { sessionAge: aged(0, 30) },
      { sessionAge: aged(9, 29.9) },
    ],
    [{ session_age: { turns: { at_most: 5 } } }, { sessionAge: aged(0, 0) }, {}], // no session has no age
  ])('%j', async (when, yes, no) => {
    expect(await fires(when, yes)).toBe(true);
    expect(await fires(when, no)).toBe(false);
  });

  test.each<[object, string, boolean]>([
    [{ days: ['wed'] }, '2026-12-02T12:00:00Z', true],
    [{ days: ['thu'] }, '2026-12-02T12:00:00Z', false],
    [{ days: ['thu'], time_zone: 'Asia/Tokyo' }, '2026-12-02T15:00:00Z', true],
    [{ hours: { from: '22:00', to: '06:00' } }, '2026-12-02T05:59:00Z', true],
    [{ hours: { from: '22:00', to: '06:00' } }, '2026-12-02T06:00:00Z', false],
    [{ hours: { from: '08:00', to: '17:30' }, time_zone: 'Europe/Berlin' }, '2026-07-01T06:00:00Z', true],
    [{ hours: { from: '08:00', to: '17:30' }, time_zone: 'Europe/Berlin' }, '2026-12-01T06:59:00Z', false],
    [{ hours: { from: '00:00', to: '00:30' } }, '2026-12-02T00:15:00Z', true],
  ])('%j at %s: %s', async (when, time, expected) => {
    expect(await fires(when, {}, Date.parse(time))).toBe(expected);
  });
});

test('the first rule that fits decides, and what is expensive is not worked out for the others', async () => {
  const rules = await compileRules(
    parsed([
      { name: 'tagged', when: { tag: 'a' }, at_least: 'middle' },
      { name: 'long', when: { tag: 'b', characters: { at_least: 1 } }, at_most: 'cheap' },
      { name: 'all', use: 'other/model' },
    ]),
    TARGETS,
  );
  const unread = { ...traits(), text: () => expect.unreachable(), needs: () => expect.unreachable() };
  expect(rules.find({ ...unread, tags: ['b', 'a'] }, NOON)?.name).toBe('tagged');
  expect(rules.find(traits({ tags: ['b'] }), NOON)).toEqual({
    name: 'long',
    action: { kind: 'at-most', rung: 'cheap' },
    field: 'rules.1',
  });
  expect(rules.find(unread, NOON)).toMatchObject({
    name: 'all',
    action: { kind: 'model', model: 'other/model' },
  });
});

test('what a rule does to options and rungs', () => {
  const refuses = { name: 'no', action: { kind: 'refuse', message: 'Not here.' } } as const;
  expect(() => withRule({}, refuses)).toThrow('Not here.');
  const fast = { name: 'f', action: { kind: 'profile', profile: 'fast' } } as const;
  expect(withRule({ profile: 'slow' }, fast)).toEqual({ profile: 'fast', rule: fast });
  const rungs = (kind: 'rung' | 'at-least' | 'at-most', rung: string, allowed?: readonly number[]) =>
    boundedRungs({ name: 'r', action: { kind, rung } }, CANDIDATES, allowed);
  expect(rungs('at-least', 'middle')).toEqual([1, 2]);
  expect(rungs('at-most', 'middle')).toEqual([0, 1]);
  expect(rungs('rung', 'cheap', [1, 2])).toEqual([1, 2]);
  expect(rungs('at-least', 'strongest')).toEqual([2]);
  expect(rungs('rung', 'strongest', [0, 1, 2])).toEqual([2]);
  expect(rungs('at-most', 'cheapest')).toEqual([0]);
  expect(rungNamed('strongest', ['strongest', 'other'])).toBe(0); // a candidate of that name
  expect(() => rungs('at-most', 'cheap', [1, 2])).toThrow('No candidate that the rule "r" leaves can take');
});

describe('the configuration refuses', () => {
  const named = (rest: object) => ({ name: 'one', ...rest });

  test.each<[string, unknown, string]>([
    ['no action', [named({})], 'needs exactly one of use, profile, at_least, at_most, refuse'],
    ['two actions', [named({ use: 'cheap', refuse: 'No' })], 'needs exactly one'],
    ['an action of later', [named({ human: true })], 'Unrecognized key'],
    ['an unknown condition', [named({ when: { taks: 'sql' }, use: 'cheap' })], 'Unrecognized key'],
    ['two rules of one name', [named({ use: 'cheap' }), named({ use: 'cheap' })], 'two rules named'],
    [
      'a time that YAML reads as a number',
      [named({ when: { hours: { from: 1320, to: 1 } }, use: 'cheap' })],
      'expected string',
    ],
    [
      'no hours at all',
      [named({ when: { hours: { from: '08:00', to: '08:00' } }, use: 'cheap' })],
      'are the same',
    ],
    ['a time zone for nothing', [named({ when: { time_zone: 'UTC' }, use: 'cheap' })], 'there are none'],
    [
      'a header with a secret',
      [named({ when: { header: { Authorization: 'x' } }, use: 'cheap' })],
      'holds a secret',
    ],
    ['an unknown language', [named({ when: { language: 'klingon' }, use: 'cheap' })], 'Invalid option'],
    [
      'a budget without a bound',
      [named({ when: { budget_used: { limit: 'a' } }, use: 'cheap' })],
      'give at_least',
    ],
    [
      'an age of nothing',
      [named({ when: { session_age: {} }, use: 'cheap' })],
      'give turns, minutes or both',
    ],
    ['an empty range', [named({ when: { tokens: {} }, use: 'cheap' })], 'give at_least, at_most or both'],
  ])('%s', (_, rules, message) => {
    const result = configSchema.safeParse({ rules });
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(message);
  });

  test.each<[string, object[], string]>([
    [
      'an unknown rung',
      [{ use: 'chaep' }],
      'Field "rules.0.use": there is no rung "chaep". Did you mean "cheap"?',
    ],
    [
      'an unknown limit',
      [{ when: { budget_used: { limit: 'mnth', at_least: 0.5 } }, use: 'cheap' }],
      'Field "rules.0.when.budget_used.limit": there is no limit named "mnth". Did you mean "month"?',
    ],
    ['an unknown profile', [{ profile: 'x' }], 'there is no profile "x". There are: fast.'],
    [
      'a look-ahead',
      [{ when: { matches: '(?=a)b' }, use: 'cheap' }],
      'Field "rules.0.when.matches": the rule "r0" has no pattern of RE2',
    ],
    [
      'an unknown time zone',
      [{ when: { days: ['mon'], time_zone: 'Europe/Berln' }, use: 'cheap' }],
      'Field "rules.0.when.time_zone": the time zone of the rule "r0" is not known',
    ],
    [
      'bounds that exclude each other',
      [{ when: { tokens: { at_least: 9, at_most: 8 } }, use: 'cheap' }],
      'the rule "r0" can never fire: its bounds exclude each other',
    ],
    [
      'a shadowed rule',
      [
        { when: { tag: ['a', 'b'] }, use: 'cheap' },
        { when: { tag: 'b', tools: true }, use: 'strong' },
      ],
      'Field "rules.1": the rule "r1" can never fire: "r0" before it takes all its requests. Put "r1" first, or make "r0" narrower.',
    ],
  ])('%s', async (_, rules, message) => {
    const options = parsed(rules.map((rule, index) => ({ name: `r${index}`, ...rule })));
    await expect(compileRules(options, TARGETS)).rejects.toThrow(message);
  });

  test('nothing where there are no rules', () => {
    expect(loadConfig(undefined, {}).rules).toEqual([]);
  });
});

const small = (values: readonly string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const range = fc.record({ atLeast: optional(fc.nat(6)), atMost: optional(fc.nat(6)) });
const minute = fc.integer({ min: 0, max: 1_439 });
const TAGS = ['a', 'b', 'c'];
const MODELS = ['auto', 'auto:fast', 'x/y'];

const conditions: fc.Arbitrary<RuleConditions> = fc.record(
  {
    task: small(TAGS),
    taskProbability: fc.constantFrom(0, 0.5, 1),
    language: small(['en', 'de', 'und']),
    budgetUsed: fc.record({
      limit: fc.constantFrom('month', 'a'),
      atLeast: optional(fc.nat(2)),
      atMost: optional(fc.nat(2)),
    }),
    sessionAge: fc.record({ turns: optional(range), minutes: optional(range) }),
    tag: small(TAGS),
    key: small(TAGS),
    model: small(MODELS),
    header: fc.dictionary(fc.constantFrom('x', 'y'), small(TAGS)),
    characters: range,
    tokens: range,
    tools: fc.boolean(),
    images: fc.boolean(),
    days: small(DAYS) as fc.Arbitrary<(typeof DAYS)[number][]>,
    hours: fc.record({ from: minute, to: minute }).filter(({ from, to }) => from !== to),
    timeZone: fc.constantFrom('UTC', 'Asia/Tokyo'),
    matches: fc.constantFrom('a', 'b+'),
  },
  { requiredKeys: [] },
);

const requests = fc.record({
  wishes: fc.record({
    model: fc.constantFrom(...MODELS),
    task: optional(fc.constantFrom(...TAGS)),
    tags: fc.subarray(TAGS),
    keyId: optional(fc.constantFrom(...TAGS)),
    headers: fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom(...TAGS)),
    text: fc.oneof(fc.stringMatching(/^[ab]{0,6}$/), fc.constantFrom(ENGLISH, GERMAN)),
    tools: fc.boolean(),
    images: fc.boolean(),
    inputTokens: fc.nat(6),
    predictedTask: fc.constantFrom(
      () => ({ task: 'a' as never, probability: 0.5 }),
      () => undefined,
    ),
    budgetUsed: fc.nat(2).map((share) => () => share),
    sessionAge: optional(fc.record({ turns: fc.nat(6), minutes: fc.nat(6) })).map((age) => () => age),
  }),
  nowMs: fc.integer({ min: NOON, max: NOON + 7 * 86_400_000 }),
});
const requestOf = ({ wishes }: { readonly wishes: Wishes }) =>
  traits({ ...wishes, isExplicit: wishes.model === 'x/y' });

describe('whatever the rules', () => {
  const rulesOf = (all: readonly RuleConditions[]): RuleOptions[] =>
    all.map((when, index) => ({ name: `r${index}`, when, use: 'cheap' }));

  test('each request has one result, the same each time, in the order of the rules', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(conditions, { maxLength: 4 }), requests, async (all, request) => {
        const alone = await Promise.all(
          rulesOf(all).map(async (one) => {
            if (unreachableRule([one]) !== undefined) return undefined;
            return (await compileRules([one], TARGETS)).find(requestOf(request), request.nowMs)?.name;
          }),
        );
        const first = alone.find((name) => name !== undefined);
        if (unreachableRule(rulesOf(all)) !== undefined) return;
        const rules = await compileRules(rulesOf(all), TARGETS);
        expect(rules.find(requestOf(request), request.nowMs)?.name).toBe(first);
        expect(rules.find(requestOf(request), request.nowMs)?.name).toBe(first);
      }),
    );
  });

  test('a rule that is refused as shadowed never fires after the one that is named', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(conditions, conditions, fc.array(requests, { minLength: 20 }), async (a, b, many) => {
        // Half of the pairs are made so that the second is narrower.
        const pair = rulesOf([a, { ...b, ...a }]);
        const shadowed = unreachableRule(pair);
        if (shadowed?.index !== 1 || shadowed.shadowedBy === undefined) return;
        found++;
        const [wide, narrow] = await Promise.all(pair.map((one) => compileRules([one], TARGETS)));
        for (const request of many) {
          if (narrow!.find(requestOf(request), request.nowMs) === undefined) continue;
          expect(wide!.find(requestOf(request), request.nowMs)).toBeDefined();
        }
      }),
    );
    expect(found).toBeGreaterThan(5);
  });
});

test('a pattern that stalls backtracking engines takes linear time', async () => {
  const rules = await compileRules(
    parsed([{ name: 'evil', when: { matches: '^(a+)+$|^(a|aa)*c$' }, use: 'cheap' }]),
    TARGETS,
  );
  // A backtracking engine needs more than 2 to the power of 32,000 steps here.
  expect(rules.find(traits({ text: `${'a'.repeat(32_000)}b` }), NOON)).toBeUndefined();
  expect(rules.find(traits({ text: 'a'.repeat(32_000) }), NOON)?.name).toBe('evil');
});
