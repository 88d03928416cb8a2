import { sha256 } from '../../../router/artifact/index.ts';
import { PlimsollError } from '../../../router/errors.ts';

/** One experiment: n labelled cases of a set, and the guarantee derived from them. */
export interface Setting {
  readonly set: string;
  readonly n: number;
  readonly maxQualityLoss: number;
  readonly confidence: number;
}

/** How often a setting is sampled, and from which seed. */
export interface Repeats {
  readonly resamples: number;
  readonly seed: number;
}

/** A public set of labelled cases, and the two models to route between. */
export interface PublicSet {
  readonly name: string;
  /** In the folder given by --data; see training-data/sources.json. */
  readonly file: string;
  readonly cheap: string;
  readonly strong: string;
}

/** Two learnable sets with different tasks and different quality gaps. */
export const SETS: readonly PublicSet[] = [
  {
    name: 'routellm_mmlu',
    file: 'routellm_mmlu.jsonl.gz',
    cheap: 'mixtral-8x7b-instruct-v0.1',
    strong: 'gpt-4-1106-preview',
  },
  {
    name: 'rational_cascades',
    file: 'rational_cascades.jsonl.gz',
    cheap: 'llama3.1-8b',
    strong: 'llama3.1-405b',
  },
];

const SIZES = [200, 500, 1000, 2000, 5000];
const MARGINS = [0.02, 0.03, 0.05];
const CONFIDENCES = [0.9, 0.95];
const ANY = '*';

const ALL_SETTINGS: readonly Setting[] = SETS.flatMap(({ name: set }) =>
  SIZES.flatMap((n) =>
    MARGINS.flatMap((maxQualityLoss) =>
      CONFIDENCES.map((confidence) => ({ set, n, maxQualityLoss, confidence })),
    ),
  ),
);

/** Set, n, margin and confidence, such as `routellm_mmlu/2000/0.03/0.95`. */
export function settingName({ set, n, maxQualityLoss, confidence }: Setting): string {
  return [set, n, maxQualityLoss, confidence].join('/');
}

/**
 * The settings that match any of the patterns; without patterns, all of them.
 *
 * @param only patterns separated by commas: each a setting's name, whose parts may be `*` and may be omitted from the end
 * @throws PlimsollError `invalid-input`: a pattern without a match
 * @example selectSettings('routellm_mmlu/2000'); // both confidences at each of three margins
 */
export function selectSettings(only: string | undefined): readonly Setting[] {
  if (only === undefined) return ALL_SETTINGS;
  const patterns = only.split(',').map((pattern) => pattern.split('/'));
  for (const pattern of patterns) {
    if (ALL_SETTINGS.some((setting) => matches(pattern, setting))) continue;
    const message = `No setting fits '${pattern.join('/')}'. A setting is set/n/margin/confidence: ${SETS.map(({ name }) => name).join(' or ')}, ${SIZES.join(' or ')}, ${MARGINS.join(' or ')}, ${CONFIDENCES.join(' or ')}; * stands for any.`;
    throw new PlimsollError('invalid-input', message);
  }
  return ALL_SETTINGS.filter((setting) => patterns.some((pattern) => matches(pattern, setting)));
}

function matches(pattern: readonly string[], setting: Setting): boolean {
  const parts = settingName(setting).split('/');
  return pattern.length <= parts.length && pattern.every((part, i) => part === ANY || part === parts[i]);
}

/** Each setting has its own seed, whether it runs alone or with others. From 0 to 2^32 - 1. */
export function settingSeed(setting: Setting, seed: number): number {
  return Number.parseInt(sha256(`${seed}/${settingName(setting)}`).slice(0, 8), 16);
}
