type Headers = Readonly<Record<string, string>>;

const SECOND_MS = 1000;
/** Larger numbers of x-ratelimit-reset are a time and not a wait: seconds since 1970, or milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/**
 * What a provider asks to wait, in ms, 0 or more; undefined where it does not say or says it in no form that is known.
 * `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3), else `x-ratelimit-reset` as a
 * wait in seconds, a wait with units (`1m30s`), or a time in seconds or milliseconds since 1970.
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const wait =
    plainNumber(headers['retry-after-ms']) ??
    secondsOrDate(headers['retry-after'], now) ??
    resetWait(headers['x-ratelimit-reset'], now);
  return wait === undefined ? undefined : Math.max(0, Math.round(wait));
}

function secondsOrDate(value: string | undefined, now: number): number | undefined {
  const seconds = plainNumber(value);
  if (seconds !== undefined) return seconds * SECOND_MS;
  const date = value === undefined || !/^[A-Z][a-z]{2}/.test(value) ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : date - now;
}

function resetWait(value: string | undefined, now: number): number | undefined {
  const number = plainNumber(value);
  if (number === undefined) return withUnits(value);
  if (number >= EPOCH_MS) return number - now;
  return number >= EPOCH_SECONDS ? number * SECOND_MS - now : number * SECOND_MS;
}

/** `6m0s`, `1.5s`, `20ms`: how OpenAI writes it. */
function withUnits(value = ''): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/.exec(value);
  if (value === '' || parts === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = parts
    .slice(1)
    .map((part) => (part === undefined ? 0 : Number(part)));
  return ((hours * 60 + minutes) * 60 + seconds) * SECOND_MS + ms;
}

function plainNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}
