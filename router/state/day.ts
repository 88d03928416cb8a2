/** The day of a time in UTC, such as 2026-11-29. @param timeMs milliseconds since 1970 */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
