/** Whether a text has a match of a pattern. */
export type PatternTest = (text: string) => boolean;

/**
 * Makes tests of patterns that take time linear in the text: RE2's syntax, which has neither look-arounds nor back references. So no pattern
 * and no text can stall the server. The engine is loaded only if a rule needs it.
 */
export async function openPatterns(): Promise<(pattern: string) => PatternTest> {
  const { RE2JS } = await import('re2js');
  return (pattern) => {
    const compiled = RE2JS.compile(pattern); // throws if it is not one
    return (text) => compiled.matcher(text).find();
  };
}
