import type { CatalogModel } from '../catalog/index.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import type { BusyDeployments } from './deployment-use.ts';
import type { RequestSpending } from './limited-request.ts';
import type { GatewayRequest } from './request.ts';
import type { Selection } from './selection.ts';

/** What is known about a request while it is handled: what is recorded if it fails. */
export interface RequestProgress {
  readonly startedAt: Date;
  /** With its whole conversation, once its thread is read. */
  request: GatewayRequest;
  session: SessionIdentity | undefined;
  selection: Selection | undefined;
  spending: RequestSpending | undefined;
  /** When the first model was called. */
  calledMs: number | undefined;
  /** The models of second attempts. */
  readonly hedged: CatalogModel[];
  /** The deployments that it keeps busy; undefined if no model has several. */
  readonly busy: BusyDeployments | undefined;
  /** To be called when it is known to be in no experiment; undefined if there are none. */
  readonly isInNone: (() => void) | undefined;
}
