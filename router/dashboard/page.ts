import type { Role } from '../access/index.ts';
import type { ResultsDesk } from '../experiment-results/index.ts';
import type { Part } from '../markup.ts';
import type { DashboardParts } from './dashboard-parts.ts';
import type { Runs } from './playground-runs.ts';
import type { Guard, Outcome, Visitor } from './sessions.ts';
import type { StaticFile } from './static-files.ts';

/** What a page is made of. */
export interface PageContext {
  readonly parts: DashboardParts;
  readonly visitor: Visitor;
  /** Undefined without a state. */
  readonly results: ResultsDesk | undefined;
  /** What is tried in the playground. */
  readonly runs: Runs;
  readonly query: URLSearchParams;
  /** What follows the path of the page in the address. */
  readonly steps: readonly string[];
  /** The outcome of the last change, which the page shows. */
  readonly outcome?: Outcome | undefined;
  /** As the browser names the server, for commands to copy. */
  readonly serverUrl: string;
  readonly nowMs: number;
}

export interface DashboardPage extends Guard {
  /** Below /dashboard. */
  readonly path: string;
  readonly name: string;
  /** Who may see what is below it; default: the same. */
  readonly below?: Role;
  readonly script?: StaticFile;
  /** A style besides that of every page. */
  readonly style?: StaticFile;
  /** Undefined: there is nothing at these steps. */
  readonly render: (context: PageContext) => Part | Promise<Part>;
}

/** What a form does. Its fields are what the browser sent. */
export interface DashboardChange extends Guard {
  readonly path: string;
  /** The field of the form with the name of what is changed, for the log of changes. */
  readonly subject?: string;
  /** It changes nothing, or is on record elsewhere: it is not in the state's log of changes. */
  readonly isUnlisted?: boolean;
  /** The page that is shown then: below /dashboard, or made of what was sent. */
  readonly back: string | ((form: URLSearchParams) => string);
  /** Bytes, where a form may be longer than others. */
  readonly longestForm?: number;
  /** What is wrong with fields as no form of the page sends them: they get a 400 with this sentence. */
  readonly malformed?: (form: URLSearchParams) => string | undefined;
  /** Throws a PlimsollError to say why not. */
  readonly run: (form: URLSearchParams, context: PageContext) => Promise<Outcome>;
}
