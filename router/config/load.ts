import { existsSync } from 'node:fs';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { firstFault } from '../unknown-field.ts';
import { parseYaml, readYaml, YamlFault, type YamlFile } from '../yaml-file.ts';
import { type Config, configSchema, logLevelSchema } from './schema.ts';

export const DEFAULT_CONFIG_FILE = 'plimsoll.config.yaml';

/** Settings of the command line; they override the environment and the file. */
export interface ConfigOverrides {
  readonly artifact?: string | undefined;
  readonly defaultPolicy?: string | undefined;
  readonly allowUngated?: boolean | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly logLevel?: string | undefined;
}

/** Environment variables, in a type that needs no `@types/node` in the user's project. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What is written down: fields of the file by their names there. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the configuration once. Without `file`, plimsoll.config.yaml of the working folder is used if it exists, else the defaults.
 * PLIMSOLL_PORT (else PORT) and PLIMSOLL_LOG_LEVEL override the file; `overrides` override both.
 * @throws PlimsollError `invalid-config`, naming the line or the field.
 */
export function loadConfig(
  file?: string,
  env: Environment = process.env,
  overrides: ConfigOverrides = {},
): Config {
  const path = file ?? DEFAULT_CONFIG_FILE;
  const exists = existsSync(path);
  if (file !== undefined && !exists) {
    throw new PlimsollError('not-found', `There is no configuration file at ${file}.`, { place: { file } });
  }
  const yaml = exists ? readFile(path) : undefined;
  const source = {
    file: yaml && path,
    yaml,
    overrides: overriding(env, overrides),
    parse: (text: string) => configOf(yamlOf(path, () => parseYaml(text))),
  };

  function configOf(written: YamlFile | undefined): Config {
    const fields = written?.value ?? {};
    parseConfig(fields, exists ? path : 'the defaults', written); // a fault of the file is one of the file, whatever overrides it
    return parseConfig(overridden(fields as Fields, env, overrides), 'the command line');
  }

  const config = configOf(yaml);
  SOURCES.set(config, source);
  return config;
}

/** What a configuration was read from. */
export interface ConfigSource {
  /** Undefined: there was none. */
  readonly file: string | undefined;
  /** The file as it was read. */
  readonly yaml: YamlFile | undefined;
  /** Field -> the flag or the environment variable that it comes from in place of the file. */
  readonly overrides: ReadonlyMap<string, string>;
  /** Another text of the file as a configuration, under the same flags and variables. @throws PlimsollError `invalid-config` */
  parse(text: string): Config;
}

/** Beside the configurations, so that these are what the file says and nothing else. */
const SOURCES = new WeakMap<Config, ConfigSource>();

/** Undefined for a configuration that `loadConfig` did not read. */
export function configSource(config: Config): ConfigSource | undefined {
  return SOURCES.get(config);
}

