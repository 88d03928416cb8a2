/** Plimsoll as a library: `createRouter` decides, `createGateway` also calls models, `serve` does both over HTTP. */
import type { Config } from './config/index.ts';
import type { EmbeddedGateway, RespondOptions, Served, ServeOptions } from './serving.ts';

export type { Standing } from './artifact/index.ts';
export { type Config, type ConfigOverrides, loadConfig } from './config/index.ts';
export { createRouter } from './create-router.ts';
export { type ErrorCode, type ErrorPlace, PlimsollError } from './errors.ts';
export type { PolicyVerdict } from './policy/index.ts';
export { routedText } from './prompt/index.ts';
export { type ReloadingRouter, reloadingRouter } from './reload.ts';
export type { Decision, Explained, Reload, RouteOptions, Router, RouterHealth } from './router.ts';
export type { ContentPart, Message, RouteInput } from './types.ts';
export type { EmbeddedGateway, RespondOptions, Served, ServeOptions };

/**
 * Serves a configuration over HTTP: decisions and, if it names providers, models. The server's code is loaded now, not with the package.
 * @throws PlimsollError if the configuration, the artifact or the port is wrong; then it never listened
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<Served> {
  return (await import('./serve.ts')).serve(config, options);
}

/**
 * A gateway inside your program: sends requests to the models of the configuration, with retries and fallbacks. Its code is loaded now,
 * not with the package.
 * @throws PlimsollError if the configuration or the artifact is wrong
 */
export async function createGateway(config: Config): Promise<EmbeddedGateway> {
  return (await import('./create-gateway.ts')).createGateway(config);
}
