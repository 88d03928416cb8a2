import type { CandidateExplanation } from './explain.ts';

/** One part of the sum behind a score, for a person to read. */
export interface Contribution {
  readonly part: string;
  /** What it adds to the logit. */
  readonly contribution: number;
}

/** All parts of the sum but the intercept, largest first: features, word pieces, pairs, and what labelled cases or the embedding add. */
export function contributionsOf(explanation: CandidateExplanation): Contribution[] {
  const { features, wordPieces, wordPairs, neighbours, embedding } = explanation;
  const parts = [
    ...features.map(({ feature, contribution }) => ({ part: feature, contribution })),
    ...wordPieces.map(({ piece, contribution }) => ({ part: `"${piece}"`, contribution })),
    ...wordPairs.map(({ pair, contribution }) => ({ part: `"${pair}"`, contribution })),
    ...(neighbours === undefined
      ? []
      : [
          {
            part: `100 nearest labelled cases, mean quality ${neighbours.vote.toFixed(3)}`,
            contribution: neighbours.contribution,
          },
        ]),
    ...(embedding === undefined ? [] : [{ part: 'embedding', contribution: embedding }]),
  ];
  return parts.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}

/** What was labelled near a text: a case by its key, or several that count together, the key of the nearest of them. */
export function nearestWords({ key, cases }: { readonly key: string; readonly cases: number }): string {
  if (cases <= 1) return key;
  return `some ${Math.max(2, Math.round(cases))} cases like ${key}`; // a case may count in parts
}
