/** Node has had toWellFormed since version 20; the ES2023 typings have not. */
interface WellFormable {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

/**
 * The text with NUL and every lone surrogate replaced by U+FFFD, so that tokenisers, JSON and native code see one and the same string.
 * A text without them comes back as it is.
 */
export function wellFormed(text: string): string {
  const units = text as unknown as WellFormable;
  return units.isWellFormed() && !text.includes('\0')
    ? text
    : units.toWellFormed().replaceAll('\0', '\uFFFD');
}
