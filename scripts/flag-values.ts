import { InvalidArgumentError } from 'commander';
import { type Config, type ConfigOverrides, loadConfig } from '../router/config/index.ts';
import { PlimsollError } from '../router/errors.ts';

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

/** A time given by a flag; now if it is left out. @throws PlimsollError `invalid-input`, naming the flag */
export function isoTime(flag: string, text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new PlimsollError(
    'invalid-input',
    `${flag} must be an ISO time such as 2026-01-31T12:00:00Z, not "${text}".`,
  );
}

/** Flags of the commands that read a configuration, which override it. */
export interface ConfigFlags extends Omit<ConfigOverrides, 'defaultPolicy'> {
  readonly config?: string;
  readonly policy?: string;
}

export function configFromFlags({
  config,
  policy,
  artifact,
  allowUngated,
  host,
  port,
  logLevel,
}: ConfigFlags): Config {
  const overrides: ConfigOverrides = { artifact, defaultPolicy: policy, allowUngated, host, port, logLevel };
  return loadConfig(config, process.env, overrides);
}
