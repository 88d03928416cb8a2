import { expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';

const PROVIDERS = { openai: { kind: 'openai' } } as const;
const SQLITE = { kind: 'sqlite' } as const;

test('batches are off unless they are set, and have defaults', () => {
  expect(configSchema.parse({ providers: PROVIDERS }).batches).toBeUndefined();
  const { batches } = configSchema.parse({ providers: PROVIDERS, state: SQLITE, batches: {} });
  expect(batches).toEqual({
    maxConcurrency: 16,
    maxLines: 50_000,
    maxFileBytes: 200 * 2 ** 20,
    keepDays: 30,
  });
  const hours = { from: '22:00', to: '06:30' };
  const set = configSchema.parse({
    providers: PROVIDERS,
    state: SQLITE,
    batches: { hours, time_zone: 'Europe/Berlin' },
  });
  expect(set.batches).toMatchObject({ hours: { from: 1320, to: 390 }, timeZone: 'Europe/Berlin' });
});

test.each([{}, { decision_log: { to: 'state' } }])('without a state they get SQLite, with %j', (more) => {
  const { state } = configSchema.parse({ providers: PROVIDERS, batches: {}, ...more });
  expect(state).toMatchObject({ kind: 'sqlite' });
});

test.each([
  [{ state: { kind: 'memory' } }, 'batches', 'needs state: { kind: sqlite } or postgres'],
  [{ providers: {} }, 'batches', 'needs providers'],
  [{ batches: { profile: 'nightly' } }, 'batches.profile', 'there is no profile "nightly"'],
  [{ batches: { time_zone: 'UTC' } }, 'batches.time_zone', 'is of hours, and there are none'],
  [
    { batches: { hours: { from: '22:00', to: '06:00' }, time_zone: 'Mars/Olympus' } },
    'batches.time_zone',
    'is no time zone',
  ],
  [{ batches: { hours: { from: '6', to: '7' } } }, 'batches.hours.from', 'a time of day such as "08:30"'],
  [{ batches: { hours: { from: '06:00', to: '06:00' } } }, 'batches.hours', 'from and to are the same'],
  [{ batches: { max_lines: 50_001 } }, 'batches.max_lines', '50000'],
])('%j is refused at %s', (changes, field, why) => {
  const { error } = configSchema.safeParse({ providers: PROVIDERS, state: SQLITE, batches: {}, ...changes });
  const issue = error!.issues.find(({ path }) => path.join('.') === field);
  expect(issue?.message).toContain(why);
});
