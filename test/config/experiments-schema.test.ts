import { describe, expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';

const base = {
  providers: { openai: { kind: 'openai' } },
  profiles: { next: {}, other: {} },
  decision_log: { to: 'state' },
};
const SPLIT = {
  kind: 'split',
  arms: { now: { profile: 'default', weight: 0.9 }, new: { profile: 'next', weight: 0.1 } },
};
const CANARY = { kind: 'canary', candidate: 'next' };
const SHADOW = { kind: 'shadow', to: { models: ['openai/gpt-6-sol'] }, spend: { '24h': '5 usd' } };

function parsed(experiments: unknown, changes: object = {}) {
  return configSchema.safeParse({ ...base, ...changes, experiments });
}

function faultOf(experiments: unknown, changes: object = {}): string {
  const { error } = parsed(experiments, changes);
  const [issue] = error?.issues ?? [];
  return issue === undefined ? 'none' : `${issue.path.join('.')} ${issue.message}`;
}

test('what is left out has a default, and experiments bring a state', () => {
  const { data } = parsed({ a: SPLIT, b: { ...CANARY, profile: 'other' }, c: SHADOW });
  expect(data?.state?.kind).toBe('sqlite');
  expect(data?.experiments).toEqual([
    {
      name: 'a',
      kind: 'split',
      profile: 'default',
      unit: 'session',
      confidence: 0.95,
      arms: [
        { name: 'now', profile: 'default', weight: 0.9 },
        { name: 'new', profile: 'next', weight: 0.1 },
      ],
    },
    {
      name: 'b',
      kind: 'canary',
      profile: 'other',
      candidate: 'next',
      stages: [0.01, 0.05, 0.25, 1],
      unit: 'session',
      confidence: 0.95,
      minRequests: 200,
      minAudits: 0,
      holdMs: 600_000,
      rules: { maxErrorIncrease: 0.02 },
    },
    {
      name: 'c',
      kind: 'shadow',
      profile: 'default',
      to: { models: ['openai/gpt-6-sol'] },
      share: 1,
      spend: { name: '24h usd', unit: 'usd', lengthMs: 86_400_000, cap: 5e9 },
      maxConcurrent: 8,
    },
  ]);
  expect(configSchema.parse({}).experiments).toEqual([]);
});

const arms = (now: number, next: number, profile = 'next') => ({
  ...SPLIT,
  arms: { now: { profile: 'default', weight: now }, new: { profile, weight: next } },
});

describe('what is refused, with its place', () => {
  test.each([
    [
      'weights that do not sum to 1',
      { a: arms(0.5, 0.4) },
      /^experiments\.a\.arms have weights that sum to 0\.9/,
    ],
    ['a negative weight', { a: arms(1.5, -0.5) }, /^experiments\.a\.arms\.(now|new)\.weight /],
    ['a weight of nothing', { a: arms(1, 0) }, /^experiments\.a\.arms\.\w+\.weight /],
    ['one arm', { a: { ...SPLIT, arms: { now: { profile: 'next', weight: 0.5 } } } }, /two arms at least/],
    [
      'the same profile twice',
      { a: arms(0.5, 0.5, 'default') },
      /^experiments\.a\.arms\.new\.profile is the profile default, as now is/,
    ],
    [
      'an unknown profile',
      { a: arms(0.5, 0.5, 'nxet') },
      /^experiments\.a names the profile "nxet".*mean "next"/,
    ],
    ['an unknown profile of its own', { a: { ...SPLIT, profile: 'nobody' } }, /names the profile "nobody"/],
    [
      'two experiments on one profile',
      { a: SPLIT, b: CANARY },
      /^experiments\.b\.profile is on the profile default, as a is/,
    ],
    [
      'an arm whose profile has an experiment',
      { a: SPLIT, b: { ...CANARY, profile: 'next', candidate: 'other' } },
      /^experiments\.a sends requests to the profile next, which b is on/,
    ],
    ['a shadow without a cap', { a: { kind: 'shadow', to: SHADOW.to } }, /^experiments\.a\.spend /],
    [
      'a shadow with a cap of requests',
      { a: { ...SHADOW, spend: { '24h': '5 requests' } } },
      /^experiments\.a\.spend must be an amount in usd/,
    ],
    ['a shadow of nobody', { a: { ...SHADOW, to: { models: [] } } }, /^experiments\.a\.to/],
    ['stages that fall', { a: { ...CANARY, stages: [0.5, 0.25, 1] } }, /^experiments\.a\.stages must rise/],
    [
      'stages that do not end',
      { a: { ...CANARY, stages: [0.1, 0.5] } },
      /^experiments\.a\.stages must rise, and end with 1/,
    ],
    ['a candidate for itself', { a: { ...CANARY, profile: 'next' } }, /^experiments\.a\.candidate is next/],
    [
      'audits without a limit',
      { a: { ...CANARY, min_audits: 10 } },
      /^experiments\.a\.min_audits needs rules\.max_audit_loss/,
    ],
    ['another kind', { a: { kind: 'bandit' } }, /kind: split, canary or shadow/],
    ['a name with a slash', { 'a/b': SPLIT }, /^experiments/],
  ])('%s', (_, experiments, message) => {
    expect(faultOf(experiments)).toMatch(message);
  });

  test('surroundings in which none can run', () => {
    expect(faultOf({ a: SPLIT }, { state: { kind: 'memory' } })).toMatch(/^experiments need a state/);
    expect(faultOf({ a: SPLIT }, { providers: {} })).toMatch(/^experiments are of requests/);
    expect(faultOf({ a: CANARY }, { decision_log: undefined })).toMatch(/^experiments\.a is a canary/);
    expect(faultOf({ a: CANARY }, { decision_log: { to: 'file', file: 'x.jsonl' } })).toMatch(/to: state/);
    expect(faultOf({ a: SPLIT, s: SHADOW, t: SHADOW })).toBe('none');
  });
});
