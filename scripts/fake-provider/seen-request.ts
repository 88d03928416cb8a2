import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from './faults.ts';

/** A request that the test upstream got. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  readonly fault: Fault | undefined;
  /** The client left before the answer was sent whole. */
  aborted: boolean;
}
