import { InvalidArgumentError } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { UsageError } from './usage-error.ts';

/** Commander's parsers of values: what they refuse is wrong usage. */
export function share(text: string): number {
  return numberBetween(0, 1)(text);
}

export function numberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a number from ${low} to ${high}.`);
  };
}

export function wholeNumberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `12h` or `7d`. */
export function hoursOrDays(text: string): number {
  const [, count, unit] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  if (Number(count) > 0) return Number(count) * UNITS_MS[unit!]!;
  throw new InvalidArgumentError('It must be hours or days, such as 12h or 7d.');
}

/** A parser of the library as one of commander's. */
export function usage<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof PlimsollError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** A time given by a flag; now if it is left out. @throws UsageError naming the flag */
export function isoTime(flag: string, text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(`${flag} must be an ISO time such as 2026-01-31T12:00:00Z, not "${text}".`);
}

/** The models of `--ladder`, cheapest first. @throws UsageError for fewer than two, or one of them twice */
export function ladderFrom(text: string): string[] {
  const models = text.split(',').map((model) => model.trim());
  if (models.length >= 2 && !models.includes('') && new Set(models).size === models.length) return models;
  throw new UsageError(
    `--ladder takes two or more models, cheapest first, each once, with commas between: small,large, not ${JSON.stringify(text)}.`,
  );
}
