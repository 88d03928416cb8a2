import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { PlimsollError } from '../errors.ts';
import type { Finder } from './spans.ts';

/** Countries whose numbers are recognised without their country code, unless the operator names others. */
export const DEFAULT_PHONE_COUNTRIES: readonly string[] = [
  ...['US', 'GB', 'DE', 'AT', 'CH', 'FR', 'BE', 'NL', 'ES', 'MX', 'IT', 'PT', 'BR', 'PL', 'RU', 'UA', 'TR'],
  ...['CN', 'JP', 'KR', 'IN'],
];

/** Seven to fifteen digits (E.164), in groups or not. A digit ends each repetition, so there is one way to match. */
const CANDIDATE =
  /(?<![\p{Script=Latin}\p{Script=Cyrillic}\p{N}_.,/#-])\(?\d(?:[ .\-/()]{0,2}\d){6,14}(?![\p{N}_]|[.,:]\d)/gu;
/** An international one may stand anywhere but behind a digit. */
const INTERNATIONAL =
  /(?<![\p{Script=Latin}\p{N}+)\]])\+(?:\(0\)|[1-9])(?:[ .\-/()]{0,3}\d){6,14}(?!\p{N})/gu;
/** Words that say that a number is one of a telephone. */
const NEAR =
  /phone|\bcell|mobile|\bcall|\bring\b|reach|whatsapp|\bsms\b|\btext me|\bfax|\btel|handy|mobil|anruf|rückruf|erreich|appel|joindre|portable|rappel|teléfono|móvil|celular|llám|llam|telefone|liga|ligue|contato|telefon|komórk|zadzwo|dzwoni|numer|тел|звон|номер|связ|电话|電話|手机|拨打|联系|致电|携帯|전화/iu;
/** How far before the number such a word is looked for. */
const NEAR_CHARACTERS = 40;
/** More numbers of one text, such as of a table, are not looked up: what looks like one of a telephone is taken for one. */
const MOST_LOOKED_UP = 500;
/** A number is read in more than one way at most so often, as one that has another number behind it. */
const MOST_CUTS = 4;

/**
 * Telephone numbers. One with + and its country code is known by its form; another one must be valid in one of `countries`
 * (libphonenumber's metadata) and look like one: a leading 0 or 8, groups, or a word such as `call` before it.
 * @throws PlimsollError `invalid-config` if a country is unknown
 */
export function phoneFinder(countries: readonly string[] = DEFAULT_PHONE_COUNTRIES): Finder {
  const known = countries.map(knownCountry);
  return function* (text) {
    for (const { 0: found, index } of text.matchAll(INTERNATIONAL)) {
      const digits = digitsOf(found);
      if (digits.length >= 8 && digits.length <= 16) yield span(found, index);
    }
    let lookedUp = 0;
    for (const { 0: match, index: at } of text.matchAll(CANDIDATE)) {
      const index = isUnclosed(match) ? at + 1 : at;
      const candidate = text.slice(index, at + match.length);
      const isNear = NEAR.test(text.slice(Math.max(0, index - NEAR_CHARACTERS), index));
      const isRunOn = /^[ .\-/]\d/.test(text.slice(at + match.length, at + match.length + 2));
      const mayBeCut = isNear || /^\(?0/.test(candidate);
      if (isRunOn && !mayBeCut) continue;
      const lookUp = ++lookedUp > MOST_LOOKED_UP ? undefined : known;
      const found = longestPhone(candidate, isNear, lookUp, mayBeCut ? MOST_CUTS : 0);
      if (found !== undefined) yield span(found, index);
    }
  };
}

/** The bracket before a number in brackets. */
function isUnclosed(text: string): boolean {
  return text.startsWith('(') && !text.includes(')');
}

function knownCountry(country: string): CountryCode {
  if (isSupportedCountry(country)) return country;
  throw new PlimsollError(
    'invalid-config',
    `capture.phone_countries: "${country}" is no country of ISO 3166-1 in capitals, such as DE.`,
    { place: { field: 'capture.phone_countries' } },
  );
}

function span(found: string, start: number) {
  return { kind: 'phone', start, end: start + found.length, value: digitsOf(found) } as const;
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}

function longestPhone(
  candidate: string,
  isNear: boolean,
  countries: readonly CountryCode[] | undefined,
  mostCuts: number,
): string | undefined {
  let text = candidate;
  for (let cuts = 0; cuts <= mostCuts && text.length >= 7; cuts++) {
    if (isPhone(text, isNear, countries)) return text;
    text = text.replace(/[ .\-/()]+\d+$/, '');
    if (text === candidate) return undefined;
  }
  return undefined;
}

/** @param countries whose numbers it may be; undefined: it is not looked up */
function isPhone(text: string, isNear: boolean, countries: readonly CountryCode[] | undefined): boolean {
  const digits = digitsOf(text);
  if (digits.length > 15 || isOtherNumber(text)) return false;
  if (digits.startsWith('00') && countries !== undefined)
    return parsePhoneNumberFromString(`+${digits.slice(2)}`)?.isValid() === true;
  if (!looksNational(text, digits, isNear)) return false;
  return countries?.some((country) => isNumberOf(text, country)) ?? true;
}

/** Without this test anything of the right length is a number of some country. */
function looksNational(text: string, digits: string, isNear: boolean): boolean {
  if (isNear) return true;
  if (digits.startsWith('0')) return digits.length >= 9;
  if (/^1[3-9]\d{9}$/.test(digits)) return true; // a mobile number in China
  const groups = text.split(/[ .\-/()]+/).filter((group) => group !== '').length;
  if (groups < 2 || digits.length > 11 || digits.length < 2 * groups) return false;
  if (digits.length === 11) return digits.startsWith('8') || digits.startsWith('1') || text.startsWith('(');
  if (isThousands(text)) return /^[5-9]/.test(digits) && digits.length === 9;
  return digits.length >= 9;
}

/** Dates, times, addresses of the Internet and amounts. */
function isOtherNumber(text: string): boolean {
  return (
    /^\(?(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ]/.test(text) ||
    /^\(?(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d/.test(text) ||
    /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) ||
    /^\d+\.\d+$/.test(text) ||
    /^\d{1,3}(?:\.\d{3})+$/.test(text)
  );
}

/** Such as 12 345 678. */
function isThousands(text: string): boolean {
  return /^\d{1,3}(?: \d{3})+$/.test(text);
}

function isNumberOf(text: string, country: CountryCode): boolean {
  const parsed = parsePhoneNumberFromString(text, country);
  return parsed?.country === country && parsed.isValid();
}
