import { type LocalTime, localClock } from './local-time.ts';
import type { PatternTest } from './pattern.ts';
import type { Hours, Range, RequestTraits, RuleConditions } from './rule.ts';

type Condition = (request: RequestTraits, nowMs: number) => boolean;

/**
 * Whether a request is as the conditions say. What is cheap is looked at first; what reads the text, last.
 * @param matches the test of the conditions' pattern, if they have one
 * @throws RangeError if the time zone is not known
 */
export function conditionOf(when: RuleConditions, matches: PatternTest | undefined): Condition {
  const all = [...namedConditions(when), ...timeConditions(when), ...sizeConditions(when)];
  if (matches) all.push(({ text }) => matches(text() ?? ''));
  return (request, nowMs) => all.every((holds) => holds(request, nowMs));
}

function namedConditions({ task, tag, key, model, header }: RuleConditions): Condition[] {
  const all: Condition[] = [];
  // Who names a model gets it, unless a rule speaks of that very name.
  if (model === undefined) all.push(({ isExplicit }) => !isExplicit);
  else all.push((request) => request.model !== undefined && model.includes(request.model));
  if (task) all.push((request) => request.task !== undefined && task.includes(request.task));
  if (tag) all.push(({ tags }) => tags.some((one) => tag.includes(one)));
  if (key) all.push(({ keyId }) => keyId !== undefined && key.includes(keyId));
  for (const [name, values] of Object.entries(header ?? {})) {
    all.push(({ headers }) => headerValues(headers, name).some((value) => values.includes(value)));
  }
  return all;
}

function headerValues(headers: RequestTraits['headers'], name: string): readonly string[] {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function timeConditions({ days, hours, timeZone }: RuleConditions): Condition[] {
  if (days === undefined && hours === undefined) return [];
  const clock = localClock(timeZone ?? 'UTC');
  return [
    (_, nowMs) => {
      const { day, minute }: LocalTime = clock(nowMs);
      return (days?.includes(day) ?? true) && (hours === undefined || isWithin(hours, minute));
    },
  ];
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

function isInRange(value: number, { atLeast = 0, atMost = Number.POSITIVE_INFINITY }: Range): boolean {
  return value >= atLeast && value <= atMost;
}
