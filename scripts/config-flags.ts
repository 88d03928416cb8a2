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
  const overrides: ConfigOverrides = { artifact, defaultPolicy: policy, allowUngated, host, port, logLevel };
  return loadConfig(config, process.env, overrides);
}
