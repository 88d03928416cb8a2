import { describe, expect, it } from 'vitest';
import { upstreamSchema } from '../../router/config/upstream-schema.ts';

describe('upstreamSchema', () => {
  it('works with nothing said', () => {
    expect(upstreamSchema.parse({})).toEqual({
      deadlineMs: 600_000,
      timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 600_000 },
      retry: { maxRetries: 2, initialWaitMs: 250, maxWaitMs: 8_000, budgetMs: 10_000 },
      breaker: { window: 20, minAttempts: 10, failureShare: 0.5, openMs: 10_000, maxOpenMs: 300_000 },
      allowDowngrade: false,
      unmappable: 'drop-hints',
      fallbacks: {},
    });
  });

  it.each([
    [{ retries: 2 }, 'retries'],
    [{ breaker: { window: 5 } }, 'min_attempts'],
    [{ breaker: { failure_share: 1 } }, 'failure_share'],
    [{ timeouts: { connect_ms: 0 } }, 'connect_ms'],
    [{ unmappable: 'drop' }, 'unmappable'],
    [{ max_fallback_price_factor: 0 }, 'max_fallback_price_factor'],
  ])('refuses %o', (settings, field) => {
    const parsed = upstreamSchema.safeParse(settings);
    expect(JSON.stringify(parsed.error?.issues)).toContain(field);
  });
});
