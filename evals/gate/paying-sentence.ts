import type { Condition } from '../../router/artifact/index.ts';
import type { Ranking } from './ranking.ts';

interface Measured {
  readonly apgr?: number;
  readonly cpt80?: number;
  readonly interval?: { readonly low: number; readonly high: number };
  readonly cost?: { readonly gap80: { readonly saved_against_random?: number } };
  readonly task_label?: Ranking;
  readonly prompt_length?: Ranking;
  /** For a cascade. */
  readonly prompt_alone?: Ranking;
  readonly logprob_alone?: Ranking;
  readonly quality: { readonly cheap: number; readonly strong: number };
}

export interface Paying {
  readonly routing_pays: boolean;
  readonly conclusion: string;
}

/** A random router's APGR. */
const CHANCE = 0.5;

/** Fewer calls saved at 80 % of the gain than this is not worth a router's upkeep. */
const WORTHWHILE_CALLS_SAVED = 0.02;

/**
 * Whether routing pays on these cases, and why, in a sentence. It pays if the whole interval of APGR lies above chance
 * and 80 % of the strong model's gain takes at least two points fewer calls than random escalation.
 */
export function payingSentence(measured: Measured): Paying {
  const { apgr, cpt80, interval } = measured;
  if (apgr === undefined || cpt80 === undefined || interval === undefined) {
    return {
      routing_pays: false,
      conclusion: 'Whether routing pays cannot be said: APGR is undefined on these cases.',
    };
  }
  const range = `APGR ${apgr.toFixed(3)}, 95 % interval ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`;
  if (interval.low <= CHANCE) {
    return {
      routing_pays: false,
      conclusion: `Routing does not pay here: the classifier cannot be told from random escalation (${range}; random .500).`,
    };
  }
  if (0.8 - cpt80 < WORTHWHILE_CALLS_SAVED) {
    return {
      routing_pays: false,
      conclusion: `Routing does not pay here: it ranks better than chance (${range}), but 80 % of the strong model's gain still takes ${percent(cpt80)} of the calls (random: 80 %).`,
    };
  }
  return {
    routing_pays: true,
    conclusion: `Routing pays here: 80 % of the strong model's gain takes ${percent(cpt80)} of the calls (random: 80 %; ${range}).${simplerNote(measured)}`,
  };
}

/**
 * The same of a ladder of more than two rungs, against the best mix of its models at the same cost (excessOverMix). It pays if the whole
 * interval lies above 0.
 */
export function ladderSentence(measured: {
  readonly excess: number;
  readonly interval: { readonly low: number; readonly high: number };
}): Paying {
  const { excess, interval } = measured;
  const range = `${signed(excess)}, 95 % interval ${signed(interval.low)} to ${signed(interval.high)}`;
  if (interval.low > 0) {
    return {
      routing_pays: true,
      conclusion: `Routing pays here: its quality is above that of the best mix of the single models at the same cost (${range}).`,
    };
  }
  const reason =
    interval.high < 0
      ? 'a mix of the single models at the same cost is better'
      : 'it cannot be told from a mix of the single models at the same cost';
  return {
    routing_pays: false,
    conclusion: `Routing does not pay here: ${reason} (quality above the mix ${range}).`,
  };
}

/**
 * The same of a cascade, which pays if it ranks better than what is simpler: scoring the prompt alone, before any call, and the cheap model's
 * own certainty. It is worth building if the whole interval of its gain over the prompt alone lies above 0.
 */
export function cascadeSentence(measured: {
  readonly apgr?: number;
  readonly promptAlone?: Difference;
  readonly logprobAlone?: Difference;
}): Paying {
  const { apgr, promptAlone, logprobAlone } = measured;
  if (apgr === undefined || promptAlone === undefined) {
    return {
      routing_pays: false,
      conclusion: 'Whether a cascade pays cannot be said: APGR is undefined on these cases.',
    };
  }
  const range = `APGR ${apgr.toFixed(3)}, above the prompt alone by ${differenceWords(promptAlone)}`;
  if (promptAlone.low <= 0) {
    return {
      routing_pays: false,
      conclusion: `A cascade does not pay here: looking at the cheap reply cannot be told from scoring the prompt alone (${range}).`,
    };
  }
  const simpler =
    logprobAlone !== undefined && logprobAlone.low <= 0
      ? ` A limit on the reply's log-probability alone cannot be told from it (${differenceWords(logprobAlone)}).`
      : '';
  return {
    routing_pays: true,
    conclusion: `A cascade pays here: looking at the cheap reply ranks better than the prompt alone (${range}).${simpler}`,
  };
}

