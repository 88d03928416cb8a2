import { isWithin } from './conditions.ts';
import { DAYS, type Hours, type Range, type RuleConditions, type RuleOptions } from './rule.ts';

/** A rule that no request can reach. */
export interface UnreachableRule {
  readonly index: number;
  /** The earlier rule that takes all its requests; undefined if its own conditions exclude each other. */
  readonly shadowedBy: RuleOptions | undefined;
}

/**
 * The first rule that can never fire: its own bounds exclude each other, or one earlier rule holds whenever it does. What several earlier rules
 * take only together is not found.
 */
export function unreachableRule(rules: readonly RuleOptions[]): UnreachableRule | undefined {
  for (const [index, { when }] of rules.entries()) {
    if (excludesItself(when)) return { index, shadowedBy: undefined };
    const shadowedBy = rules.slice(0, index).find((earlier) => isImplied(earlier.when, when));
    if (shadowedBy !== undefined) return { index, shadowedBy };
  }
  return undefined;
}

function excludesItself({ characters, tokens, budgetUsed, sessionAge }: RuleConditions): boolean {
  return [characters, tokens, budgetUsed, sessionAge?.turns, sessionAge?.minutes].some(
    (range) => range !== undefined && lowest(range) > highest(range),
  );
}

const lowest = ({ atLeast = 0 }: Range) => atLeast;
const highest = ({ atMost = Number.POSITIVE_INFINITY }: Range) => atMost;

/** Whether every request that is as `narrow` says is as `wide` says, as far as their conditions show. */
function isImplied(wide: RuleConditions, narrow: RuleConditions): boolean {
  return (
    isModelImplied(wide.model, narrow.model) &&
    isAmong(wide.task, narrow.task) &&
    (wide.taskProbability ?? 0) <= (narrow.taskProbability ?? 0) &&
    isAmong(wide.tag, narrow.tag) &&
    isAmong(wide.key, narrow.key) &&
    Object.entries(wide.header ?? {}).every(([name, values]) => isAmong(values, ownValues(narrow, name))) &&
    isInside(wide.characters, narrow.characters) &&
    isInside(wide.tokens, narrow.tokens) &&
    isSame(wide.tools, narrow.tools) &&
    isSame(wide.images, narrow.images) &&
    isSame(wide.matches, narrow.matches) &&
    isAmong(wide.language, narrow.language) &&
    isBudgetImplied(wide.budgetUsed, narrow.budgetUsed) &&
    isAgeImplied(wide.sessionAge, narrow.sessionAge) &&
    isTimeImplied(wide, narrow)
  );
}

const isSame = <T>(wide: T | undefined, narrow: T | undefined) => wide === undefined || wide === narrow;

function isAmong(wide: readonly string[] | undefined, narrow: readonly string[] | undefined): boolean {
  return wide === undefined || (narrow?.every((one) => wide.includes(one)) ?? false);
}

function ownValues({ header = {} }: RuleConditions, name: string): readonly string[] | undefined {
  return Object.hasOwn(header, name) ? header[name] : undefined;
}

/** Names that are always routed; an alias or a model may not be. */
const ROUTED = /^(?:auto(?::.*)?|router-.*)$/;

/** A rule without models takes what is routed, not what is asked for by the name of a model. */
function isModelImplied(wide: readonly string[] | undefined, narrow: readonly string[] | undefined): boolean {
  if (wide !== undefined) return isAmong(wide, narrow);
  return narrow?.every((model) => ROUTED.test(model)) ?? true;
}

function isInside(wide: Range | undefined, narrow: Range | undefined): boolean {
  if (wide === undefined) return true;
  const inner = narrow ?? {};
  return lowest(inner) >= lowest(wide) && highest(inner) <= highest(wide);
}

function isBudgetImplied(wide: RuleConditions['budgetUsed'], narrow: RuleConditions['budgetUsed']): boolean {
  return isInside(wide, narrow?.limit === wide?.limit ? narrow : undefined);
}

/** A request without a session has no age. */
function isAgeImplied(wide: RuleConditions['sessionAge'], narrow: RuleConditions['sessionAge']): boolean {
  if (wide === undefined) return true;
  return narrow !== undefined && isInside(wide.turns, narrow.turns) && isInside(wide.minutes, narrow.minutes);
}

const MINUTES = Array.from({ length: 1_440 }, (_, minute) => minute);

function isTimeImplied(wide: RuleConditions, narrow: RuleConditions): boolean {
  if (wide.days === undefined && wide.hours === undefined) return true;
  const isOneZone = (wide.timeZone ?? 'UTC') === (narrow.timeZone ?? 'UTC');
  const hasDays = isAmong(wide.days ?? DAYS, narrow.days ?? DAYS);
  return isOneZone && hasDays && hasHours(wide.hours, narrow.hours);
}

function hasHours(wide: Hours | undefined, narrow: Hours | undefined): boolean {
  if (wide === undefined) return true;
  return MINUTES.every(
    (minute) => isWithin(wide, minute) || (narrow !== undefined && !isWithin(narrow, minute)),
  );
}
