import type { Condition } from './verdict.ts';

/** A condition with all that its verdict rests on, for a person. What is undefined is called so. */
export function conditionWords({
  name,
  verdict,
  value,
  bounds,
  limits,
  n,
  further_cases: further,
  note,
}: Condition): string {
  const limit = [
    ...(limits.min === undefined ? [] : [`at least ${limits.min}`]),
    ...(limits.max === undefined ? [] : [`at most ${limits.max}`]),
  ];
  const figures = [
    `value ${numberWords(value)}`,
    `bounds ${boundWords(bounds.lower, limits)} to ${boundWords(bounds.upper, limits)}`,
    `limit ${limit.join(' and ') || 'none'}`,
    `n ${n}`,
    ...(further === undefined ? [] : [`about ${further} further cases would decide`]),
    ...(note === undefined ? [] : [note]),
  ];
  return `${name} is ${verdict}: ${figures.join(', ')}`;
}

function numberWords(value: number | null, digits = 4): string {
  return value === null ? 'undefined' : String(Number(value.toPrecision(digits)));
}

/** With so many digits that a bound which misses its limit does not look like it. */
function boundWords(bound: number | null, { min, max }: Condition['limits']): string {
  const short = numberWords(bound);
  return [min, max].some((limit) => limit !== bound && Number(short) === limit)
    ? numberWords(bound, 9)
    : short;
}
