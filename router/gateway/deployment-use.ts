import type { DeploymentUse } from '../fallback/index.ts';
import type { SessionIdentity } from '../sessions/index.ts';
import type { Recording } from './request-record.ts';

/** The deployments that a request keeps busy. */
export interface BusyDeployments {
  /** Frees them when the request is recorded, which happens once to each. */
  readonly recording: Recording;
  /** Spreads the calls of the request, by its conversation if it has one. */
  use(session: SessionIdentity | undefined): DeploymentUse;
}

/** A reply keeps its deployment busy until its last byte is sent. */
export function busyDeployments(recording: Recording): BusyDeployments {
  const busy: (() => void)[] = [];
  let isOver = false;
  return {
    recording: {
      ...recording,
      observe(facts) {
        isOver = true;
        for (const leave of busy) leave();
        recording.observe(facts);
      },
    },
    use: (session) => ({
      affinity: session?.affinity,
      onReply(leave) {
        if (isOver)
          leave(); // such as of a client that left in this moment
        else busy.push(leave);
      },
    }),
  };
}
