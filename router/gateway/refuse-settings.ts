import { namesKeys, requireAccess } from '../access/index.ts';
import { outboundFrom } from '../exchange/index.ts';
import { checkedSettings } from './check-settings.ts';
import type { GatewayOptions } from './gateway.ts';
import type { ConfiguringRouter, GatewaySettings } from './gateway-settings.ts';
import { limitsWithoutKeys } from './gateway-state.ts';

/**
 * Checks a configuration without opening anything.
 * @throws PlimsollError `invalid-config` or `ungated`, with the field, if a gateway would refuse to serve the configuration
 */
export function refuseSettings(
  options: GatewaySettings & Pick<GatewayOptions, 'access' | 'server' | 'sessions' | 'state' | 'upstream'>,
  router: ConfiguringRouter,
): void {
  const { access, limits, server, sessions, state, upstream } = options;
  outboundFrom(upstream.caFile);
  if (namesKeys(limits) && !requireAccess(access, server.host)) throw limitsWithoutKeys();
  checkedSettings(options, router, {
    stickiness: sessions.sticky?.stickiness,
    hasState: state !== undefined,
    hasSharedState: state !== undefined && state.kind !== 'memory',
  });
}
