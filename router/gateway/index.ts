/** One request to a model: which one, its reply, and what is recorded of it. */
import type { Gateway } from './open-gateway.ts';

export type { Gateway };

/** Opens the gateway, which a server that only decides never loads. */
export async function openGateway(
  ...args: Parameters<typeof import('./open-gateway.ts').openGateway>
): Promise<Gateway> {
  return (await import('./open-gateway.ts')).openGateway(...args);
}
export { brokenEvent } from './answers.ts';
export { COST_TRAILERS } from './decision-headers.ts';
export type { GatewayHealth } from './gateway-health.ts';
export { createModelNames, type ListedName } from './model-names.ts';
export type { GatewayAnswer } from './requests.ts';
