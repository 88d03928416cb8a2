import { countrySpecs } from 'ibantools';
import type { Finder, Span } from './spans.ts';

/** Longest local part of an address (RFC 5321, section 4.5.3.1.1). */
const LONGEST_LOCAL = 64;
const LATIN_LOCAL = /[A-Za-z0-9\u00C0-\u024F._%+'-]/;
const ANY_LOCAL = /[\p{L}\p{M}\p{N}._%+'-]/u;
/** A host name right behind the @. Each repetition is bounded, and a label and its full stop share no character. */
const LATIN_HOST = /(?:[A-Za-z0-9\u00C0-\u024F-]{1,63}\.){1,8}(?:xn--[A-Za-z0-9-]{1,59}|[A-Za-z]{2,24})/y;
const ANY_HOST = /(?:[\p{L}\p{M}\p{N}-]{1,63}\.){1,8}[\p{L}\p{M}]{2,24}/uy;

/** Addresses of e-mail, by their @: Latin ones also between the words of a script without spaces, else those of any script. */
export const findEmails: Finder = function* (text) {
  let from = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const [start, end] = [localStart(text, at, from), hostEnd(text, at + 1)];
    if (start === at || end === undefined) continue;
    yield { kind: 'email', start, end, value: text.slice(start, end).toLowerCase() };
    from = end;
  }
};

function localStart(text: string, at: number, from: number): number {
  const latin = backWhile(text, at, from, LATIN_LOCAL);
  return latin < at ? latin : backWhile(text, at, from, ANY_LOCAL);
}

function backWhile(text: string, at: number, from: number, allowed: RegExp): number {
  let start = at;
  const first = Math.max(from, at - LONGEST_LOCAL);
  while (start > first && allowed.test(text[start - 1]!)) start--;
  return start;
}

function hostEnd(text: string, from: number): number | undefined {
  for (const host of [LATIN_HOST, ANY_HOST]) {
    host.lastIndex = from;
    if (host.test(text)) return host.lastIndex;
  }
  return undefined;
}

/** 13 to 19 digits, alone or in groups (ISO/IEC 7812-1). */
const CARD = /(?<![+\p{Script=Latin}\p{N}])[2-6]\d{2,5}(?:[ -]?\d){8,16}(?![\p{Script=Latin}\p{N}])/gu;

/** Numbers of payment cards, by their check digit. */
export const findCards: Finder = function* (text) {
  for (const { 0: found, index } of text.matchAll(CARD)) {
    const value = found.replace(/[ -]/g, '');
    if (value.length < 13 || value.length > 19 || !hasLuhnDigit(value)) continue;
    yield { kind: 'card', start: index, end: index + found.length, value };
  }
};

/** The check of ISO/IEC 7812-1, annex B: every second digit from the right counts twice, and the sum of digits is a multiple of 10. */
export function hasLuhnDigit(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const IBAN_START = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}/g;
/** The longest in the registry has 34 characters, in groups of four. */
const LONGEST_IBAN = 34 + 9;

/** Bank accounts, by the length of their country and their check digits (ISO 13616). */
export const findIbans: Finder = function* (text) {
  for (const { 0: head, index } of text.matchAll(IBAN_START)) {
    const length = countrySpecs[head.slice(0, 2).toUpperCase()]?.chars;
    const found = length == null ? undefined : spelledOut(text, index, length);
    if (found === undefined || !hasIbanDigits(found.value)) continue;
    yield { kind: 'iban', start: index, end: found.end, value: found.value };
  }
};

/** The check of ISO 13616: with the first four signs last, and letters as 10 to 35, the number is 1 modulo 97. */
function hasIbanDigits(iban: string): boolean {
  const moved = iban.slice(4) + iban.slice(0, 4);
  return BigInt(moved.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))) % 97n === 1n;
}

