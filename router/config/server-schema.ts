import { z } from 'zod';
import { MAX_MODEL_CHARACTERS } from '../catalog/index.ts';
import { camelCased } from './camel-cased.ts';

const HOST_NAME = /^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/;
const HOST_NAME_RULE = 'a name or an address in lower case without a port, such as plimsoll.internal';
const ORIGIN = /^(\*|[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d+)?|[a-z][a-z0-9+.-]*:\/\/\[[0-9a-f:]+\](:\d+)?)$/;
const ORIGIN_RULE =
  'a scheme and a host in lower case without a path, such as https://app.example.com, or "*"';

/** `server`: the socket and its limits. */
export const serverSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address to listen on. Any other than a loopback one needs API keys where there are providers; without providers there is no authentication.',
      ),
    port: z.int().min(0).max(65535).default(8787).describe('0 takes any free port.'),
    allowed_hosts: z
      .array(z.string().regex(HOST_NAME, HOST_NAME_RULE))
      .default([])
      .describe(
        'Names by which clients may reach this server, besides localhost, 127.0.0.1 and [::1]. Others get a 421. Checked on a loopback address without API keys, there with keys for the dashboard, and wherever the list is not empty.',
      ),
    cors_origins: z
      .array(z.string().regex(ORIGIN, ORIGIN_RULE))
      .default([])
      .describe(
        'Origins whose web pages may call this server, such as https://app.example.com; "*" for all. Without API keys, requests with any other Origin header get a 403.',
      ),
    max_body_bytes: z
      .int()
      .min(1024)
      .max(64 * 2 ** 20)
      .default(2 ** 20)
      .describe('A larger request body gets a 413.'),
    max_json_depth: z
      .int()
      .min(16)
      .max(1_000)
      .default(256)
      .describe('A body that nests objects and lists deeper gets a 400. All routes.'),
    max_json_values: z
      .int()
      .min(1_000)
      .max(10_000_000)
      .default(400_000)
      .describe(
        'A body with more values gets a 413; an object or list counts eight more, a field name four more. All routes.',
      ),
    max_bytes_at_work: z
      .int()
      .min(2 ** 20)
      .optional()
      .describe(
        "Bytes of all bodies that arrive or are at work and of replies that are held; further requests get a 503. Default: a sixth of the process's memory.",
      ),
    client_stall_ms: z
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe('A client that reads nothing of its response for this long is disconnected.'),
    max_messages: z
      .int()
      .min(1)
      .max(10_000)
      .default(1_000)
      .describe('A request to /v1/route with more messages gets a 400.'),
    max_batch: z.int().min(1).max(10_000).default(256).describe('A longer batch gets a 400.'),
    max_concurrency: z
      .int()
      .min(1)
      .default(512)
      .describe('Requests at work at once; further ones get a 503. A batch counts as one.'),
    request_timeout_ms: z
      .int()
      .min(100)
      .max(600_000)
      .default(10_000)
      .describe('How long a request may take to arrive (408), and then to be decided (503).'),
    drain_timeout_ms: z
      .int()
      .min(0)
      .max(600_000)
      .default(10_000)
      .describe('How long SIGTERM waits for requests at work.'),
  })
  .transform(camelCased);

const LIMITS_MOVED =
  'limits are a part of their own now, for keys and others: limits: [{ for: { key: "*" }, windows: [{ 1m: 600 requests }, { 24h: 10 usd }] }]';

/** `access`: API keys. */
export const accessSchema = z
  .strictObject(
    {
      keys_file: z
        .string()
        .min(1)
        .optional()
        .describe('File of API keys, made by `plimsoll keys create`. It holds only hashes.'),
      keys_in_state: z
        .boolean()
        .default(false)
        .describe(
          'The API keys are in `state`, made by `plimsoll keys create --state`: all instances share them, and a revoked one is dead on each within a second.',
        ),
      required: z
        .union([z.literal('auto'), z.boolean()])
        .default('auto')
        .describe(
          'Whether requests need a key. auto: where keys_file is given. false works on a loopback address alone.',
        ),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' && issue.keys.some((key) => /^(?:key_)?limits$/.test(key))
          ? LIMITS_MOVED
          : undefined,
    },
  )
  .refine(({ keys_file, keys_in_state }) => keys_file === undefined || !keys_in_state, {
    path: ['keys_in_state'],
    error: 'keys are in a file or in the state: leave one of keys_file and keys_in_state out',
  })
  .describe('Who may use the server.')
  .transform(camelCased);

/** Part `decision_log` of plimsoll.config.yaml. Without it nothing is written. */
export const decisionLogSchema = z
  .strictObject({
    to: z
      .enum(['file', 'state'])
      .default('file')
      .describe('file: JSON Lines. state: the database that `state` names, which several instances share.'),
    file: z
      .string()
      .min(1)
      .optional()
      .describe('JSON Lines, one request each. Its folder must be there. Needed by to: file.'),
    include_prompt: z
      .boolean()
      .default(false)
      .describe('Write what people asked into the log. Off: no word of a prompt is stored.'),
    include_session_ids: z
      .boolean()
      .default(false)
      .describe('Write the ids by which clients name their sessions. Off: keyed hashes of them alone.'),
    max_bytes: z
      .int()
      .min(4_096)
      .max(2 ** 40)
      .default(64 * 2 ** 20)
      .describe('A file that would grow larger is put aside as <file>.1, and <file>.1 as <file>.2.'),
    keep: z.int().min(0).max(1_000).default(8).describe('How many files that were put aside are kept.'),
  })
  .refine(({ to, file }) => (to === 'file') === (file !== undefined), {
    path: ['file'],
    error: 'give a file, or to: state without one',
  })
  .describe('What was decided, served and spent, request by request.')
  .transform(camelCased);

const ALIAS_RULE = 'an alias is printable ASCII without spaces, and a * may only be its last character';

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

const SUITE = /^[0-9a-f]{12,64}$/;
const SUITE_RULE = 'the sha256 of a suite in lower-case hex, or at least its first 12 digits';

/** `gate`: floors below which a PASS does not count. */
export const floorsSchema = z
  .strictObject({
    min_confidence: z
      .number()
      .min(0.5)
      .lt(1)
      .optional()
      .describe('Least confidence of the suite of a verdict, over all looks at the same cases.'),
    max_quality_loss: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Largest margin of the verdict's quality loss."),
    max_valid_for_days: z
      .int()
      .min(1)
      .max(36_500)
      .optional()
      .describe('A PASS counts for at most this many days from its issue, whatever the verdict says.'),
    suites: z
      .array(z.string().regex(SUITE, SUITE_RULE))
      .min(1)
      .optional()
      .describe('Suites that count, each by its sha256 in hex or at least the first 12 digits of it.'),
    public_key: z
      .string()
      .min(1)
      .optional()
      .describe('File of an Ed25519 public key in PEM: only verdicts that it verifies count.'),
  })
  .describe('What a PASS must have to count on this server. By default any PASS counts.')
  .transform(camelCased);
