import { existsSync } from 'node:fs';
import { z } from 'zod';
import { accessSchema } from './access/index.ts';
import { modelsSchema, providersSchema } from './catalog/index.ts';
import { PlimsollError } from './errors.ts';
import { aliasesSchema, gatewaySchema, profilesSchema } from './gateway/index.ts';
import { upstreamSchema } from './providers/index.ts';
import { decisionLogSchema } from './records/index.ts';
import { readYaml, YamlFault, type YamlFile } from './yaml-file.ts';

export const DEFAULT_CONFIG_FILE = 'plimsoll.config.yaml';

const policy = z.strictObject({
  threshold: z
    .number()
    .min(-1)
    .max(1)
    .describe('The largest predicted loss that still goes to a cheaper candidate.'),
  version: z
    .int()
    .positive()
    .default(1)
    .describe('Raise it with every change, so that decisions can be distinguished.'),
});

/** As `model: "router-<policy>-<threshold>"` can name it: after a dash something that is no number. */
const POLICY_NAME = /^[\w.]+(?:-(?=[\d.]*[A-Za-z_])[\w.]+)*$/;
const POLICY_NAME_RULE =
  'the name of a policy has letters, digits, dot and underscore, and dashes that no number follows';

const HOST_NAME = /^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/;
const HOST_NAME_RULE = 'a name or an address in lower case without a port, such as plimsoll.internal';
const ORIGIN = /^(\*|[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d+)?|[a-z][a-z0-9+.-]*:\/\/\[[0-9a-f:]+\](:\d+)?)$/;
const ORIGIN_RULE =
  'a scheme and a host in lower case without a path, such as https://app.example.com, or "*"';

/** `plimsoll.config.yaml`. Every field has a default; an unknown field is an error. Secrets never stand here. */
export const configSchema = z
  .strictObject({
    artifact: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of the artifact that decides; by default the starter.'),
    ladder: z
      .record(z.string(), z.string().min(1))
      .default({})
      .describe(
        'Candidate of the artifact -> the model that you serve in its place, e.g. cheap: gpt-4o-mini.',
      ),
    providers: providersSchema
      .default({})
      .describe('Who serves models: your name of it -> how to reach it. Keys stay in environment variables.'),
    models: modelsSchema
      .default({})
      .describe(
        '<provider>/<model> -> what is known of it, overrides and extends the price table that ships.',
      ),
    profiles: profilesSchema,
    aliases: aliasesSchema,
    upstream: upstreamSchema.prefault({}),
    gateway: gatewaySchema.prefault({}),
    access: accessSchema.prefault({}),
    decision_log: decisionLogSchema.optional(),
    default_policy: z.string().min(1).default('default').describe('Policy of requests that name none.'),
    policies: z
      .record(z.string().max(200).regex(POLICY_NAME, POLICY_NAME_RULE), policy)
      .default({})
      .describe(
        "Further policies beside the artifact's own. The gate knows none of them: needs allow_ungated.",
      ),
    allow_ungated: z
      .boolean()
      .default(false)
      .describe('Serve artifacts and policies without a valid PASS of the gate, always-cheap too.'),
    reload_interval_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(2_000)
      .describe('How often to look whether the artifact changed; 0 never looks. SIGHUP reloads at any time.'),
    encoder: z
      .strictObject({
        allow_hub: z
          .boolean()
          .default(false)
          .describe('Allow a transformers encoder to fetch its model from the hub.'),
        workers: z.int().min(1).max(64).optional().describe('Threads of a minilm or transformers encoder.'),
      })
      .prefault({}),
    server: z
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
            'Names by which clients may reach this server, besides localhost, 127.0.0.1 and [::1]. Others get a 421. Checked on a loopback address without API keys, and wherever the list is not empty.',
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
          .describe('A request with more messages gets a 413.'),
        max_batch: z.int().min(1).max(10_000).default(256).describe('A longer batch gets a 413.'),
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
      .prefault({}),
    log_level: z
      .enum(['silent', 'error', 'warn', 'info', 'debug'])
      .default('info')
      .describe('Decisions are logged at debug, never with their prompt.'),
  })
  .describe('Configuration of Plimsoll');

