import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/index.ts';
import type { Gateway } from '../gateway/index.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Change } from '../records/index.ts';
import type { HotReload } from '../reload.ts';
import type { Router } from '../router.ts';
import type { ArtifactPromotion } from '../serving.ts';
import type { ReviewHolder } from './review-holder.ts';

/** What the pages show. */
export interface DashboardParts {
  readonly router: Router;
  /** The configuration that serves now. */
  readonly config: () => Config;
  /** Undefined: nothing is reloaded. */
  readonly reloads: Pick<HotReload, 'past' | 'reload'> | undefined;
  /** Undefined on a server that only decides. */
  readonly gateway: Gateway | undefined;
  /** What requests hold in memory, those of the playground too. */
  readonly budget: MemoryBudget;
  /** Chooses what serves in a store; undefined: only commands do. */
  readonly promotion: (() => Promise<ArtifactPromotion>) | undefined;
  /** The labelled cases that people grade. */
  readonly review: ReviewHolder;
  /** Called with each change: who made it, and its outcome. */
  readonly onChange: (change: Change) => void;
  /** Called with a sentence for the log: who signed in. */
  readonly onSignIn: (text: string) => void;
  /** Somebody could not sign in, for a reason that the operator may have to mend. */
  readonly onSignInTrouble: (text: string) => void;
  /** Whether requests of the API need no key, and this machine alone can reach the server. */
  readonly isOpen: boolean;
  readonly isDraining: () => boolean;
  /** A sentence above every page, such as that the traffic is made up. */
  readonly banner: string | undefined;
}

export type PageListener = (request: IncomingMessage, response: ServerResponse) => void;
