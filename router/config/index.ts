/** The configuration: what may be written down, how it is read, and what the composition gets of it. */
export { type ConfigOverrides, DEFAULT_CONFIG_FILE, loadConfig } from './load.ts';
export { type Config, configSchema } from './schema.ts';
export { defaultState } from './state-schema.ts';
