import { sha256 } from '../../../router/artifact/index.ts';
import { PlimsollError } from '../../../router/errors.ts';
import { SETS } from './sets.ts';

/** One experiment: n labelled cases of a set, and the promise that is made from them. */
export interface Setting {
  readonly set: string;
  readonly n: number;
  readonly maxQualityLoss: number;
  readonly confidence: number;
}

const SIZES = [200, 500, 1000, 2000, 5000];
const MARGINS = [0.02, 0.03, 0.05];
const CONFIDENCES = [0.9, 0.95];
const ANY = '*';

export const ALL_SETTINGS: readonly Setting[] = SETS.flatMap(({ name: set }) =>
  SIZES.flatMap((n) =>
    MARGINS.flatMap((maxQualityLoss) =>
      CONFIDENCES.map((confidence) => ({ set, n, maxQualityLoss, confidence })),
    ),
  ),
);

/** Set, n, margin and confidence, such as `routellm_mmlu/2000/0.03/0.95`. */
export function nameOf({ set, n, maxQualityLoss, confidence }: Setting): string {
  return [set, n, maxQualityLoss, confidence].join('/');
}

/**
 * The settings that one of some patterns fits; all of them without patterns.
 *
 * @param only patterns with commas between them; each a setting's name, whose parts may be `*` and may be missing from the end
 * @throws PlimsollError `invalid-input`: a pattern that fits none
 * @example chosenSettings('routellm_mmlu/2000'); // both confidences at each of three margins
 */
export function chosenSettings(only: string | undefined): readonly Setting[] {
  if (only === undefined) return ALL_SETTINGS;
  const patterns = only.split(',').map((pattern) => pattern.split('/'));
  for (const pattern of patterns) {
    if (ALL_SETTINGS.some((setting) => fits(pattern, setting))) continue;
    const message = `No setting fits '${pattern.join('/')}'. A setting is set/n/margin/confidence: ${SETS.map(({ name }) => name).join(' or ')}, ${SIZES.join(' or ')}, ${MARGINS.join(' or ')}, ${CONFIDENCES.join(' or ')}; * stands for any.`;
    throw new PlimsollError('invalid-input', message);
  }
  return ALL_SETTINGS.filter((setting) => patterns.some((pattern) => fits(pattern, setting)));
}

function fits(pattern: readonly string[], setting: Setting): boolean {
  const parts = nameOf(setting).split('/');
  return pattern.length <= parts.length && pattern.every((part, i) => part === ANY || part === parts[i]);
}

/** Each setting draws for itself, and the same whether it runs alone or with others. From 0 to 2^32 - 1. */
export function seedOf(setting: Setting, seed: number): number {
  return Number.parseInt(sha256(`${seed}/${nameOf(setting)}`).slice(0, 8), 16);
}
