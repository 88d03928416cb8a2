/** JSON as text: counted, edited in place, and searched for errors without a word of it in the message. */
export { editFields, withField } from './edit-fields.ts';
export { type JsonErrorPlace, jsonErrorPlace } from './error-place.ts';
export { repeatedField } from './repeated-field.ts';
export {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  type JsonLimits,
  JsonScan,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './scan.ts';
export { type JsonEdit, jsonSplices, spliced } from './splice.ts';
export {
  countIn,
  fieldIn,
  isObject,
  type JsonObject,
  mapTexts,
  objectIn,
  objectsIn,
  parseJson,
  textIn,
} from './value.ts';
