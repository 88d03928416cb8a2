import type { Condition, Manifest } from '../../../router/artifact/index.ts';
import { PlimsollError } from '../../../router/errors.ts';
import { chooseThreshold } from '../../threshold/index.ts';
import type { Subject } from './subject.ts';

/** Two steps of the certified walk: training adds up in float64 and the graph in float32, which may move a case across a step. */
const TOLERANCE = 0.002;

/**
 * The threshold is the one that its rule gives on the calibration cases, found again with the artifact's own graph. Sealed cases
 * show a threshold that is too loose; this one shows any other, and a classifier that was changed after it was set.
 */
export function asCalibratedCondition(
  { threshold, calibration }: Subject,
  rule: Manifest['policy']['chosen_by'],
): Condition[] {
  if (calibration === undefined || rule.rule === 'fixed-threshold') return [];
  const found = thresholdAgain(calibration, rule);
  const limits = { min: threshold - TOLERANCE, max: threshold + TOLERANCE };
  const same = found !== undefined && found >= limits.min && found <= limits.max;
  return [
    {
      name: 'as-calibrated',
      verdict: same ? 'PASS' : 'FAIL',
      value: found ?? null,
      bounds: { lower: null, upper: null },
      limits,
      confidence: 1,
      method: 'set again',
      n: calibration.quality[0]!.length,
      ...(found === undefined && {
        note: 'nothing cheaper than always-strong can be certified on these cases',
      }),
    },
  ];
}

function thresholdAgain(
  calibration: NonNullable<Subject['calibration']>,
  rule: Exclude<Manifest['policy']['chosen_by'], { rule: 'fixed-threshold' }>,
): number | undefined {
  try {
    return chooseThreshold(calibration, rule).threshold;
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'insufficient-data') return undefined;
    throw error;
  }
}
