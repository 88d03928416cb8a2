import type { Dialect } from '../catalog/index.ts';
import { errorBody } from '../dialects/index.ts';
import { isObject, parseJson } from '../json/index.ts';
import type { ProviderCall } from './types.ts';

/** The body of a refusal that goes to the client, in UTF-8. */
export function mappedRefusal({ dialect, model }: ProviderCall, status: number, sentence: string): Buffer {
  const message =
    sentence === '' ? `${model.name} refused this request with the status ${status}.` : sentence;
  return Buffer.from(JSON.stringify(errorBody(dialect, { status, message })));
}

/**
 * A refusal of a provider that speaks the client's dialect: byte for byte if it is in the dialect's form. Many servers that copy an API
 * answer with forms of their own, which the official clients cannot read: those are mapped.
 */
export function nativeRefusal(call: ProviderCall, status: number, body: Buffer): Buffer {
  const text = body.toString('utf8');
  return isInForm(parseJson(text), call.dialect) ? body : mappedRefusal(call, status, refusalSentence(text));
}

function isInForm(json: unknown, dialect: Dialect): boolean {
  if (!isObject(json) || !isObject(json['error']) || typeof json['error']['message'] !== 'string')
    return false;
  return dialect === 'openai' || json['type'] === 'error';
}

const LONGEST_SENTENCE = 2_000;
/** In this order. FastAPI has `detail` and `msg`, Amazon `message`, RFC 9457 `detail` and `title`. */
const SENTENCE_FIELDS = ['error', 'message', 'detail', 'msg', 'errors', 'title'];
/** FastAPI's list in Mistral's `message`: three objects and two lists. */
const DEEPEST_SENTENCE = 6;

/**
 * What a refusal says to people, in whatever form: the usual fields of JSON, or plain text. Other fields are not read, since FastAPI
 * repeats the request in them. Empty if it says nothing.
 */
export function refusalSentence(text: string): string {
  const json = parseJson(text);
  const sentence = json === undefined ? plainText(text) : sentenceIn(json, DEEPEST_SENTENCE);
  return sentence.length <= LONGEST_SENTENCE ? sentence : `${sentence.slice(0, LONGEST_SENTENCE)} …`;
}

/** Empty for HTML, and for JSON that was cut off. */
function plainText(text: string): string {
  const trimmed = text.trim();
  return /^[<{["]/.test(trimmed) ? '' : trimmed;
}

function sentenceIn(json: unknown, depth: number): string {
  if (typeof json === 'string') return json.trim();
  if (depth === 0) return '';
  if (Array.isArray(json)) {
    const all = json.map((item) => sentenceIn(item, depth - 1)).filter((sentence) => sentence !== '');
    return all.join('; ');
  }
  if (!isObject(json)) return '';
  for (const name of SENTENCE_FIELDS) {
    const sentence = sentenceIn(json[name], depth - 1);
    if (sentence !== '') return `${placeIn(json)}${sentence}`;
  }
  return '';
}

/** FastAPI names the field at fault: `"loc": ["body", "messages", 0, "content"]`. */
function placeIn({ loc }: Readonly<Record<string, unknown>>): string {
  if (!Array.isArray(loc)) return '';
  const path = loc.filter((step) => typeof step === 'string' || typeof step === 'number').join('.');
  return path === '' ? '' : `${path}: `;
}
