import { HUMAN } from '../catalog/index.ts';
import { PlimsollError, quoted } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { conditionOf, type TextTests } from './conditions.ts';
import { openLanguages } from './language.ts';
import { openPatterns, type PatternTest } from './pattern.ts';
import type { RequestTraits, Rule, RuleAction, RuleOptions } from './rule.ts';
import { rungNamed } from './rule-options.ts';
import { unreachableRule } from './unreachable.ts';

/** Rules in the order of the configuration. */
export interface Rules {
  /** Those that name a model outside of the ladder need it in the catalog. */
  readonly all: readonly Rule[];
  /** The first that the request is as described by; undefined if none is. The same request at the same time gets the same rule. */
  find(request: RequestTraits, nowMs: number): Rule | undefined;
}

/** What rules may name. */
export interface RuleTargets {
  /** The default ladder and those of the profiles. */
  readonly ladders: readonly {
    readonly profile?: string | undefined;
    /** Names of its rungs. */
    readonly candidates: readonly string[];
  }[];
  readonly profiles: readonly string[];
  /** Names of limits. Default none. */
  readonly limits?: readonly string[];
  /** Names of people: each is a model `human/<name>`, and the only one is `human`. Default none. */
  readonly people?: readonly string[];
}

/**
 * @param field where the rules stand in the configuration
 * @throws PlimsollError `invalid-config` that names the rule: what it names does not exist, it can never fire, its pattern is invalid
 */
export async function compileRules(
  options: readonly RuleOptions[],
  targets: RuleTargets,
  field = 'rules',
): Promise<Rules> {
  const hasPatterns = options.some(({ when }) => when.matches !== undefined);
  const patternTest = hasPatterns ? await openPatterns() : undefined;
  const hasLanguages = options.some(({ when }) => when.language !== undefined);
  const languageOf = hasLanguages ? await openLanguages() : undefined;
  const rules = options.map((one, index) => {
    const at = `${field}.${index}`;
    const { matches: pattern, budgetUsed } = one.when;
    const matches = pattern === undefined ? undefined : checkedPattern(pattern, one, at, patternTest!);
    if (budgetUsed !== undefined && !targets.limits?.includes(budgetUsed.limit))
      throw noSuch('limit named', budgetUsed.limit, targets.limits ?? [], `${at}.when.budget_used.limit`);
    const rule: Rule = { name: one.name, action: actionOf(one, targets, at), field: at };
    return { rule, holds: checkedCondition(one, at, { matches, languageOf }) };
  });
  refuseUnreachable(options, field);
  return {
    all: rules.map(({ rule }) => rule),
    find: (request, nowMs) => rules.find(({ holds }) => holds(request, nowMs))?.rule,
  };
}

function checkedPattern(
  pattern: string,
  { name }: RuleOptions,
  at: string,
  patternTest: (pattern: string) => PatternTest,
): PatternTest {
  try {
    return patternTest(pattern);
  } catch {
    throw invalid(
      `${at}.when.matches`,
      `the rule "${name}" has no pattern of RE2, which takes linear time and has no look-arounds and back references: https://github.com/google/re2/wiki/Syntax`,
    );
  }
}

function checkedCondition({ name, when }: RuleOptions, at: string, tests: TextTests) {
  try {
    return conditionOf(when, tests);
  } catch {
    throw invalid(
      `${at}.when.time_zone`,
      `the time zone of the rule "${name}" is not known. Name one of the IANA database, such as Europe/Berlin`,
    );
  }
}

function actionOf(rule: RuleOptions, targets: RuleTargets, at: string): RuleAction {
  const { use, profile, atLeast, atMost, refuse } = rule;
  if (refuse !== undefined) return { kind: 'refuse', message: refuse };
  if (profile !== undefined) {
    if (targets.profiles.includes(profile)) return { kind: 'profile', profile };
    throw noSuch('profile', profile, targets.profiles, `${at}.profile`);
  }
  if (atLeast !== undefined) return { kind: 'at-least', rung: rungOf(atLeast, targets, `${at}.at_least`) };
  if (atMost !== undefined) return { kind: 'at-most', rung: rungOf(atMost, targets, `${at}.at_most`) };
  const name = use!; // one of them is there: the schema says so
  const isRung = targets.ladders.some(({ candidates }) => rungNamed(name, candidates) !== -1);
  if (!isRung && name === HUMAN)
    return { kind: 'model', model: onlyPeople(targets.people ?? [], `${at}.use`) };
  const isModel = !isRung && name.includes('/');
  if (isModel) return { kind: 'model', model: name };
  return { kind: 'rung', rung: rungOf(name, targets, `${at}.use`) };
}

/** `human`, where one part of the configuration says who that is. */
function onlyPeople(people: readonly string[], field: string): string {
  if (people.length === 1) return `${HUMAN}/${people[0]}`;
  throw invalid(
    field,
    people.length === 0
      ? '"human" needs somebody who answers: add the part people to the configuration'
      : `"human" may be any of several. Name one: ${people.map((one) => `${HUMAN}/${one}`).join(', ')}`,
  );
}

function rungOf(name: string, { ladders }: RuleTargets, field: string): string {
  for (const { profile, candidates } of ladders) {
    if (rungNamed(name, candidates) !== -1) continue;
    const where = profile === undefined ? 'rung' : `rung of the profile ${profile}`;
    throw noSuch(where, name, candidates, field);
  }
  return name;
}

function noSuch(what: string, name: string, known: readonly string[], field: string): PlimsollError {
  const near = nearestName(name, known);
  const hint = near === undefined ? `There are: ${known.join(', ') || 'none'}` : `Did you mean "${near}"?`;
  return invalid(field, `there is no ${what} "${quoted(name)}". ${hint}`);
}

function refuseUnreachable(rules: readonly RuleOptions[], field: string): void {
  const found = unreachableRule(rules);
  if (found === undefined) return;
  const { index, shadowedBy } = found;
  const { name } = rules[index]!;
  throw invalid(
    `${field}.${index}`,
    shadowedBy === undefined
      ? `the rule "${name}" can never fire: its bounds exclude each other (at_least is above at_most)`
      : `the rule "${name}" can never fire: "${shadowedBy.name}" before it takes all its requests. Put "${name}" first, or make "${shadowedBy.name}" narrower`,
  );
}

function invalid(field: string, message: string): PlimsollError {
  const end = message.endsWith('?') ? '' : '.';
  return new PlimsollError('invalid-config', `Field "${field}": ${message}${end}`, { place: { field } });
}
