/** Plimsoll as a library: `createRouter(loadConfig())`, then `router.route({ prompt })`. */
export type { Config, ConfigOverrides } from './config.ts';
export { loadConfig } from './config.ts';
export { createRouter } from './create-router.ts';
export type { ErrorCode, ErrorPlace } from './errors.ts';
export { PlimsollError } from './errors.ts';
export { routedText } from './request/routed-text.ts';
export type { Decision, Explained, RouteOptions, Router, RouterHealth } from './router.ts';
export type { ContentPart, Message, RouteInput } from './types.ts';
