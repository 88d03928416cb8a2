import type { Case } from './case.ts';
import { shownName } from './shown-name.ts';

/**
 * One line if a ladder goes against the cases' own prices or qualities: a rung costs more than one above it, or answers better. None
 * if all is in order. Two rungs are compared on the cases where both are known.
 *
 * @param models cheapest first, as the ladder has them
 */
export function ladderNotes(cases: readonly Case[], models: readonly string[]): string[] {
  const faults = models.flatMap((lower, rung) =>
    models
      .slice(rung + 1)
      .flatMap((upper) => [
        ...fault(
          cases,
          lower,
          upper,
          'costUsd',
          (less, more) =>
            `${shownName(lower)} costs more than ${shownName(upper)} ($${more} against $${less} a case)`,
        ),
        ...fault(
          cases,
          lower,
          upper,
          'quality',
          (less, more) =>
            `${shownName(lower)} answers better than ${shownName(upper)} (mean quality ${more} against ${less})`,
        ),
      ]),
  );
  if (faults.length === 0) return [];
  return [
    `Warning: the ladder is in another order than the data: ${faults.join('; ')}. Name the models cheapest first, and check prices and labels.`,
  ];
}

function fault(
  cases: readonly Case[],
  lower: string,
  upper: string,
  field: 'costUsd' | 'quality',
  words: (less: string, more: string) => string,
): string[] {
  let [below, above, n] = [0, 0, 0];
  for (const { outcomes } of cases) {
    const [one, other] = [outcomes.get(lower)?.[field], outcomes.get(upper)?.[field]];
    if (one === undefined || other === undefined) continue;
    below += one;
    above += other;
    n += 1;
  }
  if (n === 0 || below <= above) return [];
  const [less, more] = [above / n, below / n];
  return [words(figure(less), figure(more))];
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
