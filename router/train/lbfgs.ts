import type { Objective } from './logistic-loss.ts';

/** Writes H0 . v into `out`, H0 being a positive definite guess at the inverse Hessian. */
export type Preconditioner = (v: Float64Array, out: Float64Array) => void;

export interface MinimiseOptions {
  /** Stop when the largest absolute entry of the gradient is at most this. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
}

const MEMORY = 10; // pairs kept; Nocedal and Wright advise 3 to 20
const SUFFICIENT_DECREASE = 1e-4;
const MAX_HALVINGS = 40;

interface CurvaturePair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly rho: number;
}

/**
 * L-BFGS with a preconditioner as the initial inverse Hessian (Nocedal and Wright 2006, algorithms 7.4 and 7.5) and
 * a backtracking line search. For smooth convex functions; stops early, unconverged, if rounding leaves no descent.
 */
export function minimise(
  start: Float64Array,
  objective: Objective,
  precondition: Preconditioner,
  options: MinimiseOptions,
): Minimum {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let loss = objective(x, gradient);
  let nextX = new Float64Array(x.length);
  let nextGradient = new Float64Array(x.length);
  const direction = new Float64Array(x.length);
  const pairs: CurvaturePair[] = [];
  for (let iteration = 0; iteration < options.maxIterations; iteration++) {
    if (largest(gradient) <= options.tolerance) return { x, iterations: iteration, converged: true };
    descentDirection(gradient, pairs, precondition, direction);
    const slope = dot(direction, gradient);
    let scale = 1;
    let nextLoss = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < MAX_HALVINGS; halving++, scale /= 2) {
      for (let i = 0; i < x.length; i++) nextX[i] = x[i]! + scale * direction[i]!;
      nextLoss = objective(nextX, nextGradient);
      if (nextLoss <= loss + SUFFICIENT_DECREASE * scale * slope) break;
    }
    if (!(nextLoss < loss)) return { x, iterations: iteration, converged: false };
    remember(pairs, difference(nextX, x), difference(nextGradient, gradient));
    [x, nextX] = [nextX, x];
    [gradient, nextGradient] = [nextGradient, gradient];
    loss = nextLoss;
  }
  return { x, iterations: options.maxIterations, converged: largest(gradient) <= options.tolerance };
}

/** The two-loop recursion: out = -H . gradient. */
function descentDirection(
  gradient: Float64Array,
  pairs: readonly CurvaturePair[],
  precondition: Preconditioner,
  out: Float64Array,
): void {
  const q = gradient.slice();
  const alphas = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { step, change, rho } = pairs[k]!;
    alphas[k] = rho * dot(step, q);
    addScaled(q, -alphas[k]!, change);
  }
  precondition(q, out);
  const scale = pairs.length > 0 ? curvatureScale(pairs[pairs.length - 1]!, precondition) : 1;
  for (let i = 0; i < out.length; i++) out[i]! *= scale;
  for (let k = 0; k < pairs.length; k++) {
    const { step, change, rho } = pairs[k]!;
    addScaled(out, alphas[k]! - rho * dot(change, out), step);
  }
  for (let i = 0; i < out.length; i++) out[i] = -out[i]!;
}

/** How far H0 over- or underestimates the inverse curvature along the last step: s.y / y.H0 y (their equation 7.20). */
function curvatureScale({ change, rho }: CurvaturePair, precondition: Preconditioner): number {
  const mapped = new Float64Array(change.length);
  precondition(change, mapped);
  return 1 / (rho * dot(change, mapped));
}

function remember(pairs: CurvaturePair[], step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (!(curvature > 0)) return; // rounding: a pair without positive curvature would spoil the estimate
  pairs.push({ step, change, rho: 1 / curvature });
  if (pairs.length > MEMORY) pairs.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function addScaled(into: Float64Array, scale: number, values: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += scale * values[i]!;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i]! - b[i]!;
  return out;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
