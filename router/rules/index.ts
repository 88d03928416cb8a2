/** Rules before the classifier: what is known of a request -> the rule that fires, and what it does. Pure functions. */
export { compileRules, type Rules } from './compile-rules.ts';
export { DAYS, type RequestTraits, type Rule, type RuleOptions } from './rule.ts';
export { boundedRungs, withRule } from './rule-options.ts';
