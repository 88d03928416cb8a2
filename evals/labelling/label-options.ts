import type { Config } from '../../router/config/index.ts';
import type { NamedRows, PromptRowOptions } from '../cases/index.ts';
import { DEFAULT_WAITS_MS } from './call-model.ts';
import type { Forecast } from './forecast.ts';
import type { Graders } from './graders/graders-file.ts';
import type { JudgeReport } from './judge/judge-report.ts';

/** A model whose replies are labelled. */
export interface LabelCandidate {
  /** Its name in the cases. */
  readonly name: string;
  /** `<provider>/<model>`. */
  readonly model: string;
}

export interface LabelOptions {
  /** Its providers are called; no artifact is needed. */
  readonly config: Config;
  /** Files of prompts or cases, or rows from elsewhere; see promptRows. */
  readonly prompts: readonly (string | NamedRows)[];
  /** Cheapest first. */
  readonly candidates: readonly LabelCandidate[];
  readonly graders: Graders;
  /** The judge may be of the family of a candidate. Default false. */
  readonly allowSameFamily?: boolean;
  /** Above 0; what earlier runs of the same journal have spent counts. */
  readonly budgetUsd: number;
  /** The cases, .jsonl or .jsonl.gz; the journal is beside it, `<out>.journal`. */
  readonly out: string;
  /** The longest reply; default 1024. */
  readonly maxTokens?: number;
  /** Calls at work at once, for each provider; default 8. */
  readonly concurrency?: number;
  /** Waits before further tries after the gateway's retries, in ms; by default 1, 2, 4, 8 and 16 seconds. */
  readonly waitsMs?: readonly number[];
  /** Grade a candidate's reply that is in the row, captured or from a log, and ask only the others. Default true. */
  readonly reuse?: boolean;
  /** Only requests that were routed below the last candidate, such as audits are of. Default false. */
  readonly keptOnly?: boolean;
  /** Replace cases that no journal belongs to. Default false. */
  readonly force?: boolean;
  /** Stop after the forecast, before the first call. Default false. */
  readonly dryRun?: boolean;
  readonly reading?: PromptRowOptions;
  /** Aborted: no further call begins; what is at work ends, and is written. */
  readonly signal?: AbortSignal;
  /** Before the first call, and again after 30, 60, 120 … rows, until what all costs is known within a tenth. */
  readonly onForecast?: (forecast: Forecast) => void;
  readonly onProgress?: (progress: LabelProgress) => void;
}

export interface LabelProgress {
  /** Rows that are done, of all. */
  readonly rows: number;
  readonly of: number;
  readonly spentUsd: number;
  readonly budgetUsd: number;
}

/** An outcome that stays without a label. */
export interface MissingLabel {
  readonly case: string;
  readonly candidate: string;
  readonly why: string;
}

/** What a run came to. */
export interface Labelled {
  /** `budget`: the next call could have exceeded it; `ended`: the signal was aborted; `forecast`: a dry run. */
  readonly ended: 'done' | 'budget' | 'ended' | 'forecast';
  readonly rows: number;
  /** Rows whose outcomes all have a label. */
  readonly complete: number;
  readonly candidates: readonly {
    readonly name: string;
    readonly labels: number;
    /** 0..1; undefined without labels. */
    readonly meanQuality: number | undefined;
  }[];
  readonly missing: readonly MissingLabel[];
  /** Undefined if no model judged. */
  readonly judge: JudgeReport | undefined;
  /** Replies that were in the rows, and graded without a call. */
  readonly reused: number;
  /** Calls that were made, those of earlier runs left out. */
  readonly newCalls: number;
  /** Spent by this run and those before it. */
  readonly spentUsd: number;
  /** The part of it that calls may have cost whose replies were lost with a killed process. */
  readonly lostUsd: number;
  readonly journal: string;
  readonly sha256: string | undefined;
}

/** What is left out of the options. */
export const LABEL_DEFAULTS = { maxTokens: 1024, concurrency: 8, waitsMs: DEFAULT_WAITS_MS };
