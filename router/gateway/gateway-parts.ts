import type { ArrivalReports } from '../experiments/index.ts';
import type { FallbackChain } from '../fallback/index.ts';
import type { People, ReplyMode } from '../people/index.ts';
import type { ResponseCache } from '../response-cache/index.ts';
import type { CheckOptions } from './execute-cascade.ts';
import type { ExecutionParts } from './execute-plan.ts';
import type { LatencyOptions } from './latency-class.ts';
import type { LimitParts } from './limited-request.ts';
import type { Strategy } from './plan.ts';
import type { SelectionParts } from './selection.ts';
import type { Shadows } from './shadows.ts';

/** What a profile sets in place of the parts of all requests. */
export interface ProfileParts {
  /** `off`: no reply is judged. */
  readonly cascade: 'off' | GatewayParts['cascade'];
  readonly deadlineMs: number;
  readonly latency: LatencyOptions;
  /** How replies of people get to its clients; undefined: as each of them says. */
  readonly peopleReply: ReplyMode | undefined;
  /** How long the judged replies may take, all together. */
  readonly maxWaitMs: number;
  /** What carries out its plans. */
  readonly execution: ExecutionParts;
  /** Share of its requests that is captured, 0 for none; undefined: as all. */
  readonly captureShare: number | undefined;
  /** Its replies that may go out again; undefined: none are kept. */
  readonly cache: ResponseCache | undefined;
}

/** One state of the configuration; a request keeps the one that it started with. */
export interface GatewayParts extends SelectionParts, ExecutionParts {
  readonly strategy: Strategy;
  /** Replies that may go out again; undefined: none are kept. */
  readonly cache: ResponseCache | undefined;
  /** How long a cheap reply may be held and judged. */
  readonly cascade: CheckOptions & { readonly maxWaitMs: number };
  readonly profiles: ReadonlyMap<string, ProfileParts>;
  /** After this much silence a stream gets an SSE comment; 0: never. */
  readonly heartbeatMs: number;
  /** Undefined if nothing is limited. */
  readonly limits: LimitParts | undefined;
  /** Undefined without a state that others can read. */
  readonly arrivals: Pick<ArrivalReports, 'arrived'> | undefined;
  /** Undefined without a state, which their caps need. */
  readonly shadows: Shadows | undefined;
  /** What mirrored requests are sent with. */
  readonly shadowChain: FallbackChain;
  readonly defaultMaxTokens: number;
  /** Some model has several deployments. */
  readonly hasDeployments: boolean;
  /** Undefined if nobody answers. */
  readonly people: People | undefined;
}
