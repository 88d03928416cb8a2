import type { Condition } from '../artifact/index.ts';
import { confidenceWords, count, type Promising, percent, points } from './figures-in-words.ts';

/** A demand in words: what may be, and how what was measured is said. */
interface Demand {
  readonly name: string;
  readonly demand: string;
  readonly measured: (value: number) => string;
  readonly format: (value: number, direction?: 'up' | 'down') => string;
}

/** The name of a condition for people: `slice/law` -> `Loss on law`. */
export function conditionName(condition: Condition): string {
  return demandOf(condition).name;
}

/**
 * A condition as one sentence: the demand, what was measured, and its bound with its confidence.
 * `At most 2.0 points of quality may be lost against always using the strongest model: 1.4 were lost, and with 95 % confidence no more than 1.9.`
 */
export function conditionSentence(condition: Condition, verdict: Promising): string {
  const { demand, measured, format } = demandOf(condition);
  const { value, further_cases: further } = condition;
  const found =
    value === null
      ? 'this could not be measured'
      : `${measured(value)}${boundWords(condition, format, confidenceWords(verdict, condition))}`;
  const more = further === undefined ? '' : ` About ${count(further)} more cases would probably decide.`;
  return `${capitalised(demand)}: ${found}.${more}`;
}

/** The demand alone, as part of a sentence: `at most 2.0 points of quality may be lost against always using the strongest model`. */
export function demandWords(condition: Condition): string {
  return demandOf(condition).demand;
}

/** The bound that the verdict rests on: of what is broken, the one that shows it. Of what was resampled, the spread. */
function boundWords(
  { verdict, bounds, limits, method }: Condition,
  format: Demand['format'],
  confidence: string,
): string {
  if (method === 'bootstrap' && bounds.lower !== null && bounds.upper !== null)
    return `; resampled, between ${format(bounds.lower, 'down')} and ${format(bounds.upper, 'up')}`;
  const isBroken = verdict === 'FAIL';
  const wantsUpper = isBroken ? limits.min !== undefined : limits.max !== undefined;
  const wantsLower = isBroken ? limits.max !== undefined : limits.min !== undefined;
  const upper = wantsUpper && bounds.upper !== null ? format(bounds.upper, 'up') : undefined;
  const lower = wantsLower && bounds.lower !== null ? format(bounds.lower, 'down') : undefined;
  if (upper === undefined) {
    return lower === undefined ? '' : `, and with ${confidence} confidence no less than ${lower}`;
  }
  const range = lower === undefined ? `no more than ${upper}` : `between ${lower} and ${upper}`;
  return `, and with ${confidence} confidence ${range}`;
}

function moreOrLess(loss: number): string {
  return loss >= 0 ? `it loses ${points(loss)} points less` : `it loses ${points(-loss)} points more`;
}

function demandOf(condition: Condition): Demand {
  const { name, limits } = condition;
  const slash = name.indexOf('/');
  const kind = slash < 0 ? name : name.slice(0, slash);
  const what = slash < 0 ? '' : name.slice(slash + 1);
  const most = (format: Demand['format']) => (limits.max === undefined ? '' : format(limits.max));
  const least = (format: Demand['format']) => (limits.min === undefined ? '' : format(limits.min));
  switch (kind) {
    case 'quality-loss':
      return {
        name: 'Quality loss',
        demand: `at most ${most(points)} points of quality may be lost against always using the strongest model`,
        measured: lossWords,
        format: points,
      };
    case 'slice':
      return {
        name: `Quality loss on ${what}`,
        demand: `at most ${most(points)} points of quality may be lost on ${what}`,
        measured: lossWords,
        format: points,
      };
    case 'silent-downgrades':
    case 'silent-downgrade':
      return {
        name: 'Much worse replies',
        demand: `at most ${most(percent)} of requests may get a much worse reply than the strongest model's`,
        measured: (value) => `${percent(value)} did`,
        format: percent,
      };
    case 'escalation-rate':
      return {
        name: 'Sent to a stronger model',
        demand: `${rangeWords(limits)} of requests may go to a stronger model than the cheapest`,
        measured: (value) => `${percent(value)} do`,
        format: percent,
      };
    case 'beats-random':
      if (condition.method === 'bootstrap')
        return {
          name: 'Better than a mix of its models',
          demand: 'as measured it must lose less quality than the best mix of its models at the same cost',
          measured: moreOrLess,
          format: points,
        };
      return {
        name: 'Better than chance',
        demand: `it must lose ${limits.min === undefined || limits.min <= 0 ? 'less quality' : `${points(limits.min)} points less`} than a random choice with the same shares`,
        measured: moreOrLess,
        format: points,
      };
    case 'hard-cases':
      return what === 'recall'
        ? {
            name: 'Hard cases found',
            demand: `at least ${least(percent)} of the hard cases must go to a stronger model`,
            measured: (value) => `${percent(value)} of the hard cases do`,
            format: percent,
          }
        : {
            name: 'Easy cases kept cheap',
            demand: `at least ${least(percent)} of the easy cases must stay with the cheaper model`,
            measured: (value) => `${percent(value)} of the easy cases stay`,
            format: percent,
          };
    case 'flip-rate':
      return {
        name: what === '' ? 'Changed by harmless edits' : `Changed by edits: ${what}`,
        demand: `at most ${most(percent)} of decisions may move to a cheaper model after a harmless edit${what && ` (${what})`}`,
        measured: (value) => `${percent(value)} do`,
        format: percent,
      };
    case 'calibration':
      return {
        name: `Probabilities of ${what}`,
        demand: `the probabilities of a good reply by ${what} may be wrong by ${most(points)} points at most`,
        measured: (value) => `on average they are wrong by ${points(value)}`,
        format: points,
      };
    default:
      return {
        name,
        demand: `${name} must be ${[limits.min === undefined ? '' : `at least ${limits.min}`, limits.max === undefined ? '' : `at most ${limits.max}`].filter(Boolean).join(' and ')}`,
        measured: (value) => `it is ${Number(value.toPrecision(4))}`,
        format: (value) => String(Number(value.toPrecision(4))),
      };
  }
}

function lossWords(value: number): string {
  return value < 0 ? `${points(-value)} were gained` : `${points(value)} were lost`;
}

function rangeWords({ min, max }: Condition['limits']): string {
  if (min === undefined) return `at most ${percent(max ?? 1)}`;
  return max === undefined ? `at least ${percent(min)}` : `between ${percent(min)} and ${percent(max)}`;
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
