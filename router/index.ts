/** Plimsoll as a library: `createRouter(loadConfig())`, then `router.route({ prompt })`. */
export type { Standing } from './artifact/index.ts';
export type { Config, ConfigOverrides } from './config.ts';
export { loadConfig } from './config.ts';
export { createRouter } from './create-router.ts';
export type { ErrorCode, ErrorPlace } from './errors.ts';
export { PlimsollError } from './errors.ts';
export type { PolicyVerdict } from './policy/index.ts';
export { routedText } from './prompt/index.ts';
export type { ReloadingRouter } from './reloading-router.ts';
export { reloadingRouter } from './reloading-router.ts';
export type { Decision, Explained, Reload, RouteOptions, Router, RouterHealth } from './router.ts';
export type { ContentPart, Message, RouteInput } from './types.ts';
