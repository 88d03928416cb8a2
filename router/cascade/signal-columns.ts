import type { Reply } from '../types.ts';
import { TEXT_SIGNALS, textSignals } from './text-signals.ts';

/**
 * Least logarithm of a probability that counts: below it, less likely is no further evidence, and one token must not outweigh the rest of a
 * regression.
 */
export const LEAST_LOGPROB = -20;
/** Providers round: a logarithm that is closer to 0 is 0. */
const FINEST_LOGPROB = 1e-7;

/** A signal as the columns of a logistic regression. Undefined in, 0 in each out: the indicator of the missing one has its own weight. */
interface Signal {
  readonly name: string;
  readonly of: (reply: Reply) => number | undefined;
  /** Suffix of a column's name -> its value. */
  readonly columns: Readonly<Record<string, (value: number) => number>>;
}

/**
 * A logarithm l of a probability by three of its forms: the decimal logarithm of -l, in which models that are nearly always sure still differ
 * (the idea of Zellinger and Thomson, arXiv 2501.09345, section 3, whose log(1 / (1 - p)) it nearly is near 1); l; and the probability.
 */
const LOGPROB = {
  doubt: (l: number) => Math.log10(FINEST_LOGPROB - l),
  log: (l: number) => l,
  probability: Math.exp,
};
const PLAIN = { value: (value: number) => value };

const clipped = (l: number | undefined) => (l === undefined ? undefined : Math.max(l, LEAST_LOGPROB));

const SIGNALS: readonly Signal[] = [
  { name: 'confidence', of: ({ confidenceLogprob }) => clipped(confidenceLogprob), columns: LOGPROB },
  { name: 'mean_logprob', of: ({ meanLogprob }) => clipped(meanLogprob), columns: LOGPROB },
  { name: 'min_logprob', of: ({ minLogprob }) => clipped(minLogprob), columns: LOGPROB },
  { name: 'cut_at_limit', of: ({ finishReason }) => stoppedBy(CUT, finishReason), columns: PLAIN },
  { name: 'blocked', of: ({ finishReason }) => stoppedBy(BLOCKED, finishReason), columns: PLAIN },
  { name: 'agreement', of: ({ agreement }) => agreement, columns: PLAIN },
  { name: 'verifier', of: ({ verifier }) => verifier, columns: PLAIN },
];

/** Why models stop, in the words of OpenAI, Anthropic, Google and the AI SDK. A word that is not among them is no signal. */
const CUT = ['length', 'max_tokens', 'max_output_tokens', 'model_context_window_exceeded'];
const BLOCKED = ['content_filter', 'content-filter', 'refusal', 'safety', 'recitation'];
const FINISHED = [
  'stop',
  'end_turn',
  'stop_sequence',
  'tool_calls',
  'tool-calls',
  'tool_use',
  'function_call',
];

function stoppedBy(reasons: readonly string[], finishReason: string | undefined): number | undefined {
  const reason = finishReason?.toLowerCase();
  if (reason === undefined || ![CUT, BLOCKED, FINISHED].some((known) => known.includes(reason)))
    return undefined;
  return Number(reasons.includes(reason));
}

/** Whether a provider's filter ended the reply, or the model's own: what came is not the whole. */
export function isBlocked(finishReason: string | undefined): boolean {
  return stoppedBy(BLOCKED, finishReason) === 1;
}

/** Each text has a length. */
const TEXT_MISSING = 'length_log_missing';

function isColumnOf(name: string, column: string): boolean {
  if (name === 'text') return TEXT_SIGNALS.some((signal) => signal === column);
  return column === name || Object.keys(LOGPROB).some((form) => column === `${name}_${form}`);
}

/** The names of the columns, in order. They stand in artifacts: a rename is a new column. */
export const REPLY_COLUMNS: readonly string[] = [
  ...SIGNALS.flatMap(({ name, columns }) => [
    ...Object.keys(columns).map((form) => (form === 'value' ? name : `${name}_${form}`)),
    `${name}_missing`,
  ]),
  ...TEXT_SIGNALS.flatMap((name) => [name, `${name}_missing`]),
];

/** A signal by its places among REPLY_COLUMNS. */
export interface SignalColumns {
  readonly name: string;
  readonly columns: readonly number[];
  /** The indicator of the missing one. */
  readonly missing: number;
}

/** What a provider, or the configuration, may give of a reply or not. All signals of the text are missing or there together, but for a few. */
export const SIGNAL_COLUMNS: readonly SignalColumns[] = [...SIGNALS.map(({ name }) => name), 'text'].map(
  (name) => {
    const indicator = name === 'text' ? TEXT_MISSING : `${name}_missing`;
    const missing = REPLY_COLUMNS.indexOf(indicator);
    const columns = REPLY_COLUMNS.flatMap((column, at) =>
      isColumnOf(name, column) && at !== missing ? [at] : [],
    );
    return { name, columns, missing };
  },
);

/** For each column, the index of its indicator of missing values; for an indicator, its own index. */
export const INDICATORS: readonly number[] = REPLY_COLUMNS.map((_, at) =>
  REPLY_COLUMNS.findIndex((name, place) => place >= at && name.endsWith('_missing')),
);

/**
 * What is known about a reply as columns of a regression, each finite for any text and any Reply. A signal that is missing is 0 in its own
 * columns and 1 in its indicator.
 * @param prompt the text that was scored (router/prompt)
 * @returns shape of REPLY_COLUMNS
 */
export function replyColumns(prompt: string, reply: Reply): Float64Array {
  const values: number[] = [];
  for (const { of, columns } of SIGNALS) {
    const signal = of(reply);
    for (const form of Object.values(columns)) values.push(signal === undefined ? 0 : form(signal));
    values.push(Number(signal === undefined));
  }
  const shown = reply.text === undefined ? undefined : textSignals(prompt, reply.text);
  for (const name of TEXT_SIGNALS) values.push(shown?.[name] ?? 0, Number(shown?.[name] === undefined));
  return Float64Array.from(values);
}

/**
 * How sure the model was of its reply: the logarithm of its probability, or, where that is not known, of its tokens', the mean before the
 * least. At most 0; undefined if the provider gave none.
 */
export function confidence({ confidenceLogprob, meanLogprob, minLogprob }: Reply): number | undefined {
  return confidenceLogprob ?? meanLogprob ?? minLogprob;
}
