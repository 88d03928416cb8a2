import { type CatalogModel, placeName } from '../catalog/index.ts';
import { type FailedAttempt, type PrepareAttempt, type ProviderCall, sentAgain } from '../exchange/index.ts';
import {
  fieldIn,
  isObject,
  type JsonEdit,
  jsonSplices,
  parseJson,
  spliced,
  withField,
} from '../json/index.ts';
import { editedBytes } from '../passthrough/index.ts';

/**
 * Chat completions in OpenAI's form report the tokens of a stream only if they are asked to. Without them nobody knows what the stream cost, so
 * Plimsoll asks where the client did not. OpenAI API reference, "Create chat completion", `stream_options.include_usage`.
 *
 * A server that does not know the field may refuse it, now or after an update. So a request that is refused is sent once more, without it; if that
 * brings a reply, the place is not asked again.
 */
export function askingForStreamUsage(prepare: PrepareAttempt): PrepareAttempt {
  const refusing = new Set<string>();
  return (call) => {
    if (!lacksUsage(call)) return prepare(call);
    const server = serverOf(call.model);
    if (refusing.has(server)) return prepare(call);
    const prepared = prepare({ ...call, streamUsage: true });
    const second = {
      isRefused: ({ failure, status }: FailedAttempt) =>
        failure === 'bad-request' && status !== undefined && call.logprobs !== true, // then those are more likely the reason
      prepareWithout: () => prepare(call),
      onRefused: () => void refusing.add(server),
    };
    return prepared instanceof Promise
      ? prepared.then((ready) => sentAgain(ready, second))
      : sentAgain(prepared, second);
  };
}

/** One model may be served by several servers, and a configuration that is loaded anew may name another one. */
function serverOf(model: CatalogModel): string {
  return `${placeName(model)} ${model.provider.baseUrl}`;
}

/** Whether the reply would not say its tokens. */
function lacksUsage({ dialect, operation, stream, passed, body }: ProviderCall): boolean {
  if (!stream || dialect !== 'openai' || operation !== 'chat' || passed !== undefined) return false;
  return fieldIn(body['stream_options'], 'include_usage') !== true;
}

const INCLUDE_USAGE = [{ path: ['stream_options', 'include_usage'], value: 'true', add: true }] as const;

/** The text of a native request that asks for the tokens of its stream, if its call does. */
export function withStreamUsage(text: string, { streamUsage, body }: ProviderCall): string {
  if (streamUsage !== true) return text;
  const options = body['stream_options'];
  return isObject(options)
    ? spliced(text, jsonSplices(text, INCLUDE_USAGE))
    : withField(text, body, 'stream_options', { include_usage: true });
}

const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;

/** Whether an event has nothing but the tokens of its stream: clients that did not ask for it may not expect an event without a choice. */
function isUsageAlone(data: string): boolean {
  if (!NO_CHOICES.test(data)) return false;
  const json = parseJson(data);
  const choices = fieldIn(json, 'choices');
  return Array.isArray(choices) && choices.length === 0 && isObject(fieldIn(json, 'usage'));
}

/** Null before the last event, and the counts where a server puts them into an event with a choice. */
const WITHOUT_USAGE: readonly JsonEdit[] = [{ path: ['usage'], value: undefined }];

/**
 * An event without the tokens of its stream; empty if it has nothing else.
 * @param event its bytes, with the line ends after it
 * @param edits what else to edit in its JSON
 */
export function withoutUsage(event: Buffer, data: string, edits: readonly JsonEdit[]): Buffer {
  return isUsageAlone(data) ? Buffer.alloc(0) : editedBytes(event, [...edits, ...WITHOUT_USAGE]);
}

/** What OpenAI and most servers write into every event but the last when they are asked for the tokens. */
export const NULL_USAGE = ',"usage":null';
/** It stands last, or before a field that hides the length of the text. What closes after it can only be the event's own object. */
const LAST_NULL_USAGE = /,"usage":null(?:,"obfuscation":"\w{0,64}")?\}$/;
const LONGEST_END = 128;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Where `NULL_USAGE` begins in an event that ends with it, in bytes of `bytes`; -1 if `withoutUsage` must look. Nearly every event of a stream
 * ends so, and need be neither parsed nor copied for it.
 * @param start where the event begins in `bytes`
 * @param end where it ends, with the line ends after it
 */
export function lastNullUsage(bytes: Buffer, start: number, end: number, data: string): number {
  const last = LAST_NULL_USAGE.exec(data.slice(-LONGEST_END))?.[0];
  if (last === undefined || data.indexOf('"usage"') !== data.length - last.length + 1) return -1;
  let to = end;
  while (to > start && (bytes[to - 1] === LINE_FEED || bytes[to - 1] === CARRIAGE_RETURN)) to--;
  const feed = bytes.indexOf(LINE_FEED, start); // of an event of several lines, the last may be a comment that ends so too
  const isOneLine = feed === to || (feed === to + 1 && bytes[to] === CARRIAGE_RETURN);
  return isOneLine && bytes.toString('latin1', to - last.length, to) === last ? to - last.length : -1;
}