function overriding(env: Environment, overrides: ConfigOverrides): ReadonlyMap<string, string> {
  const { artifact, defaultPolicy, allowUngated, host, port, logLevel } = overrides;
  const portVariable = portVariableIn(env);
  const found: [string, string | undefined | false][] = [
    ['artifact', artifact !== undefined && '--artifact'],
    ['default_policy', defaultPolicy !== undefined && '--policy'],
    ['allow_ungated', allowUngated !== undefined && '--allow-ungated'],
    ['server.host', host !== undefined && '--host'],
    ['server.port', port === undefined ? portVariable : '--port'],
    ['log_level', logLevel === undefined ? env['PLIMSOLL_LOG_LEVEL'] && 'PLIMSOLL_LOG_LEVEL' : '--log-level'],
  ];
  return new Map(found.filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/**
 * The fields of a configuration as they are written down, for one that is to be written from it; none without a file.
 * @throws PlimsollError as `loadConfig` does if the file cannot be read
 */
export function writtenConfig(file: string = DEFAULT_CONFIG_FILE): Readonly<Record<string, unknown>> {
  return existsSync(file) ? ((readFile(file).value ?? {}) as Fields) : {};
}

/**
 * An error that names a field of the configuration, with the file and the line where that field, or the nearest thing around it, is written.
 * Anything else is returned as it is.
 * @param file that the configuration was read from; by default plimsoll.config.yaml
 */
export function withConfigPlace(error: unknown, file: string = DEFAULT_CONFIG_FILE): unknown {
  if (!(error instanceof PlimsollError) || error.code !== 'invalid-config') return error;
  const { code, message, place, cause } = error;
  if (place.file !== undefined || !existsSync(file)) return error;
  const line = place.field === undefined ? undefined : lineIn(file, place.field);
  const where = line === undefined ? file : `${file}, line ${line}`;
  return new PlimsollError(code, `${where}: ${message}`, {
    place: { ...place, file, ...(line !== undefined && { line }) },
    cause,
  });
}

/** Undefined if it is not written there, or the file has changed since. */
function lineIn(file: string, field: string): number | undefined {
  try {
    return readYaml(file).lineOf(field.split(/[.[\]]+/).filter((step) => step !== ''));
  } catch {
    return undefined;
  }
}

function readFile(file: string): YamlFile {
  return yamlOf(file, () => readYaml(file));
}

function yamlOf(file: string, read: () => YamlFile): YamlFile {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof YamlFault) {
      const { line, message } = cause;
      const where = line === undefined ? file : `${file}, line ${line}`;
      const place = { file, ...(line !== undefined && { line }) };
      throw new PlimsollError('invalid-config', `${where}: ${message}.`, { place });
    }
    const reason = systemErrorCode(cause);
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

function parseConfig(fields: unknown, source: string, yaml?: YamlFile): Config {
  const parsed = configSchema.safeParse(fields);
  if (parsed.success) return Object.freeze(parsed.data);
  const { path, message } = firstFault(configSchema, parsed.error.issues);
  const field = path.join('.') || '(top level)';
  const line = yaml?.lineOf(path);
  const where = line === undefined ? source : `${source}, line ${line}`;
  throw new PlimsollError('invalid-config', `${where}, field "${field}": ${sentence(message)}`, {
    place: { file: source, ...(line !== undefined && { line }), field },
  });
}

function sentence(message: string): string {
  return message.endsWith('?') ? message : `${message}.`;
}

function overridden(fields: Fields, env: Environment, overrides: ConfigOverrides): Fields {
  const { artifact, defaultPolicy, allowUngated, host } = overrides;
  const envPort = portIn(env); // refused if it is wrong, even if it is overridden
  const port = overrides.port ?? envPort;
  const logLevel = overrides.logLevel ?? logLevelIn(env);
  return {
    ...fields,
    ...(artifact !== undefined && { artifact }),
    ...(defaultPolicy !== undefined && { default_policy: defaultPolicy }),
    ...(allowUngated !== undefined && { allow_ungated: allowUngated }),
    ...(logLevel !== undefined && { log_level: logLevel }),
    server: {
      ...(fields['server'] as Fields | undefined),
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
    },
  };
}

function portVariableIn(env: Environment): 'PLIMSOLL_PORT' | 'PORT' | undefined {
  return (['PLIMSOLL_PORT', 'PORT'] as const).find((one) => env[one]);
}

/** PLIMSOLL_PORT, else PORT, which hosting platforms set. An empty one counts as not set. */
function portIn(env: Environment): number | undefined {
  const name = portVariableIn(env);
  const text = name && env[name];
  if (!text) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  const hint = text.startsWith('tcp://')
    ? ' Kubernetes sets it for a Service of this name: set enableServiceLinks: false, or say --port.'
    : '';
  throw new PlimsollError(
    'invalid-config',
    `${name} must be a port number, 0 to 65535, not "${text.slice(0, 100)}".${hint}`,
  );
}

function logLevelIn({ PLIMSOLL_LOG_LEVEL: text }: Environment): string | undefined {
  if (!text) return undefined;
  if (logLevelSchema.safeParse(text).success) return text;
  throw new PlimsollError(
    'invalid-config',
    `PLIMSOLL_LOG_LEVEL must be silent, error, warn, info or debug, not "${text}".`,
  );
}
