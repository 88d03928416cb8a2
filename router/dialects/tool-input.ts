import { isObject, JsonScan } from '../json/index.ts';
import { type Path, unmappable } from './losses.ts';

/** As for bodies: limits what is expensive to parse, in all calls of a conversation together. */
const LIMITS = { maxDepth: 1_000, maxValues: 400_000 };

/** How many JSON values the inputs of a conversation had so far. */
export interface CountedValues {
  values: number;
}

/**
 * The input of a tool call that is written as text. A tool without parameters may have been called with an empty text. If the model wrote
 * something other than a JSON object, the object says so, since the client only sends back what it received.
 * @returns undefined if it is more than may be parsed
 */
export function parseToolInput(
  text: string,
  counted: CountedValues,
): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  const { maxDepth, maxValues } = LIMITS;
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

/**
 * The input of a tool call as clients send it back: an object, or text.
 * @throws PlimsollError that names the call, if the texts are more than may be parsed
 */
export function toolInput(given: unknown, path: Path, counted: CountedValues): unknown {
  if (isObject(given)) return given;
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const input = parseToolInput(text, counted);
  if (input !== undefined) return input;
  const { maxValues, maxDepth } = LIMITS;
  throw unmappable(
    path,
    `the arguments of the tool calls have more than ${maxValues} JSON values, or ${maxDepth} levels`,
  );
}