/** So many letters and digits from `start` on, between which single spaces and dashes are. */
function spelledOut(text: string, start: number, length: number): Pick<Span, 'end' | 'value'> | undefined {
  let value = '';
  for (let at = start; at < Math.min(text.length, start + LONGEST_IBAN); at++) {
    const sign = text[at]!;
    if (/[A-Za-z0-9]/.test(sign)) value += sign.toUpperCase();
    else if ((sign !== ' ' && sign !== '-') || /[ -]/.test(text[at - 1]!)) return undefined;
    if (value.length === length)
      return /[A-Za-z0-9]/.test(text[at + 1] ?? '') ? undefined : { end: at + 1, value };
  }
  return undefined;
}

/**
 * Secrets by their published forms, most as in the rules of gitleaks 8 (config/gitleaks.toml) and GitHub's list of secret scanning patterns.
 * Each begins with fixed letters at the start of a word, and each repetition is bounded.
 */
const KEY_FORMS: readonly RegExp[] = [
  /\bsk-[\w-]{16,200}/g, // OpenAI, Anthropic, OpenRouter, DeepSeek
  /\b(?:gsk_|xai-|hf_|npm_|r8_|pplx-|dop_v1_|plim_|sq0[a-z]{3}-|key-|whsec_)[\w-]{20,200}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_\w{16,200}/g, // Stripe
  /\bAIza[\w-]{35}/g, // Google
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g, // AWS
  /\b(?:gh[pousr]_\w{36,255}|github_pat_\w{22,255}|glpat-[\w-]{20,64})/g,
  /\bxox[abeprs]-[\w-]{10,200}/g, // Slack
  /\bSG\.[\w-]{16,64}\.[\w-]{16,64}/g, // SendGrid
  // JSON Web Token. A part ends where another token may begin: no character is read from many starts.
  /\beyJ(?:(?!-eyJ)[\w-]){10,2000}\.eyJ(?:(?!-eyJ)[\w-]){2,4000}\.[\w-]{0,1000}/g,
  /(?<=\b(?:Bearer|bearer|BEARER) )[\w.~+/=-]{16,2000}/g,
  /(?<=:\/\/[\w.-]{1,64}:)[^\s/@:]{1,128}(?=@)/g, // a password in an address
];

const SECRET_NAME =
  '(?:api[-_ ]?key|secret(?:[-_ ]?key)?|access[-_ ]?key|(?:access|auth|refresh|session)[-_ ]?token|pass(?:word|wd|phrase)|passwort|kennwort|mot de passe|contraseña|senha|hasło|пароль|密码|パスワード)';
/** With letters only, it may be a word of prose, a type or a variable. */
const SECRET_VALUE = '(?=[^\\s"\'\\\\,;}&，。]{0,64}\\d)([^\\s"\'\\\\,;}&，。]{6,200})';
/** What its name calls a secret: `api_key = …`, `"password": "…"`, `das Passwort lautet …`. */
const NAMED_SECRET = new RegExp(
  `${SECRET_NAME}["'\\\\]{0,4}(?: ?[:=] {0,2}| (?:is|lautet|ist|est|es|é|to|это) (?=\\S)|是)["'\\\\]{0,4}${SECRET_VALUE}`,
  'giu',
);

const PEM_START = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/g;
const PEM_END = /-----END [A-Z ]{0,30}PRIVATE KEY-----/g;

/** API keys, tokens, passwords and private keys, by their form or by the name before them. */
export const findKeys: Finder = function* (text) {
  for (const form of KEY_FORMS) {
    for (const { 0: value, index } of text.matchAll(form)) {
      yield { kind: 'key', start: index, end: index + value.length, value };
    }
  }
  for (const { 0: found, 1: value = '', index } of text.matchAll(NAMED_SECRET)) {
    const start = index + found.length - value.length;
    yield { kind: 'key', start, end: start + value.length, value };
  }
  yield* privateKeys(text);
};

/** From the first line to the last one, else to the end of the text. */
function* privateKeys(text: string): Iterable<Span> {
  PEM_START.lastIndex = 0;
  for (let found = PEM_START.exec(text); found !== null; found = PEM_START.exec(text)) {
    PEM_END.lastIndex = PEM_START.lastIndex;
    const end = PEM_END.exec(text) === null ? text.length : PEM_END.lastIndex;
    yield { kind: 'key', start: found.index, end, value: text.slice(found.index, end) };
    PEM_START.lastIndex = end;
  }
}
