import type { RequestHandler } from 'express';
import type { Queue } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import type { Lifecycle, Sender } from '../http/index.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Router } from '../router.ts';
import type { DecisionMetrics } from '../telemetry/index.ts';
import type { ServerLog } from './server-log.ts';

/** What every route of the server may use. */
export interface ServerContext {
  readonly router: Router;
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  /** For decisions; calls of models wait in the gateway's own. */
  readonly queue: Queue;
  readonly send: Sender;
  readonly budget: MemoryBudget;
  readonly log: ServerLog;
  readonly metrics: DecisionMetrics;
}

/** One route. The index of routes has its `summary`. */
export interface Route {
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  /** The same without /v1, for clients whose base URL ends before it. */
  readonly unversionedPath?: string;
  readonly summary: string;
  readonly handlers: readonly RequestHandler[];
}
