import { PlimsollError } from '../../router/errors.ts';
import { type Case, replyOf } from './case.ts';

/** The models of a cascade whose replies are judged: all but the strongest. @param models cheapest first */
export function checkedModels(models: readonly string[]): readonly string[] {
  return models.slice(0, -1);
}

/** Whether something is known of each reply that a cascade of these models would judge. @param models cheapest first */
export function hasReplies(one: Case, models: readonly string[]): boolean {
  return checkedModels(models).every((model) => replyOf(one, model) !== undefined);
}

/**
 * A cascade judges the replies of all models but the strongest, and something must be known of them.
 * @param cases loaded with `keepReplies`
 * @throws PlimsollError `insufficient-data` if nothing is known of any, naming the models of whose replies something is
 */
export function requireKnownReplies(cases: readonly Case[], model: string): void {
  if (cases.some((one) => replyOf(one, model) !== undefined)) return;
  const others = new Set(
    cases.flatMap((one) => [...one.outcomes.keys()].filter((other) => replyOf(one, other) !== undefined)),
  );
  const instead =
    others.size === 0 ? '' : ` They do of ${[...others].join(', ')}, which says nothing of ${model}.`;
  throw new PlimsollError(
    'insufficient-data',
    `No case says anything of the replies of ${model}, and a cascade judges them.${instead} Give outcomes.${model} at least one of answer (the text), confidence_logprob and signals.`,
  );
}
