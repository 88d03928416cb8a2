import { quoted } from '../errors.ts';
import {
  isObject,
  type JsonLimits,
  type JsonObject,
  JsonScan,
  jsonErrorPlace,
  repeatedField,
} from '../json/index.ts';

/** What the lines of a batch may ask for. */
export const ENDPOINTS = ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/embeddings'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export function isEndpoint(path: unknown): path is Endpoint {
  return ENDPOINTS.includes(path as Endpoint);
}

/** One request of a batch. */
export interface BatchLine {
  readonly customId: string;
  readonly url: Endpoint;
  readonly body: JsonObject;
}

/** What is wrong with a line: the field, if it is one, and a predicate such as `must be POST`. */
export interface LineFault {
  readonly field?: string;
  readonly why: string;
}

/** For lines that were checked when their file came, by limits that may have been changed since. */
export const UNLIMITED: JsonLimits = {
  maxDepth: Number.POSITIVE_INFINITY,
  maxValues: Number.POSITIVE_INFINITY,
};

const MAX_CUSTOM_ID_CHARACTERS = 512;

/**
 * A line of a batch file in OpenAI's form: `{"custom_id", "method", "url", "body"}`. What is in the body is checked when it is sent.
 * No message quotes the body.
 */
export function readLine(text: string, limits: JsonLimits): BatchLine | LineFault {
  const scan = new JsonScan(limits);
  const broken = scan.push(Buffer.from(text));
  if (broken === 'too-deep') return { why: `has more than ${limits.maxDepth} levels of objects and lists` };
  if (broken === 'too-many-values') return { why: `has more than ${limits.maxValues} values` };
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    const column = jsonErrorPlace(text.trimEnd())?.column;
    return { why: column === undefined ? 'is not JSON' : `is not JSON, from character ${column} on` };
  }
  if (!isObject(line)) return { why: 'must be a JSON object' };
  const { custom_id: customId, method, url, body } = line;
  if (typeof customId !== 'string' || customId === '' || customId.length > MAX_CUSTOM_ID_CHARACTERS)
    return fault('custom_id', `must be a string of 1 to ${MAX_CUSTOM_ID_CHARACTERS} characters`);
  if (method !== 'POST') return fault('method', 'must be "POST"');
  if (!isEndpoint(url)) return fault('url', `must be one of ${ENDPOINTS.join(', ')}`);
  if (!isObject(body)) return fault('body', 'must be an object');
  if (body['stream'] === true)
    return fault('body.stream', 'must not be true: the reply of a line is stored whole');
  const repeated = repeatedField(text, line, scan.names);
  if (repeated !== undefined) return fault(quoted(repeated), 'is there more than once; write it once');
  return { customId, url, body };
}

export function isFault(line: BatchLine | LineFault): line is LineFault {
  return 'why' in line;
}

function fault(field: string, why: string): LineFault {
  return { field, why };
}