export type Config = Readonly<z.infer<typeof configSchema>>;

/** What the command line may say; it goes before the environment and the file. */
export interface ConfigOverrides {
  readonly artifact?: string;
  readonly default_policy?: string;
  readonly allow_ungated?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly log_level?: string;
}

/** Environment variables, in a type that needs no `@types/node` where the package is used. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration once. Without `file`, plimsoll.config.yaml of the working folder is used where it exists, else the defaults.
 * PLIMSOLL_PORT (else PORT) and PLIMSOLL_LOG_LEVEL override the file; `overrides` override both.
 * @throws PlimsollError `invalid-config`, naming the line or the field.
 */
export function loadConfig(
  file?: string,
  env: Environment = process.env,
  overrides: ConfigOverrides = {},
): Config {
  const path = file ?? DEFAULT_CONFIG_FILE;
  if (existsSync(path)) {
    return overridden(parseConfig(readFile(path).value ?? {}, path), env, overrides);
  }
  if (file === undefined) return overridden(parseConfig({}, 'the defaults'), env, overrides);
  throw new PlimsollError('not-found', `There is no configuration file at ${file}.`, { place: { file } });
}

function readFile(file: string): YamlFile {
  try {
    return readYaml(file);
  } catch (cause) {
    if (cause instanceof YamlFault) {
      const { line, message } = cause;
      const where = line === undefined ? file : `${file}, line ${line}`;
      const place = { file, ...(line !== undefined && { line }) };
      throw new PlimsollError('invalid-config', `${where}: ${message}.`, { place });
    }
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new PlimsollError(
      'io',
      `The configuration ${file} cannot be read (${reason}). It must be a file.`,
      {
        place: { file },
        cause,
      },
    );
  }
}

function parseConfig(raw: unknown, file: string): Config {
  const parsed = configSchema.safeParse(raw);
  if (parsed.success) return Object.freeze(parsed.data);
  const issue = parsed.error.issues[0]!;
  const field = issue.path.join('.') || '(top level)';
  // Of a key, such as a policy's name, zod says only that it is invalid; why stands inside.
  const { message } = (issue.code === 'invalid_key' && issue.issues[0]) || issue;
  throw new PlimsollError('invalid-config', `${file}, field "${field}": ${message}.`, {
    place: { file, field },
  });
}

function overridden(config: Config, env: Environment, overrides: ConfigOverrides): Config {
  const { host, port, log_level: logLevel, ...top } = overrides;
  const { PLIMSOLL_LOG_LEVEL: envLogLevel } = env;
  const envPort = portIn(env);
  const server = {
    ...config.server,
    ...(envPort !== undefined && { port: envPort }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
  };
  const level = logLevel ?? (envLogLevel ? logLevelOf(envLogLevel) : config.log_level);
  return parseConfig({ ...config, ...top, server, log_level: level }, 'the command line');
}

/** PLIMSOLL_PORT, else PORT, which hosting platforms set. An empty one counts as not set. */
function portIn(env: NodeJS.ProcessEnv): number | undefined {
  const name = (['PLIMSOLL_PORT', 'PORT'] as const).find((one) => env[one]);
  if (name === undefined) return undefined;
  const text = env[name]!;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  const hint = text.startsWith('tcp://')
    ? ' Kubernetes sets it for a Service of this name: set enableServiceLinks: false, or say --port.'
    : '';
  throw new PlimsollError(
    'invalid-config',
    `${name} must be a port number, 0 to 65535, not "${text.slice(0, 100)}".${hint}`,
  );
}

function logLevelOf(text: string): Config['log_level'] {
  const parsed = configSchema.shape.log_level.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new PlimsollError(
    'invalid-config',
    `PLIMSOLL_LOG_LEVEL must be silent, error, warn, info or debug, not "${text}".`,
  );
}
