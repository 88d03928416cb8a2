/** Languages that rules tell apart: ISO 639-1 -> the code of the detector. */
const CODES = {
  ar: 'arb',
  bn: 'ben',
  cs: 'ces',
  de: 'deu',
  el: 'ell',
  en: 'eng',
  es: 'spa',
  fa: 'pes',
  fr: 'fra',
  he: 'heb',
  hi: 'hin',
  hu: 'hun',
  id: 'ind',
  it: 'ita',
  ja: 'jpn',
  ko: 'kor',
  nl: 'nld',
  pl: 'pol',
  pt: 'por',
  ro: 'ron',
  ru: 'rus',
  sv: 'swe',
  th: 'tha',
  tr: 'tur',
  uk: 'ukr',
  ur: 'urd',
  vi: 'vie',
  zh: 'cmn',
} as const;

/** The code of a text whose language is not clear enough. */
const UNDETERMINED = 'und';

/** What the condition `language` may name. */
export const RULE_LANGUAGES = [...Object.keys(CODES), UNDETERMINED];

/** Enough to see a language, and bounded. */
const READ = 1_000;
/** By so much the likeliest language must be likelier than the next, of 1: measured in docs/RULES.md. */
const LEAST_LEAD = 0.03;

/** Text -> ISO 639-1, or `und`. */
export type LanguageTest = (text: string) => string;

/** Opens the detector, which compares the text's trigrams with those of each language. It is loaded only if a rule needs it. */
export async function openLanguages(): Promise<LanguageTest> {
  const { francAll } = await import('franc-min');
  const names = new Map<string, string>(Object.entries(CODES).map(([name, code]) => [code, name]));
  const only = [...names.keys()];
  let last: { readonly text: string; readonly language: string } | undefined;
  return (text) => {
    // Several rules ask for the same text, one after the other.
    if (last?.text !== text) {
      const [first, second] = francAll(text.slice(0, READ), { only, minLength: 1 });
      const isClear = first !== undefined && first[1] - (second?.[1] ?? 0) >= LEAST_LEAD;
      last = { text, language: (isClear && names.get(first[0])) || UNDETERMINED };
    }
    return last.language;
  };
}
