import type { CatalogModel, Dialect } from '../catalog/index.ts';
import { isObject, jsonSplices, objectIn, objectsIn, parseJson, spliced, withField } from '../json/index.ts';
import type { ReplyNotes } from '../sdk-terms/index.ts';
import { sentAgain } from './sent-again.ts';
import type { FailedAttempt, PrepareAttempt, ProviderCall, TakenLogprobs } from './types.ts';

/**
 * Whether a model's API has log-probabilities of the tokens of a chat completion: OpenAI's (`logprobs`) and Google's (`responseLogprobs`)
 * do, those of Anthropic, Mistral and Amazon do not. A model may still refuse them, as those that reason do. Requests that go through in
 * the form of the Responses API are not asked to give them.
 */
export function givesLogprobs({ provider: { kind, dialects } }: CatalogModel, dialect?: Dialect): boolean {
  if (dialect === 'responses' && dialects.includes(dialect)) return false;
  return kind === 'openai' || kind === 'openai-compatible' || kind === 'google';
}

/** Whether the client itself wants to see them. */
function asksItself({ dialect, body }: Pick<ProviderCall, 'dialect' | 'body'>): boolean {
  return dialect === 'openai' && body['logprobs'] === true;
}

/**
 * Calls that want log-probabilities ask for them where the API has them. One that is refused, or whose reply cannot be read, is sent again
 * without them, within the same time limits: what only Plimsoll wanted must not fail a request. A model that refuses them for that reason alone is
 * not asked again.
 */
export function askingForLogprobs(prepare: PrepareAttempt): PrepareAttempt {
  const refusing = new Set<string>();
  return (call) => {
    if (call.logprobs !== true || asksItself(call)) return prepare(call);
    const { model } = call;
    const without = { ...call, logprobs: false };
    if (!givesLogprobs(model, call.dialect) || refusing.has(model.name)) return prepare(without);
    const second = {
      isRefused: maybeRefused,
      prepareWithout: () => prepare(without),
      // Anything but a refusal may have been chance.
      onRefused: ({ failure }: FailedAttempt) => void (failure === 'bad-request' && refusing.add(model.name)),
    };
    const prepared = prepare(call);
    return prepared instanceof Promise
      ? prepared.then((ready) => sentAgain(ready, second))
      : sentAgain(prepared, second);
  };
}

/** A reply with -Infinity in it is no JSON: it counts as one that cannot be read. */
function maybeRefused({ failure, status }: FailedAttempt): boolean {
  return status !== undefined && (failure === 'bad-request' || failure === 'bad-answer');
}

/** The text of a native request that asks for log-probabilities, if its call wants them. */
export function withLogprobs(text: string, { logprobs, body }: ProviderCall): string {
  return logprobs === true ? withField(text, body, 'logprobs', true) : text;
}

/** Completes the JSON body that the SDK writes; undefined if there is nothing to complete. */
export function logprobsCompletion({
  logprobs,
  model,
}: ProviderCall): ((body: string) => string) | undefined {
  if (logprobs !== true) return undefined;
  return model.provider.kind === 'google' ? askGoogle : (body) => withField(body, {}, 'logprobs', true);
}

/** Gemini API reference, GenerationConfig. */
function askGoogle(text: string): string {
  const body = JSON.parse(text);
  return JSON.stringify({ ...body, generationConfig: { ...body.generationConfig, responseLogprobs: true } });
}

/** Reads, and takes out, the log-probabilities of a native reply that is there as a whole; every other byte stays. */
export function takeLogprobs(call: ProviderCall, whole: Uint8Array): TakenLogprobs {
  const text = Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString('latin1'); // a character for every byte
  const logprobs: unknown[] = [];
  const taken = call.stream
    ? text.replace(DATA_LINE, (line) => takeFrom(line, logprobs))
    : takeFrom(text, logprobs);
  const unchanged = asksItself(call) || taken === text;
  return { body: unchanged ? whole : Buffer.from(taken, 'latin1'), logprobs };
}

const DATA_LINE = /^data:.*$/gm;

/** The first choice's, which is the only one: several replies are not judged. */
const EDITS = [{ path: ['choices', 0, 'logprobs'], value: 'null' }] as const;

/** @param text a JSON object, or a line of a stream with one */
function takeFrom(text: string, logprobs: unknown[]): string {
  const from = text.indexOf('{');
  if (!text.includes('"logprobs"', from)) return text;
  const parsed = parseJson(text.slice(from));
  if (isObject(parsed)) logprobs.push(...logprobsOfChoice(objectsIn(parsed, 'choices')));
  else logprobs.push(undefined); // -Infinity or NaN, which JSON has not
  return spliced(text, jsonSplices(text, EDITS, from));
}

/**
 * Log-probabilities of the first choice of a chat completion, or a chunk of one: OpenAI's form, whose `refusal` has the tokens of a refusal, and the older one
 * with a list of numbers, which some servers kept.
 */
export function logprobsOfChoice(choices: readonly Readonly<Record<string, unknown>>[]): unknown[] {
  const first = choices.find(({ index }) => index === undefined || index === 0);
  const given = objectIn(first, 'logprobs');
  const older = given['token_logprobs'];
  if (Array.isArray(older)) return older;
  return [...objectsIn(given, 'content'), ...objectsIn(given, 'refusal')].map(({ logprob }) => logprob);
}

/** Adds those of a reply, or of a piece of it. */
export function noteLogprobs(notes: ReplyNotes, logprobs: readonly unknown[]): void {
  if (logprobs.length === 0) return;
  notes.logprobs ??= [];
  notes.logprobs.push(...logprobs);
}

/** Log-probabilities of the first candidate of Google's generateContent, or a piece of its stream. */
export function logprobsOfCandidate(candidate: unknown): unknown[] {
  const chosen = objectsIn(objectIn(candidate, 'logprobsResult'), 'chosenCandidates');
  return chosen.map(({ logProbability }) => logProbability);
}
