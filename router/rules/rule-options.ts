import { PlimsollError } from '../errors.ts';
import type { Rule } from './rule.ts';

/** What a rule changes of how a request is routed. */
export interface RuledOptions {
  readonly rule?: Rule;
  readonly profile?: string;
}

/**
 * Options with a rule that fired, and the profile that it names in place of the request's.
 * @throws PlimsollError `refused-by-rule` if the rule refuses the request
 */
export function withRule<Options extends RuledOptions>(options: Options, rule: Rule): Options {
  const { name, action } = rule;
  if (action.kind === 'refuse')
    throw new PlimsollError('refused-by-rule', action.message, { place: { rule: name } });
  if (action.kind === 'profile') return { ...options, rule, profile: action.profile };
  return { ...options, rule };
}

/** The ends of any ladder, whatever its candidates are called. */
const [CHEAPEST, STRONGEST] = ['cheapest', 'strongest'];

/** The rung of a name: a candidate, or the `cheapest` or `strongest` one; -1 if there is none. */
export function rungNamed(name: string, candidates: readonly string[]): number {
  const own = candidates.indexOf(name);
  if (own !== -1) return own;
  if (name === CHEAPEST) return 0;
  return name === STRONGEST ? candidates.length - 1 : -1;
}

/**
 * The rungs that a rule leaves to choose among; undefined if it leaves all.
 * @param candidates names of the rungs, cheapest first
 * @param allowed ascending; undefined if all rungs can take the request
 * @throws PlimsollError `invalid-input` if none of them can take the request
 */
export function boundedRungs(
  { name, action }: Rule,
  candidates: readonly string[],
  allowed: readonly number[] | undefined,
): readonly number[] | undefined {
  if (action.kind !== 'at-least' && action.kind !== 'at-most' && action.kind !== 'rung') return undefined;
  const all = allowed ?? candidates.map((_, rung) => rung);
  const bound = rungNamed(action.rung, candidates); // there: it was checked when the rules were read
  const isLeft = (rung: number) => (action.kind === 'at-most' ? rung <= bound : rung >= bound);
  const left = all.filter(isLeft);
  if (left.length > 0) return left;
  throw new PlimsollError(
    'invalid-input',
    `No candidate that the rule "${name}" leaves can take this request. Send less, or name a model that can, as <provider>/<model>.`,
    { place: { field: 'model', rule: name } },
  );
}

/**
 * The model that a rule asks for: the one that it names, or that of the rung that it names or begins with; undefined if it names neither.
 * @param ladder cheapest first
 */
export function modelOfRule(
  { action }: Rule,
  ladder: readonly { readonly candidate: string; readonly model: string }[],
): string | undefined {
  if (action.kind === 'model') return action.model;
  if (action.kind !== 'rung' && action.kind !== 'at-least') return undefined;
  const candidates = ladder.map(({ candidate }) => candidate);
  return ladder[rungNamed(action.rung, candidates)]?.model;
}
