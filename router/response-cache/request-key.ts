import { createHash } from 'node:crypto';

/**
 * Fields that name the caller, the urgency and the billing, and do not change the reply. `model` is replaced by what it
 * came to.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'model',
  'user',
  'safety_identifier',
  'metadata',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
]);

/** All of a request that its reply depends on. */
export interface KeyParts {
  /** Undefined if requests need no key. */
  readonly keyId: string | undefined;
  readonly dialect: string;
  readonly operation: string;
  /** What decided, and what for: names and hashes. */
  readonly selection: readonly unknown[];
  /** Headers that the provider gets, by name. */
  readonly headers: readonly (readonly [name: string, value: unknown])[];
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * SHA-256 of a request: two have the same key only if they are alike. Order of the outermost fields and white space do not count, nor do fields
 * that cannot change the reply; all else does, the order of fields in schemas too, which models see.
 */
export function requestKey({ keyId, dialect, operation, selection, headers, body }: KeyParts): string {
  const fields = Object.keys(body)
    .filter((name) => !LEFT_OUT.has(name) && body[name] !== undefined)
    .sort()
    .map((name) => [name, body[name]]);
  const whole = JSON.stringify([keyId ?? null, dialect, operation, selection, headers, fields]);
  return createHash('sha256').update(whole).digest('base64');
}
