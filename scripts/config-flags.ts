import { type Config, type ConfigOverrides, loadConfig } from '../router/config/index.ts';

/** Flags of the commands that read a configuration, which override it. */
export interface ConfigFlags extends Omit<ConfigOverrides, 'defaultPolicy'> {
  readonly config?: string;
  readonly policy?: string;
}

export function configFromFlags({
  config,
  policy,
  artifact,
  allowUngated,
  host,
  port,
  logLevel,
}: ConfigFlags): Config {
  const flags = { artifact, defaultPolicy: policy, allowUngated, host, port, logLevel };
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const overrides: ConfigOverrides = Object.fromEntries(given);
  return loadConfig(config, process.env, overrides);
}
