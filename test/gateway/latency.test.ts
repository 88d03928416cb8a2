import { expect, test } from 'vitest';
import { ask, gatewayForTest } from './running-gateway.ts';

type Listed = { readonly data: readonly { readonly id: string; readonly latency?: Latency }[] };
type Latency = Record<string, { readonly p50: number; readonly p95?: number }>;

const latencyOf = async (url: string, id: string) => {
  const listed = (await (await fetch(`${url}/v1/models`)).json()) as Listed;
  return listed.data.find((one) => one.id === id)?.latency;
};

test('streams show the time to the first token and the pace, plain answers the whole; in /metrics and /v1/models', async () => {
  const { url, openai, gateway } = await gatewayForTest({ upstream: { delayMs: 40, chunkMs: 4, words: 12 } });
  expect(await latencyOf(url, 'first/small')).toBeUndefined();
  const request = { ...ask('Say it', 'first/small'), stream_options: { include_usage: true } };
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      for await (const _ of await openai.chat.completions.create({ ...request, stream: true }));
    }),
  );
  await Promise.all(
    Array.from({ length: 12 }, () => openai.chat.completions.create(ask('Say it', 'first/small'))),
  );
  const exposition = await gateway.metrics.exposition();
  for (const of of ['first_token', 'per_token', 'whole_answer']) {
    expect(exposition).toMatch(
      new RegExp(
        `plimsoll_model_latency_seconds\\{model="first/small",of="${of}",quantile="0.95"\\} 0\\.\\d+`,
      ),
    );
  }
  const shown = await latencyOf(url, 'first/small');
  expect(shown?.['first_token_ms']?.p50).toBeGreaterThan(35);
  expect(shown?.['per_token_ms']?.p50).toBeGreaterThan(0);
  expect(shown?.['whole_answer_ms']?.p95).toBeGreaterThanOrEqual(shown?.['whole_answer_ms']?.p50 ?? 0);
  expect(exposition).not.toContain('model="first/large",of=');
});

test('what was not measured is as the configuration says', async () => {
  const { url } = await gatewayForTest({
    config: {
      models: { 'first/small': { latency: { first_token_ms: 300, per_token_ms: 8 } }, 'first/large': {} },
      profiles: {},
    },
  });
  expect(await latencyOf(url, 'first/small')).toEqual({
    first_token_ms: { p50: 300 },
    per_token_ms: { p50: 8 },
  });
});

test('an answer that never came counts with the time it was given', async () => {
  const { openai, gateway, first } = await gatewayForTest({
    config: {
      upstream: {
        timeouts: { connect_ms: 1_000, first_byte_ms: 60, idle_ms: 500, total_ms: 20_000 },
        retry: { max_retries: 0 },
        breaker: { min_attempts: 100, window: 100 },
      },
    },
  });
  first.failAlways('slow-first-byte');
  await Promise.allSettled(
    Array.from({ length: 12 }, async () =>
      openai.chat.completions.create({ ...ask('Say it', 'first/small'), stream: true }),
    ),
  );
  await gateway.metrics.exposition();
  expect(gateway.latency.measured('first/small').firstToken?.p50).toBeGreaterThan(50);
});
