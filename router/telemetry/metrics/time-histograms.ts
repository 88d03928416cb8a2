import { Histogram, type Registry } from 'prom-client';
import type { RequestFacts } from '../../records/index.ts';

export const FAST_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const SLOW_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];

/** Observes what a request took, in seconds. */
export function timeHistograms(registry: Registry): (facts: RequestFacts) => void {
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const overhead = histogram('plimsoll_overhead_seconds', 'Time that Plimsoll itself added.', FAST_BUCKETS);
  const firstByte = histogram(
    'plimsoll_first_byte_seconds',
    'Time to the first byte of an answer.',
    SLOW_BUCKETS,
  );
  const duration = histogram('plimsoll_request_duration_seconds', 'Time to the last byte.', SLOW_BUCKETS);
  return (facts) => {
    overhead.observe(facts.overheadMs / 1_000);
    if (facts.firstByteMs !== undefined) firstByte.observe(facts.firstByteMs / 1_000);
    duration.observe(facts.durationMs / 1_000);
  };
}
