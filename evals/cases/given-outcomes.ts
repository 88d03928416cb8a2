import type { Rung } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { Outcome } from '../../router/types.ts';
import type { Case } from './case.ts';

/** What the operator says about candidates, by model: people above all, whose replies no case has. The same on every case. */
export type GivenOutcomes = ReadonlyMap<string, Outcome>;

/** Those that the rungs of a ladder have. */
export function givenOutcomes(ladder: readonly Rung[]): GivenOutcomes {
  return new Map(
    ladder.flatMap(({ model, given }) => {
      if (given === undefined) return [];
      const { quality, cost_usd: costUsd } = given;
      return [[model, { quality, ...(costUsd !== undefined && { costUsd }) }]];
    }),
  );
}

/** The models whose outcomes have to be in the data. @throws PlimsollError `invalid-input` if fewer than one is left */
export function labelledModels(models: readonly string[], given: GivenOutcomes): readonly string[] {
  const unknown = [...given.keys()].find((model) => !models.includes(model));
  if (unknown !== undefined)
    throw new PlimsollError('invalid-input', `A quality is given for ${unknown}, which is no candidate.`);
  const labelled = models.filter((model) => !given.has(model));
  if (labelled.length > 0) return labelled;
  throw new PlimsollError(
    'invalid-input',
    'The quality of every candidate is given: there is nothing to learn or to prove. One at least needs labels.',
  );
}

/** The cases with these outcomes beside their labels; those without any label stay so. */
export function withGivenOutcomes(cases: readonly Case[], given: GivenOutcomes): readonly Case[] {
  if (given.size === 0) return cases;
  return cases.map((one) =>
    one.outcomes.size === 0 ? one : { ...one, outcomes: new Map([...one.outcomes, ...given]) },
  );
}

/** For reports; undefined if nothing is given. */
export function givenSentence(given: GivenOutcomes): string | undefined {
  if (given.size === 0) return undefined;
  const each = [...given].map(([model, { quality, costUsd }]) => {
    const cost = costUsd === undefined ? '' : ` at $${costUsd} a reply`;
    return `${model} has the quality ${quality}${cost}`;
  });
  return `by the operator's word ${each.join(', and ')} on every case: no label and no interval stands behind it`;
}
