import type { TaskPrediction } from '../tasks/index.ts';

/** Numbers from `atLeast` to `atMost`, both included. */
export interface Range {
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
}

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Day = (typeof DAYS)[number];

/** Minutes of the day, `from` included, `to` not; over midnight if `to` is not later. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

/** What a request must be like; all that is given must hold, of a list one. Names of tasks, tags and headers are in lower case. */
export interface RuleConditions {
  readonly task?: readonly string[] | undefined;
  /** The least probability of a predicted task; a task that the client names is not in doubt. */
  readonly taskProbability?: number | undefined;
  readonly tag?: readonly string[] | undefined;
  /** Ids of API keys. */
  readonly key?: readonly string[] | undefined;
  /** As clients write `model`. */
  readonly model?: readonly string[] | undefined;
  readonly header?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Length of the scored text. */
  readonly characters?: Range | undefined;
  /** Tokens of the whole request, estimated. */
  readonly tokens?: Range | undefined;
  readonly tools?: boolean | undefined;
  readonly images?: boolean | undefined;
  readonly days?: readonly Day[] | undefined;
  readonly hours?: Hours | undefined;
  /** Time zone of days and hours; an IANA name. */
  readonly timeZone?: string | undefined;
  /** ISO 639-1, of the text that is scored; `und`: it shows none. */
  readonly language?: readonly string[] | undefined;
  /** Share of the windows of a named limit that is used up, 0 or more. */
  readonly budgetUsed?: (Range & { readonly limit: string }) | undefined;
  /** Age of the request's session, before this request. */
  readonly sessionAge?:
    | { readonly turns?: Range | undefined; readonly minutes?: Range | undefined }
    | undefined;
  /** A pattern of RE2 that the text that is scored has a match of. */
  readonly matches?: string | undefined;
}

/** A rule as the configuration has it: exactly one of the last five. */
export interface RuleOptions {
  readonly name: string;
  readonly when: RuleConditions;
  /** A rung, or `<provider>/<model>`. */
  readonly use?: string | undefined;
  readonly profile?: string | undefined;
  readonly atLeast?: string | undefined;
  readonly atMost?: string | undefined;
  /** What the client is told. */
  readonly refuse?: string | undefined;
}

/** What a rule does. Rungs by the names of their candidates, which profiles share. */
export type RuleAction =
  | { readonly kind: 'rung'; readonly rung: string }
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'profile'; readonly profile: string }
  | { readonly kind: 'at-least'; readonly rung: string }
  | { readonly kind: 'at-most'; readonly rung: string }
  | { readonly kind: 'refuse'; readonly message: string };

/** A rule that fired. */
export interface Rule {
  readonly name: string;
  readonly action: RuleAction;
  /** Its path in the configuration, such as `rules.0`. */
  readonly field?: string;
}

/** What is known about a request. What takes time is worked out only if a rule asks for it. */
export interface RequestTraits {
  /** As the client wrote it; undefined where there is no such field. */
  readonly model: string | undefined;
  /** The client named a model, so nothing is routed unless a rule says so. */
  readonly isExplicit: boolean;
  /** As the client named it. */
  readonly task: string | undefined;
  /** As its text looks; undefined if there is none. Left out if tasks are not predicted. */
  readonly predictedTask?: () => TaskPrediction | undefined;
  readonly tags: readonly string[];
  readonly keyId: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The text that is scored; undefined if no person wrote any. */
  readonly text: () => string | undefined;
  /** Share of a named limit that is used up. Left out where nothing is limited: none of it. */
  readonly budgetUsed?: (limit: string) => number;
  /** Turns and minutes since the session of the request began, without this request; undefined if it belongs to none. */
  readonly sessionAge?: () => { readonly turns: number; readonly minutes: number } | undefined;
  readonly needs: () => { readonly tools: boolean; readonly images: boolean; readonly inputTokens: number };
}
