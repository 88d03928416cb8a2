import { register } from 'prom-client';
import { expect, test } from 'vitest';
import type { BreakerState } from '../../router/fallback/index.ts';
import { createMetrics } from '../../router/telemetry/request-metrics.ts';
import type { MetricSources } from '../../router/telemetry/scraped-metrics.ts';
import { CHEAP, facts, refusedFacts, STRONG, withPlanted } from '../records/facts.ts';

function sources(changes: Partial<MetricSources> = {}): MetricSources {
  return {
    inFlight: () => 0,
    queued: () => 0,
    breakerStates: () => new Map(),
    decisionLog: () => ({ written: 0, dropped: 0 }),
    ledger: () => ({ settled: 0, waiting: 0, dropped: 0 }),
    isStateAway: () => false,
    ...changes,
  };
}

interface Parsed {
  readonly types: Record<string, string>;
  readonly samples: Record<string, number>;
}

/** The text format by its own grammar: every line is a comment, a sample, or wrong. */
function parsed(text: string): Parsed {
  const result: Parsed = { types: {}, samples: {} };
  for (const line of text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')) {
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    if (type) result.types[type[1]!] = type[2]!;
    if (line.startsWith('#')) {
      expect(line).toMatch(/^# (HELP|TYPE) [a-z_]+ \S/);
      continue;
    }
    const sample = /^([a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) ([-+.\de]+|\+Inf)$/.exec(line);
    expect(sample, line).not.toBeNull();
    result.samples[sample![1]!] = Number(sample![2]);
  }
  return result;
}

const read = async (metrics: ReturnType<typeof createMetrics>) => parsed(await metrics.exposition());

test('one routed request with a retry and a fallback, sample by sample', async () => {
  const metrics = createMetrics(sources());
  metrics.request(facts());
  const { samples } = await read(metrics);
  expect(samples).toMatchObject({
    'plimsoll_requests_total{dialect="openai",selected="vllm/tiny",served="google/huge",status="200"}': 1,
    'plimsoll_attempts_total{model="vllm/tiny",outcome="overloaded"}': 1,
    'plimsoll_attempts_total{model="vllm/tiny",outcome="timeout"}': 1,
    'plimsoll_attempts_total{model="google/huge",outcome="answer"}': 1,
    'plimsoll_skips_total{model="other/small",reason="skipped-price"}': 1,
    'plimsoll_retries_total{model="vllm/tiny"}': 1,
    'plimsoll_fallbacks_total{model="google/huge"}': 1,
    'plimsoll_input_tokens_total{model="google/huge"}': 1_000,
    'plimsoll_output_tokens_total{model="google/huge"}': 500,
    'plimsoll_cost_usd_total{model="google/huge"}': 0.03,
    plimsoll_compared_cost_usd_total: 0.03,
    plimsoll_baseline_cost_usd_total: 0.03,
    plimsoll_random_cost_usd_total: 0.016,
    'plimsoll_overhead_seconds_bucket{le="0.00025"}': 0,
    'plimsoll_overhead_seconds_bucket{le="0.0005"}': 1,
    plimsoll_first_byte_seconds_sum: 0.2,
    plimsoll_request_duration_seconds_sum: 0.901,
  });
  expect(samples).not.toHaveProperty('plimsoll_fallbacks_total{model="other/small"}'); // skipped, not asked
  expect(Object.keys(samples).filter((name) => name.startsWith('plimsoll_unfinished'))).toEqual([]);
});

test('what is not known is not counted, not even as 0', async () => {
  const metrics = createMetrics(sources());
  metrics.request(refusedFacts());
  const { samples } = await read(metrics);
  const of = (name: string) => Object.keys(samples).filter((sample) => sample.startsWith(name));
  expect(of('plimsoll_requests_total')).toEqual([
    'plimsoll_requests_total{dialect="openai",selected="none",served="none",status="400"}',
  ]);
  for (const name of ['decisions', 'attempts', 'input_tokens', 'output_tokens', 'cost'])
    expect(of(`plimsoll_${name}`)).toEqual([]);
  expect(samples['plimsoll_first_byte_seconds_count']).toBe(0);
});

test('the compared costs add up the same requests', async () => {
  const metrics = createMetrics(sources());
  metrics.request(facts({ costUsd: 1, baselineCostUsd: 4, randomCostUsd: 2 }));
  metrics.request(
    facts({ costUsd: 10, baselineCostUsd: undefined, randomCostUsd: undefined, decision: undefined }),
  );
  metrics.request(facts({ costUsd: 100, baselineCostUsd: 400, randomCostUsd: undefined }));
  metrics.request(facts({ costUsd: undefined, baselineCostUsd: 4, randomCostUsd: 2 }));
  const { samples } = await read(metrics);
  expect(samples).toMatchObject({
    'plimsoll_cost_usd_total{model="google/huge"}': 111,
    plimsoll_compared_cost_usd_total: 1,
    plimsoll_baseline_cost_usd_total: 4,
    plimsoll_random_cost_usd_total: 2,
  });
});

test('gauges are read at each scrape; a breaker is in one state, and a model that is gone is gone', async () => {
  let now = {
    inFlight: 3,
    queued: 2,
    states: new Map<string, BreakerState>([
      [CHEAP.name, 'open'],
      [STRONG.name, 'closed'],
    ]),
  };
  let log = { written: 5, dropped: 1 };
  const metrics = createMetrics({
    ...sources(),
    inFlight: () => now.inFlight,
    queued: () => now.queued,
    breakerStates: () => now.states,
    decisionLog: () => log,
  });
  expect((await read(metrics)).samples).toMatchObject({
    plimsoll_requests_in_flight: 3,
    plimsoll_requests_queued: 2,
    'plimsoll_breaker_state{model="vllm/tiny",state="open"}': 1,
    'plimsoll_breaker_state{model="vllm/tiny",state="half-open"}': 0,
    'plimsoll_breaker_state{model="google/huge",state="closed"}': 1,
    'plimsoll_decision_log_records_total{outcome="written"}': 5,
    'plimsoll_decision_log_records_total{outcome="dropped"}': 1,
  });
  now = { inFlight: 0, queued: 0, states: new Map([[CHEAP.name, 'half-open']]) };
  log = { written: 7, dropped: 1 };
  const { samples } = await read(metrics);
  expect(samples).toMatchObject({
    plimsoll_requests_in_flight: 0,
    'plimsoll_breaker_state{model="vllm/tiny",state="open"}': 0,
    'plimsoll_breaker_state{model="vllm/tiny",state="half-open"}': 1,
    'plimsoll_decision_log_records_total{outcome="written"}': 7,
  });
  expect(samples).not.toHaveProperty('plimsoll_breaker_state{model="google/huge",state="closed"}');
});

test("names follow Prometheus' conventions, and nothing is registered globally", async () => {
  const metrics = createMetrics(sources());
  createMetrics(sources()); // a second one does not clash
  const { types } = await read(metrics);
  expect(Object.keys(types).length).toBeGreaterThan(15);
  for (const [name, type] of Object.entries(types)) {
    expect(name).toMatch(/^plimsoll_[a-z_]+$/);
    if (type === 'counter') expect(name).toMatch(/_total$/);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
  expect(register.getMetricsAsArray()).toEqual([]);
});

test('no client can add series: what it writes is no label, and nothing planted is exposed', async () => {
  const metrics = createMetrics(sources());
  let seriesOfOne = 0;
  for (let i = 0; i < 500; i++) {
    if (i === 1) seriesOfOne = Object.keys((await read(metrics)).samples).length;
    metrics.request({
      ...withPlanted('sk-planted-0123456789'),
      id: `id-${i}`,
      requestedModel: `model-${i}`,
      keyId: `${i}`,
    });
  }
  const text = await metrics.exposition();
  expect(text).not.toMatch(/planted|model-\d|id-\d|Ada/);
  const { samples } = parsed(text);
  expect(Object.keys(samples)).toHaveLength(seriesOfOne);
});

test('answers that did not end', async () => {
  const metrics = createMetrics(sources());
  metrics.request(facts({ ended: 'client-left' }));
  metrics.request(facts({ ended: 'broken' }));
  expect((await read(metrics)).samples).toMatchObject({
    'plimsoll_unfinished_answers_total{served="google/huge",ended="client-left"}': 1,
    'plimsoll_unfinished_answers_total{served="google/huge",ended="broken"}': 1,
  });
});

test('a provider that tells nonsense of its tokens spoils no counter', async () => {
  const metrics = createMetrics(sources());
  for (const inputTokens of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    metrics.request(facts({ usage: { inputTokens, outputTokens: 1 }, costUsd: undefined }));
  }
  metrics.request(facts());
  expect((await read(metrics)).samples['plimsoll_input_tokens_total{model="google/huge"}']).toBe(1_000);
});
