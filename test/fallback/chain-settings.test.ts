import { describe, expect, it } from 'vitest';
import { upstreamSchema } from '../../router/providers/index.ts';

describe('upstreamSchema', () => {
  it('works with nothing said', () => {
    expect(upstreamSchema.parse({})).toEqual({
      deadline_ms: 600_000,
      timeouts: { connect_ms: 5_000, first_byte_ms: 60_000, idle_ms: 60_000, total_ms: 600_000 },
      retry: { max_retries: 2, initial_wait_ms: 250, max_wait_ms: 8_000, budget_ms: 10_000 },
      breaker: { window: 20, min_attempts: 10, failure_share: 0.5, open_ms: 10_000, max_open_ms: 300_000 },
      allow_downgrade: false,
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
