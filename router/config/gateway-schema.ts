import { z } from 'zod';
import { MAX_MODEL_CHARACTERS } from '../catalog/index.ts';
import { camelCased } from './camel-cased.ts';

const ALIAS_RULE = 'an alias is printable ASCII without spaces, and a * may only be its last character';

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

/** `aliases` of plimsoll.config.yaml: names that clients send, and what they mean here. */
export const aliasesSchema = z
  .record(
    z
      .string()
      .max(MAX_MODEL_CHARACTERS)
      .regex(/^[\x21-\x29\x2b-\x7e]*\*?$/, ALIAS_RULE)
      .min(1),
    z.string().min(1).max(MAX_MODEL_CHARACTERS),
  )
  .default({})
  .describe(
    'A name that clients send as model, or its beginning and a * -> what it means: auto, auto:<profile>, router-<policy> or <provider>/<model>.',
  );

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
      .describe('A stream that is silent for this long gets an SSE comment; 0: never.'),
  })
  .describe('The routes that call models.')
  .transform(camelCased);
