/** Plimsoll as a library: `createRouter(loadConfig())`, then `router.route({ prompt })`; or `serve(loadConfig())`. */
import type { Config } from './config/index.ts';
import type { Served, ServeOptions } from './serve.ts';

export type { Standing } from './artifact/index.ts';
export type { Config, ConfigOverrides } from './config/index.ts';
export { loadConfig } from './config/index.ts';
export { createRouter } from './create-router.ts';
export type { ErrorCode, ErrorPlace } from './errors.ts';
export { PlimsollError } from './errors.ts';
export type { PolicyVerdict } from './policy/index.ts';
export { routedText } from './prompt/index.ts';
export { type ReloadingRouter, reloadingRouter } from './reload.ts';
export type { Decision, Explained, Reload, RouteOptions, Router, RouterHealth } from './router.ts';
export type { ContentPart, Message, RouteInput } from './types.ts';
export type { Served, ServeOptions };

/**
 * Serves a configuration over HTTP: decisions and, if it names providers, models. The server's code is loaded now, not with the package.
 * @throws PlimsollError if the configuration, the artifact or the port is wrong; then it never listened
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<Served> {
  return (await import('./serve.ts')).serve(config, options);
}
