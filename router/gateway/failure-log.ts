import { safeError } from '../errors.ts';
import type { FallbackEvent } from '../fallback/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FailedValidation } from './validators.ts';

type LoggedFailure = Extract<FallbackEvent, { kind: 'operator-fault' | 'unreachable' }>;

/** The same fault of the same model is logged at most once in this time. */
const LOG_EVERY_MS = 60_000;

/** What is wrong, after the model's name, and how to fix it. */
const WORDS: Readonly<Record<LoggedFailure['failure'], string>> = {
  'skipped-no-key': 'was not called, because the key of its provider is not set',
  auth: 'refuses the key of its provider',
  'quota-exhausted':
    'does not answer because the budget or quota at its provider is used up: add credit, or raise the limit there',
  'model-missing': 'does not exist at its provider',
  'tls-untrusted':
    'was not asked: the certificate of its provider is not signed by anybody trusted here. Set NODE_EXTRA_CA_CERTS to your own CA',
  'tls-host-name': 'was not asked: the certificate of its provider is for another host. Check base_url',
  'tls-expired':
    'was not asked: the certificate of its provider is out of its time. Renew it, or set the clock of this machine',
  tls: 'was not asked: TLS with its provider failed. Check base_url',
  dns: 'cannot be reached: the host name of its provider does not resolve',
  'connect-refused': 'cannot be reached: its provider refuses the connection',
  'connect-timeout': 'cannot be reached: no connection to its provider in time',
  connect: 'cannot be reached: no connection to its provider',
};

function sentence({ model, failure, ...event }: LoggedFailure): string {
  const { unset, key } = event.kind === 'operator-fault' ? event : {};
  if (unset !== undefined) return `${model} was not called, because ${unset}`;
  return `${model} ${WORDS[failure]}${key === undefined ? '' : `, for the key in ${key}`}`;
}

/**
 * Logs what is not the client's fault: what only the operator can fix as an error, a provider that cannot be reached as a warning. Every
 * request may meet the same fault, so it is logged once a minute, with the number of times it was left out in between.
 */
export function failureLog(logger: Logger): (event: FallbackEvent) => void {
  const repeats = repeatCounter();
  return (event) => {
    if (event.kind !== 'operator-fault' && event.kind !== 'unreachable') return;
    const { kind, model, failure, ...found } = event;
    const repeated = repeats(
      `${model} ${failure} ${found.code ?? ''} ${('key' in found && found.key) || ''}`,
    );
    if (repeated === undefined) return;
    const fields = { model, failure, ...found, ...(repeated && { repeated }) };
    logger[kind === 'unreachable' ? 'warn' : 'error'](fields, sentence(event));
  };
}

/** The same for validators of cheap replies that do not work. */
export function validatorLog(logger: Logger): (failed: FailedValidation) => void {
  const repeats = repeatCounter();
  return ({ kind, validator, why }) => {
    const repeated = repeats(`${validator} ${why}`);
    if (repeated === undefined) return;
    logger.error(
      { validator, failure: kind, ...(repeated && { repeated }) },
      `the validator ${validator} does not work, so no cheap reply goes out: ${why}`,
    );
  };
}

/** The same for responses that could not be kept. @returns what logs one; undefined is one that is too long, or whose id is taken */
export function threadLog(logger: Logger): (error: unknown) => void {
  const repeats = repeatCounter();
  return (error) => {
    const found = error === undefined ? {} : safeError(error);
    const repeated = repeats('threads');
    if (repeated === undefined) return;
    logger.error({ ...found, ...(repeated && { repeated }) }, 'a response could not be kept for its thread');
  };
}

/** @returns how often a fault was left out since it was last to be logged; undefined if it must be left out now */
function repeatCounter(): (name: string) => number | undefined {
  const logged = new Map<string, { at: number; repeated: number }>();
  return (name) => {
    const last = logged.get(name);
    const now = performance.now();
    if (last !== undefined && now - last.at < LOG_EVERY_MS) {
      last.repeated++;
      return undefined;
    }
    logged.set(name, { at: now, repeated: 0 });
    return last?.repeated ?? 0;
  };
}
