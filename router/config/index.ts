/** The configuration: what may be written down, how it is read, and what the composition gets of it. */
export { type ConfigEdit, editedText, fileMark, replaceConfig, whyNotWritable } from './edit.ts';
export {
  type ConfigOverrides,
  type ConfigSource,
  configSource,
  DEFAULT_CONFIG_FILE,
  loadConfig,
  withConfigPlace,
  writtenConfig,
} from './load.ts';
export { priceSchema } from './models-schema.ts';
export type { OidcConfig } from './oidc-schema.ts';
export { type Config, configSchema, logLevelSchema } from './schema.ts';
export { sessionsSchema } from './sessions-schema.ts';
export { defaultState } from './state-schema.ts';
