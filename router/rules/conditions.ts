import type { LanguageTest } from './language.ts';
import { type LocalTime, localClock } from './local-time.ts';
import type { PatternTest } from './pattern.ts';
import type { Hours, Range, RequestTraits, RuleConditions } from './rule.ts';

/** What is asked of a text. */
export interface TextTests {
  /** The pattern of the conditions. */
  readonly matches?: PatternTest | undefined;
  readonly languageOf?: LanguageTest | undefined;
}

type Condition = (request: RequestTraits, nowMs: number) => boolean;

/**
 * Whether a request is as the conditions say. What is cheap is looked at first; what reads the text, last.
 * @param tests of the text, if the conditions need them
 * @throws RangeError if the time zone is not known
 */
export function conditionOf(when: RuleConditions, { matches, languageOf }: TextTests): Condition {
  const all = [
    ...namedConditions(when),
    ...timeConditions(when),
    ...sizeConditions(when),
    ...usageConditions(when),
    ...taskConditions(when),
  ];
  const { language } = when;
  if (language && languageOf) all.push(({ text }) => language.includes(languageOf(text() ?? '')));
  if (matches) all.push(({ text }) => matches(text() ?? ''));
  return (request, nowMs) => all.every((holds) => holds(request, nowMs));
}

function namedConditions({ tag, key, model, header }: RuleConditions): Condition[] {
  const all: Condition[] = [];
  // Who names a model gets it, unless a rule speaks of that very name.
  if (model === undefined) all.push(({ isExplicit }) => !isExplicit);
  else all.push((request) => request.model !== undefined && model.includes(request.model));
  if (tag) all.push(({ tags }) => tags.some((one) => tag.includes(one)));
  if (key) all.push(({ keyId }) => keyId !== undefined && key.includes(keyId));
  for (const [name, values] of Object.entries(header ?? {})) {
    all.push(({ headers }) => headerValues(headers, name).some((value) => values.includes(value)));
  }
  return all;
}

/** The client's word counts; where it says nothing, what its text looks like. */
function taskConditions({ task, taskProbability = 0 }: RuleConditions): Condition[] {
  if (task === undefined) return [];
  return [
    ({ task: named, predictedTask }) => {
      if (named !== undefined) return task.includes(named);
      const predicted = predictedTask?.();
      return (
        predicted !== undefined && predicted.probability >= taskProbability && task.includes(predicted.task)
      );
    },
  ];
}

function headerValues(headers: RequestTraits['headers'], name: string): readonly string[] {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function timeConditions(when: RuleConditions): Condition[] {
  if (when.days === undefined && when.hours === undefined) return [];
  const isThen = timeTest(when);
  return [(_, nowMs) => isThen(nowMs)];
}

/**
 * Whether a time is on one of the days and within the hours; what is left out does not matter. Without a time zone in UTC.
 * @throws RangeError if the time zone is not known
 */
export function timeTest({
  days,
  hours,
  timeZone = 'UTC',
}: Pick<RuleConditions, 'days' | 'hours' | 'timeZone'>): (nowMs: number) => boolean {
  const clock = localClock(timeZone);
  return (nowMs) => {
    const { day, minute }: LocalTime = clock(nowMs);
    return (days?.includes(day) ?? true) && (hours === undefined || isWithin(hours, minute));
  };
}

/** Whether a minute of the day is within the hours, which may go over midnight. */
export function isWithin({ from, to }: Hours, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

function sizeConditions({ tools, images, tokens, characters }: RuleConditions): Condition[] {
  const all: Condition[] = [];
  if (tools !== undefined) all.push(({ needs }) => needs().tools === tools);
  if (images !== undefined) all.push(({ needs }) => needs().images === images);
  if (tokens) all.push(({ needs }) => isInRange(needs().inputTokens, tokens));
  if (characters) all.push(({ text }) => isInRange(text()?.length ?? 0, characters));
  return all;
}

function usageConditions({ budgetUsed, sessionAge }: RuleConditions): Condition[] {
  const all: Condition[] = [];
  if (sessionAge) {
    const { turns = ANY, minutes = ANY } = sessionAge;
    all.push(({ sessionAge: ageOf }) => {
      const age = ageOf?.();
      return age !== undefined && isInRange(age.turns, turns) && isInRange(age.minutes, minutes);
    });
  }
  if (budgetUsed) all.push(({ budgetUsed: used }) => isInRange(used?.(budgetUsed.limit) ?? 0, budgetUsed));
  return all;
}

const ANY: Range = {};

function isInRange(value: number, { atLeast = 0, atMost = Number.POSITIVE_INFINITY }: Range): boolean {
  return value >= atLeast && value <= atMost;
}
