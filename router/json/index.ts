/** JSON as text: counted, edited in place, and searched for errors without a word of it in the message. */
export { editFields } from './edit-fields.ts';
export { type JsonErrorPlace, jsonErrorPlace } from './error-place.ts';
export {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './punctuation.ts';
export { type JsonLimits, JsonScan } from './scan.ts';
export { isObject, parseJson } from './value.ts';
