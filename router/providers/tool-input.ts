import { isObject, type JsonObject, parseJson } from '../json/index.ts';
import { ExchangeError } from './provider-error.ts';
import { isTooComplex } from './response.ts';

/**
 * The input of a tool's call, which its API has as an object. Some servers write it as JSON in a text.
 * @param cut - the reply ended before the model had finished, so a text may be the beginning of an object
 * @throws ExchangeError `unreadable` for anything else: a call with an empty input would be another call
 */
export function readToolInput(given: unknown, cut = false): JsonObject {
  if (isObject(given)) return given;
  if (given === undefined || given === null) return {};
  if (typeof given === 'string') {
    if (given.trim() === '') return {};
    const input = isTooComplex(Buffer.from(given)) ? undefined : parseJson(given);
    if (isObject(input)) return input;
    if (cut) return {};
  }
  throw new ExchangeError('unreadable', "The model's input of a tool is not a JSON object.");
}
