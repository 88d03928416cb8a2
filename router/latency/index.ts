/** How soon models reply: measured from live attempts, with the catalog in place of what was not. */
export {
  createLatencyBook,
  type LatencyBook,
  type LatencySample,
  type ModelLatency,
  type Quantiles,
} from './latency-book.ts';
