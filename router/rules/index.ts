/** Rules before the classifier: what is known about a request -> the rule that fires, and what it does. Pure functions. */
export { compileRules, type Rules } from './compile-rules.ts';
export { timeTest } from './conditions.ts';
export { RULE_LANGUAGES } from './language.ts';
export { DAYS, type RequestTraits, type Rule, type RuleOptions } from './rule.ts';
export { boundedRungs, modelOfRule, rungNamed, withRule } from './rule-options.ts';