/** A share of a bill that is saved, with its 95 % interval. */
interface Saving {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The same of a cascade of three and more rungs, which pays if it saves something of the bill of always-strong, and says whether it is worth more than
 * its best two rungs.
 */
export function ladderCascadeSentence(measured: {
  readonly maxLoss: number;
  readonly saved?: Saving;
  readonly againstTwoRungs?: Saving & { readonly models: readonly string[] };
}): Paying {
  const { maxLoss, saved, againstTwoRungs } = measured;
  if (saved === undefined) {
    return {
      routing_pays: false,
      conclusion: 'Whether a cascade pays cannot be said: always-strong costs nothing on these cases.',
    };
  }
  const range = `${savingWords(saved)} of the bill of always-strong at a mean loss of ${maxLoss}`;
  if (saved.low <= 0) {
    return { routing_pays: false, conclusion: `A cascade does not pay here: it saves ${range}.` };
  }
  return {
    routing_pays: true,
    conclusion: `A cascade pays here: it saves ${range}.${twoRungsNote(againstTwoRungs)}`,
  };
}

function twoRungsNote(against: (Saving & { readonly models: readonly string[] }) | undefined): string {
  if (against === undefined) return '';
  const name = `the best cascade of two rungs (${against.models.join(' -> ')})`;
  const { share, low, high } = against;
  if (low > 0) return ` All its rungs are worth it: it costs ${savingWords(against)} less than ${name}.`;
  if (high < 0) {
    return ` Two rungs are cheaper: it costs ${savingWords({ share: -share, low: -high, high: -low })} more than ${name}.`;
  }
  return ` Two rungs do as well: it saves ${savingWords(against)} of the bill of ${name}.`;
}

function savingWords({ share, low, high }: Saving): string {
  return `${percent(share)} (95 % interval ${percent(low)} to ${percent(high)})`;
}

/** A difference with its 95 % interval. */
interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

function differenceWords({ difference, low, high }: Difference): string {
  return `${signed(difference)}, 95 % interval ${signed(low)} to ${signed(high)}`;
}

/**
 * For decisions without scores: whether choosing is worth anything, or a random choice of the same share would do as well.
 * @param measured mean quality above the random choice, and its lower bound if one was asked for
 */
export function choiceSentence(measured: {
  readonly excess: number;
  readonly lower?: number;
  readonly confidence?: number;
}): Paying {
  const { excess, lower, confidence } = measured;
  const than = `than a random choice of the same share (${signed(excess)} of mean quality)`;
  if (lower === undefined) {
    const better = excess > 0 ? 'better' : 'no better';
    return {
      routing_pays: false,
      conclusion: `On these cases the decisions are ${better} ${than}; no bound was asked for.`,
    };
  }
  const bound = `lower bound ${signed(lower)} at confidence ${confidence}`;
  return lower > 0
    ? { routing_pays: true, conclusion: `The decisions are better ${than}: ${bound}.` }
    : { routing_pays: false, conclusion: `The decisions are not shown to be better ${than}: ${bound}.` };
}

/** The conclusion beside a verdict: that routing pays is no PASS, so that what kept it from one is named. */
export function underVerdict(
  { routing_pays, conclusion }: Paying,
  conditions: readonly Pick<Condition, 'name' | 'verdict'>[],
): string {
  if (!routing_pays) return conclusion;
  const failed = conditions.filter(({ verdict }) => verdict === 'FAIL');
  const short = failed.length > 0 ? failed : conditions.filter(({ verdict }) => verdict === 'INCONCLUSIVE');
  if (short.length === 0) return conclusion;
  const named = short.slice(0, MOST_NAMED).map(({ name }) => name);
  const more = short.length - named.length;
  const names = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return failed.length > 0
    ? `${conclusion} The verdict is FAIL all the same, for this policy breaks a limit of the suite: ${names}.`
    : `${conclusion} The verdict is INCONCLUSIVE all the same, for these cases do not decide: ${names}.`;
}

const MOST_NAMED = 3;

/** What is simpler than a classifier and does as well should be used in its place: say so. */
function simplerNote(measured: Measured): string {
  const { apgr = 0, task_label: task, prompt_length: length, prompt_alone: prompt } = measured;
  const { logprob_alone: logprob } = measured;
  if (task?.apgr !== undefined && task.apgr >= apgr) {
    return ` A table from task label to model does as well (APGR ${task.apgr.toFixed(3)}): where your requests carry such a label, use it.`;
  }
  if (length?.apgr !== undefined && length.apgr >= apgr) {
    return ` Prompt length alone does as well (APGR ${length.apgr.toFixed(3)}): a limit on it is simpler.`;
  }
  if (prompt?.apgr !== undefined && prompt.apgr >= apgr) {
    return ` The prompt alone does as well (APGR ${prompt.apgr.toFixed(3)}): train without a cascade, and no cheap reply is paid for in vain.`;
  }
  if (logprob?.apgr !== undefined && logprob.apgr >= apgr) {
    return ` The log-probability of the cheap reply alone does as well (APGR ${logprob.apgr.toFixed(3)}): a limit on it is simpler.`;
  }
  return '';
}

function percent(value: number): string {
  return `${(100 * value).toFixed(0)} %`;
}

/** With its sign, as a difference. */
function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`;
}
