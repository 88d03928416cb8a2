import type { PlattScaling } from '../classifier/index.ts';
import { PlimsollError } from '../errors.ts';
import { softplus } from './logistic-loss.ts';

const MAX_STEPS = 100;
const TOLERANCE = 1e-10;
/** Where the logits are far from 0 the curvature vanishes, and a Newton step may be too long by many orders of magnitude. */
const MAX_HALVINGS = 100;
/** Keeps the Newton step defined if the logits separate the labels, and the slope finite. */
const RIDGE = 1e-6;

/**
 * Platt scaling of one head on calibration cases: the two-parameter logistic fit of soft labels on logits (Platt
 * 1999; Newton steps as in Lin, Lin and Weng 2007). Labels are taken as they are: with soft labels there are no
 * counts of two classes to smooth by.
 * @param logits one a case; @param labels 0..1, one a case; @param weights at least 0, one a case.
 * @throws PlimsollError `insufficient-data` if the labels are all 0 or all 1.
 */
export function fitPlatt(
  logits: Float64Array,
  labels: Float64Array,
  weights: Float64Array = new Float64Array(labels.length).fill(1),
): PlattScaling {
  if (labels.every((y) => y === 0) || labels.every((y) => y === 1)) {
    throw new PlimsollError(
      'insufficient-data',
      'The calibration cases of one candidate are all good or all bad: its probabilities cannot be calibrated. Add labelled cases.',
    );
  }
  let slope = 1;
  let offset = 0;
  let loss = plattLoss(logits, labels, weights, slope, offset);
  for (let step = 0; step < MAX_STEPS; step++) {
    const move = newtonStep(logits, labels, weights, slope, offset);
    const lossAfter = (scale: number) =>
      plattLoss(logits, labels, weights, slope - scale * move.slope, offset - scale * move.offset);
    let scale = 1;
    let next = lossAfter(scale);
    for (let halving = 0; !(next <= loss) && halving < MAX_HALVINGS; halving++) {
      scale /= 2;
      next = lossAfter(scale);
    }
    if (!(next <= loss)) break;
    slope -= scale * move.slope;
    offset -= scale * move.offset;
    if (loss - next <= TOLERANCE * (1 + Math.abs(loss))) break;
    loss = next;
  }
  return { slope, offset };
}

function plattLoss(z: Float64Array, y: Float64Array, w: Float64Array, slope: number, offset: number): number {
  let loss = 0;
  for (let i = 0; i < z.length; i++) {
    const t = slope * z[i]! + offset;
    loss += w[i]! * (softplus(t) - y[i]! * t);
  }
  return loss + (RIDGE / 2) * (slope * slope + offset * offset);
}

function newtonStep(
  z: Float64Array,
  y: Float64Array,
  w: Float64Array,
  slope: number,
  offset: number,
): PlattScaling {
  let gs = RIDGE * slope;
  let go = RIDGE * offset;
  let hss = RIDGE;
  let hso = 0;
  let hoo = RIDGE;
  for (let i = 0; i < z.length; i++) {
    const p = 1 / (1 + Math.exp(-(slope * z[i]! + offset)));
    const residual = w[i]! * (p - y[i]!);
    const curvature = w[i]! * p * (1 - p);
    gs += residual * z[i]!;
    go += residual;
    hss += curvature * z[i]! * z[i]!;
    hso += curvature * z[i]!;
    hoo += curvature;
  }
  const determinant = hss * hoo - hso * hso;
  return { slope: (hoo * gs - hso * go) / determinant, offset: (hss * go - hso * gs) / determinant };
}
