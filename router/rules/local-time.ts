import { DAYS, type Day } from './rule.ts';

/** Day and minute of the day, 0 to 1439, in a time zone. */
export interface LocalTime {
  readonly day: Day;
  readonly minute: number;
}

const MINUTE_MS = 60_000;

/**
 * Formats at most once a minute.
 * @param timeZone an IANA name, such as Europe/Berlin
 * @throws RangeError if it is not known
 */
export function localClock(timeZone: string): (nowMs: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  let known: { readonly at: number; readonly time: LocalTime } | undefined;
  return (nowMs) => {
    const at = Math.floor(nowMs / MINUTE_MS);
    if (known?.at !== at) known = { at, time: localTime(format, nowMs) };
    return known.time;
  };
}

function localTime(format: Intl.DateTimeFormat, nowMs: number): LocalTime {
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const weekday = parts.get('weekday')!.toLowerCase();
  const day = DAYS.find((one) => one === weekday)!;
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}
