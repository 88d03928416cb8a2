import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const milliseconds = (least: number, most: number) => z.int().min(least).max(most);

export const deadlineMs = milliseconds(100, 3_600_000);

const HEDGE_AFTER = 'after is a percentile from p50 to p99, such as p98, or a number of ms';

const timeouts = z
  .strictObject({
    connect_ms: milliseconds(10, 60_000)
      .default(5_000)
      .describe('Until the connection to the provider is established.'),
    first_byte_ms: milliseconds(10, 600_000)
      .default(60_000)
      .describe("From sending a request to the first byte of the answer's body."),
    idle_ms: milliseconds(10, 600_000)
      .default(60_000)
      .describe('Longest silence once the body of a response has begun.'),
    total_ms: milliseconds(10, 3_600_000).default(600_000).describe('Of one attempt, its stream included.'),
  })
  .describe('Of each attempt.')
  .transform(camelCased);

const retry = z
  .strictObject({
    max_retries: z.int().min(0).max(10).default(2).describe('How often the same model is asked again.'),
    initial_wait_ms: milliseconds(1, 60_000)
      .default(250)
      .describe('The first wait is drawn between 0 and this; the bound doubles with every retry.'),
    max_wait_ms: milliseconds(1, 60_000).default(8_000).describe('The bound doubles up to this.'),
    budget_ms: milliseconds(0, 600_000)
      .default(10_000)
      .describe(
        'No retry starts later than this after the first attempt on the model. A longer Retry-After is not waited for.',
      ),
  })
  .describe('The same model again, after a failure that may pass.')
  .transform(camelCased);

const breaker = z
  .strictObject({
    window: z.int().min(1).max(1_000).default(20).describe('How many of the last attempts count.'),
    min_attempts: z.int().min(1).max(1_000).default(10).describe('With fewer attempts it stays closed.'),
    failure_share: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe('The breaker opens when more than this share of them failed.'),
    open_ms: milliseconds(1, 600_000)
      .default(10_000)
      .describe('How long an open breaker skips its model; then one request probes it.'),
    max_open_ms: milliseconds(1, 3_600_000)
      .default(300_000)
      .describe('A longer Retry-After keeps it open for longer, up to this.'),
  })
  .refine((set) => set.min_attempts <= set.window, {
    path: ['min_attempts'],
    error: 'min_attempts may not be more than window',
  })
  .describe('One for each model. While it is open the model is skipped at once.')
  .transform(camelCased);

const hedge = z
  .strictObject({
    after: z
      .union(
        [
          z.string().regex(/^p[5-9]\d$/, HEDGE_AFTER),
          z.int(HEDGE_AFTER).min(1, HEDGE_AFTER).max(600_000, HEDGE_AFTER),
        ],
        {
          error: HEDGE_AFTER,
        },
      )
      .default('p98')
      .transform((text) => (typeof text === 'number' ? text : { quantile: Number(text.slice(1)) / 100 }))
      .describe(
        'When the second attempt begins: a percentile of the time to the first byte, p50 to p99, or ms.',
      ),
    max_share: z
      .number()
      .gt(0)
      .max(1)
      .default(0.05)
      .describe('At most this share of the requests gets a second attempt.'),
  })
  .describe(
    'A second attempt while the first has no first byte: with another key of the provider, else on the next candidate. The first to answer wins, the other is cancelled.',
  )
  .transform(camelCased);

/** `upstream`: how models are called. Every field has a default that works. Times are in ms. */
export const upstreamSchema = z
  .strictObject({
    deadline_ms: deadlineMs
      .default(600_000)
      .describe('How long a request may take with all its attempts and waits; then it gets a 504.'),
    ca_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File of certificates in PEM: authorities that are trusted besides those that Node trusts, such as that of a company. Read at the start.',
      ),
    timeouts: timeouts.prefault({}),
    retry: retry.prefault({}),
    breaker: breaker.prefault({}),
    hedge: hedge.optional(),
    max_fallback_price_factor: z
      .number()
      .positive()
      .optional()
      .describe(
        'A model whose output costs more than this times that of the routed model is not fallen back to. Left out: no ceiling.',
      ),
    allow_downgrade: z
      .boolean()
      .default(false)
      .describe(
        'Go to a cheaper candidate if no equal or stronger one is left, or none can take the request.',
      ),
    unmappable: z
      .enum(['refuse', 'drop-hints', 'drop-all'])
      .default('drop-hints')
      .describe(
        "What happens to a field that the chosen model's API has no counterpart for: refuse the request, drop hints (fields that ask for no other reply) and refuse the rest, or drop all. What is dropped is named in x-plimsoll-dropped.",
      ),
    fallbacks: z
      .record(z.string().min(1), z.array(z.string().min(1)).max(16))
      .default({})
      .describe('Model -> equivalent models, ideally at another provider, called in this order if it fails.'),
  })
  .describe('Attempts, retries, breakers and fallbacks.')
  .transform(camelCased);
