import { hash } from 'node:crypto';
import type { Arm } from './experiment.ts';

/** The arm that a request was assigned to. */
export interface Assignment {
  readonly experiment: string;
  readonly arm: string;
  /** The profile that decides; undefined: none. */
  readonly profile: string | undefined;
  /** The probability that it had at that time. */
  readonly propensity: number;
  /** What was assigned, 16 hex digits: the arm follows from it and the weights. Says nothing of a session's or a key's name. */
  readonly unit: string;
}

const HEX_DIGITS = 16;
/** So many of them are a whole number without rounding. */
const EXACT_DIGITS = 13;

/**
 * What is assigned: SHA-256 of the experiment's name and of what requests stay together by, so that one experiment says nothing of another. The same on every
 * instance and after every restart.
 * @param parts of what is assigned: the kind, then names
 */
export function unitOf(experiment: string, ...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify([experiment, ...parts])).slice(0, HEX_DIGITS);
}

/** Uniform in [0, 1). */
export function placeOf(unit: string): number {
  return Number.parseInt(unit.slice(0, EXACT_DIGITS), 16) / 16 ** EXACT_DIGITS;
}

/** The arm in whose part of [0, 1) the unit lies; the parts follow each other in the order of the arms. @param arms whose weights sum to 1 */
export function armOf(unit: string, arms: readonly Arm[]): Arm {
  const place = placeOf(unit);
  let end = 0;
  let last: Arm | undefined;
  for (const arm of arms) {
    if (arm.weight <= 0) continue;
    end += arm.weight;
    last = arm;
    if (place < end) break;
  }
  return last!; // sums of weights may end a rounding error below 1
}
