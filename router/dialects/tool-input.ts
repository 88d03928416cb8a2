import { isObject, JsonScan } from '../json/index.ts';

/** As for bodies: limits what is expensive to parse, in all calls of a conversation together. */
export const TOOL_INPUTS = { maxDepth: 1_000, maxValues: 400_000 };

/** How many JSON values the inputs of a conversation had so far. */
export interface CountedValues {
  values: number;
}

/**
 * The input of a tool call that is written as text. A tool without parameters may have been called with an empty text. If the model wrote
 * something other than a JSON object, the object says so, since the client only sends back what it received.
 * @returns undefined if it is more than `TOOL_INPUTS` allows
 */
export function parseToolInput(
  text: string,
  counted: CountedValues,
): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  const { maxDepth, maxValues } = TOOL_INPUTS;
  const scan = new JsonScan({ maxDepth, maxValues: maxValues - counted.values });
  if (scan.push(Buffer.from(text)) !== undefined) return undefined;
  counted.values += scan.values;
  try {
    const input: unknown = JSON.parse(text);
    if (isObject(input)) return input;
  } catch {
    // The return below covers this too.
  }
  return { invalid_arguments: text };
}
