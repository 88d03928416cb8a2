import type { Access, AccessOptions, createQueue, Queue } from '../access/index.ts';
import type { Dialect } from '../catalog/index.ts';
import type { UpstreamSettings } from '../exchange/index.ts';
import type { BreakerState } from '../fallback/index.ts';
import type { LatencyBook } from '../latency/index.ts';
import type { People } from '../people/index.ts';
import type { Activity, FeedbackDesk } from '../records/index.ts';
import type { Router } from '../router.ts';
import type { SessionOptions } from '../sessions/index.ts';
import type { InstanceReport, Ledger, State } from '../state/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { Threads } from '../threads/index.ts';
import type { ExperimentOptions } from './gateway-experiments.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { ConfiguringRouter, GatewaySettings, ProviderKeys } from './gateway-settings.ts';
import type { GatewayStateOptions } from './gateway-state.ts';
import type { ModelNames } from './model-names.ts';
import type { GatewayReply } from './reply.ts';
import type { GatewayRequest } from './request.ts';

/** Options that stay for the life of the process. */
export interface GatewayOptions extends GatewayStateOptions, Pick<ExperimentOptions, 'experiments'> {
  /** Whether responses are kept, so that a request can go on from one by its id; needs a state. */
  readonly threads?: 'on' | 'off';
  readonly access: AccessOptions;
  /** The address that others reach it by: any but a loopback one needs API keys. */
  readonly server: { readonly host: string };
  readonly gateway: Parameters<typeof createQueue>[0] & Pick<GatewayParts, 'heartbeatMs'>;
  readonly upstream: GatewayStateOptions['upstream'] & Pick<UpstreamSettings, 'breaker' | 'caFile'>;
  readonly budgets: { readonly defaultMaxTokens: number };
  readonly sessions: SessionOptions;
}

/** One for the life of the process. */
export interface Gateway {
  /**
   * Replaces all settings at once; requests in flight keep those that they began with.
   * @throws PlimsollError `invalid-config` if a model of the ladder, a profile or a fallback is not in the catalog, or a provider's key is
   *   damaged; then nothing changes
   */
  configure(settings: GatewaySettings, router: ConfiguringRouter): void;
  handle(request: GatewayRequest, router: Router): Promise<GatewayReply>;
  /** Call this for requests that are refused before `handle`. */
  refused(dialect: Dialect, status: number): void;
  /** What `model` may say. */
  names(): Pick<ModelNames, 'listed' | 'find'>;
  health(): GatewayHealth;
  /** Undefined if requests need no key. */
  readonly access: Access | undefined;
  /** Undefined if nothing is kept. */
  readonly threads: Threads | undefined;
  /** Undefined if none is taken. */
  readonly feedback: FeedbackDesk | undefined;
  /** Undefined without a state. */
  readonly people: People | undefined;
  readonly queue: Queue;
  readonly metrics: Pick<Metrics, 'exposition'>;
  /** How soon models reply. */
  readonly latency: Pick<LatencyBook, 'measured'>;
  /** What requests came to, by hour, and the last of them: for the dashboard. */
  readonly activity: Activity;
  /** Undefined if nothing needs it. */
  readonly state: State | undefined;
  /** In which limits are counted; undefined if nothing is limited. */
  readonly ledger: Ledger | undefined;
  /** For every model that was called. */
  breakerStates(): ReadonlyMap<string, BreakerState>;
  close(): Promise<void>;
}

/** What the operator has to fix while the gateway serves: `troubles` may be about anything, not only keys. */
export interface GatewayHealth extends Omit<ProviderKeys, 'warnings'> {
  /** What the instances behind one address serve; undefined if there is one, or it is not known. */
  readonly instances?: readonly InstanceReport[] | undefined;
}
