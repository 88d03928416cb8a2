import { z } from 'zod';

/** `profiles` of plimsoll.config.yaml: another ladder for requests that ask for `auto:<name>`. */
export const profilesSchema = z
  .record(
    z
      .string()
      .max(200)
      .regex(/^[\w.-]+$/, 'letters, digits, dot, dash and underscore'),
    z.strictObject({
      ladder: z
        .record(z.string(), z.string().min(1))
        .default({})
        .describe("Candidate of the artifact -> model; the others as in the configuration's own ladder."),
    }),
  )
  .default({})
  .describe('Other ladders, by the name in model: auto:<name>.');

export type ProfilesConfig = Readonly<z.infer<typeof profilesSchema>>;

/** `gateway` of plimsoll.config.yaml: limits of the routes that call models. */
export const gatewaySchema = z
  .strictObject({
    max_body_bytes: z
      .int()
      .min(1024)
      .max(256 * 2 ** 20)
      .default(32 * 2 ** 20)
      .describe('A larger request body gets a 413. Pictures count.'),
    max_concurrency: z
      .int()
      .min(1)
      .max(100_000)
      .default(1024)
      .describe('Requests at work at once; further ones wait.'),
    max_queue: z
      .int()
      .min(0)
      .max(100_000)
      .default(512)
      .describe('Requests that wait; further ones get a 429.'),
    max_wait_ms: z.int().min(0).max(600_000).default(5_000).describe('A longer wait gets a 503.'),
    heartbeat_ms: z
      .int()
      .min(0)
      .max(600_000)
      .default(15_000)
      .describe('A stream that is silent for so long gets an SSE comment; 0: never.'),
  })
  .describe('The routes that call models.');

export type GatewayConfig = Readonly<z.infer<typeof gatewaySchema>>;
