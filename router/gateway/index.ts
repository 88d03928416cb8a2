/** One request to a model: which one, its reply, and what is recorded of it. */
import type { Gateway, GatewayOptions } from './gateway.ts';

export { cascadeWarnings } from './cascade-warnings.ts';
export { decisionCallSchema } from './decision-call.ts';
export type { GatewayHealth } from './gateway.ts';
export { createModelNames, type ListedName, type ModelNames } from './model-names.ts';
export type { GatewayReply } from './reply.ts';
export type { GatewayRequest } from './request.ts';
export type { Gateway };

/** Opens the gateway. Its code is loaded here, so that a server that only decides never loads it. */
export async function openGateway(
  options: GatewayOptions,
  ...rest: Parameters<typeof import('./open-gateway.ts').openGateway> extends [unknown, ...infer Rest]
    ? Rest
    : never
): Promise<Gateway> {
  return (await import('./open-gateway.ts')).openGateway(options, ...rest);
}

/** The function of this name in `refuse-settings.ts`, loaded at the first call. */
export async function refuseSettings(
  ...args: Parameters<typeof import('./refuse-settings.ts').refuseSettings>
): Promise<void> {
  (await import('./refuse-settings.ts')).refuseSettings(...args);
}
