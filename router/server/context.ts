import type { RequestHandler } from 'express';
import type { Config } from '../config/index.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Router } from '../router.ts';
import type { DecisionMetrics } from '../telemetry/index.ts';
import type { Admission } from './admission.ts';
import type { Lifecycle, Sender } from './answer.ts';
import type { Report } from './report.ts';

/** What every route of the server may use. */
export interface ServerContext {
  readonly router: Router;
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly admission: Admission;
  readonly send: Sender;
  readonly budget: MemoryBudget;
  readonly report: Report;
  readonly metrics: DecisionMetrics;
}

/** One route. `summary` is what the index says of it. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** The same without /v1, for clients whose base URL ends before it. */
  readonly unversionedPath?: string;
  readonly summary: string;
  readonly handlers: readonly RequestHandler[];
}
