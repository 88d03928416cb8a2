/** The signals that a reply's text shows without a model, in the order of their columns. */
export const TEXT_SIGNALS = [
  /** log(1 + UTF-16 units). */
  'length_log',
  /** log of the reply's length over the prompt's, both + 1. */
  'relative_length_log',
  /** 1 if there is no letter and no digit. */
  'empty',
  /** 1 if it begins by declining to do what was asked. */
  'refusal',
  /** 1 if it begins by saying that it, or nobody, knows. */
  'ignorance',
  /** 1 if it begins with yes; 1 if it begins with no. Models differ in how readily they agree with what a question takes for granted. */
  'affirms',
  'denies',
  /** log(1 + words such as perhaps, approximately). */
  'hedges_log',
  /** Share of the runs of four words that were there before, 0..1: a model that loops. */
  'repetition',
  /** 1 if a long text ends without the end of a sentence, or inside a block of code. */
  'cut_off',
  /** Share of the reply's different words that are in the prompt, 0..1. */
  'echo',
  /** 1 if it ends by asking back. */
  'asks_back',
  /** Share of the reply's letters in scripts that the prompt does not use, 0..1; undefined if one of them has no letters. */
  'other_script',
  /** 1 if the reply is in another language than the prompt, by their most frequent words; undefined if these do not show a language. */
  'other_language',
  /** 1 if JSON was asked for and the reply is none; undefined if it was not asked for. */
  'invalid_json',
  /**
   * 1 if the reply is the first of some lettered or numbered options; undefined if it is no option. Models favour places in a list (Zheng et
   * al., Large Language Models Are Not Robust Multiple Choice Selectors, arXiv 2309.03882).
   */
  'first_option',
] as const;

type TextSignals = Readonly<Record<(typeof TEXT_SIGNALS)[number], number | undefined>>;

/**
 * What the text of a reply shows. Each signal is finite for any text, or undefined where there is nothing to see. O(length of both).
 * @param prompt the text that was scored (router/prompt)
 */
export function textSignals(prompt: string, reply: string): TextSignals {
  const text = reply.slice(0, LONGEST_READ);
  const words = wordsOf(text);
  const asked = prompt.slice(-LONGEST_READ);
  const askedWords = new Set(wordsOf(asked));
  const start = text.slice(0, OPENING).toLowerCase();
  return {
    length_log: Math.log1p(reply.length),
    relative_length_log: Math.log((reply.length + 1) / (prompt.length + 1)),
    empty: Number(words.length === 0),
    refusal: Number(beginsAsRefusal(text)),
    ignorance: Number(IGNORANCE.test(start)),
    affirms: Number(YES.test(start)),
    denies: Number(NO.test(start)),
    hedges_log: Math.log1p(text.match(HEDGE)?.length ?? 0),
    repetition: repeatedShare(words),
    cut_off: Number(isCutOff(reply)),
    echo: shareOf(new Set(words), (word) => askedWords.has(word)),
    asks_back: Number(/[?？؟]\s*$/u.test(reply.slice(-OPENING))),
    other_script: otherScript(asked, text),
    other_language: otherLanguage(askedWords, words),
    invalid_json: asksForJson(asked) ? Number(!holdsJson(reply)) : undefined,
    first_option: firstOption(start),
  };
}

/** Longer texts are read in part: the end of a prompt, the beginning of a reply. */
const LONGEST_READ = 20_000;
/** Refusals stand at the beginning. */
const OPENING = 300;

const REFUSAL = new RegExp(
  [
    "\\bi(?:'|’)?m (?:sorry|unable|not able)",
    '\\bi am (?:sorry|unable|not able)',
    "\\bi (?:can(?:'|’)?t|cannot|can not|won(?:'|’)t|will not) (?:assist|help|provide|answer|comply|do|fulfil|access|determine|verify)",
    '\\bas an ai\\b',
    'es tut mir leid',
    'ich kann (?:dir |ihnen |euch )?(?:dabei |das |diese )?(?:leider )?nicht',
    'je suis désolée?',
    'je ne peux pas',
    'lo siento',
    'no puedo (?:ayudar|proporcionar|responder)',
    'não posso',
    'desculpe',
    'mi dispiace',
    'non posso',
    'het spijt me',
    'przykro mi',
    'üzgünüm',
    'извините',
    'я не могу',
    '抱歉',
    '对不起',
    '我无法',
    '申し訳',
    '죄송',
    'عذر[اًا]',
  ].join('|'),
  'u',
);

/** Whether a reply begins by declining to do what was asked, in one of the languages whose words are known here. */
export function beginsAsRefusal(reply: string): boolean {
  return REFUSAL.test(reply.slice(0, OPENING).toLowerCase());
}

const IGNORANCE = new RegExp(
  [
    "\\bi (?:don(?:'|’)?t|do not) (?:know|have (?:any |enough |the )?(?:information|access|data|context))",
    '\\bnot (?:enough|sufficient) (?:information|context|data)',
    '\\b(?:is|are) (?:unknown|unclear|not known|not specified|not mentioned|not provided)\\b',
    '^unknown\\b',
    '\\bno (?:one|body) knows\\b',
    '\\bthere is no (?:evidence|information|consensus|definitive|specific)',
    '\\bas of my (?:last|knowledge)',
    'ich weiß (?:es )?nicht',
    'je ne sais pas',
    'no (?:lo )?sé(?!\\p{L})',
    'não sei\\b',
    'non (?:lo )?so\\b',
    'я не знаю',
    '不知道',
    'わかりません',
    '모르겠',
  ].join('|'),
  'u',
);

const YES = /^\P{L}*(?:yes|yeah|ja|oui|sí|sì|sim|tak|да|evet|はい|是的?|对|네|예|نعم|हाँ)(?!\p{L})/u;
const NO = /^\P{L}*(?:no|nope|nein|non|não|nee|nie|нет|hayır|いいえ|不是?|아니요|아니오|لا|नहीं)(?!\p{L})/u;

/** A letter or digit alone, or with a bracket, full stop or colon behind it. */
const OPTION = /^[^\p{L}\p{N}]*([a-j1-9])(?:[^\p{L}\p{N}]*$|[).:])/u;

function firstOption(start: string): number | undefined {
  const option = OPTION.exec(start)?.[1];
  return option === undefined ? undefined : Number(option === 'a' || option === '1');
}

const HEDGES = [
  'maybe|perhaps|possibly|probably|likely|unlikely|might|could be|may be|may have|seems?|appears?|i think|i believe',
  'not sure|unsure|uncertain|unclear|approximately|roughly|depends|assuming|guess',
  'vielleicht|möglicherweise|vermutlich|wahrscheinlich|ungefähr',
  'peut-être|probablement|environ',
  'quizás?|tal vez|probablemente|talvez|provavelmente|forse|probabilmente',
  'misschien|waarschijnlijk|może|prawdopodobnie|возможно|вероятно|наверное',
];
const HEDGE = new RegExp(`(?<!\\p{L})(?:${HEDGES.join('|')})(?!\\p{L})`, 'giu');

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function shareOf(words: ReadonlySet<string>, is: (word: string) => boolean): number {
  let count = 0;
  for (const word of words) if (is(word)) count++;
  return words.size === 0 ? 0 : count / words.size;
}

const RUN = 4;

function repeatedShare(words: readonly string[]): number {
  const runs = words.length - RUN + 1;
  if (runs < 2) return 0;
  const seen = new Set<string>();
  for (let at = 0; at < runs; at++) seen.add(words.slice(at, at + RUN).join(' '));
  return 1 - seen.size / runs;
}

/** Shorter replies, such as a name, need no end of a sentence. */
const SENTENCES = 200;

function isCutOff(reply: string): boolean {
  const fences = reply.split(FENCE).length - 1;
  if (fences % 2 === 1) return true;
  const end = reply.trimEnd();
  return end.length >= SENTENCES && !/[\p{P}\p{S}\d]$/u.test(end);
}

const SCRIPTS = [
  /\p{Script=Latin}/gu,
  /\p{Script=Cyrillic}/gu,
  /\p{Script=Greek}/gu,
  /\p{Script=Arabic}/gu,
  /\p{Script=Hebrew}/gu,
  /\p{Script=Devanagari}/gu,
  /[\p{Script=Hiragana}\p{Script=Katakana}]/gu,
  /\p{Script=Han}/gu,
  /\p{Script=Hangul}/gu,
  /\p{Script=Thai}/gu,
];
/** Which of them is kana, which Chinese has none of. */
const JAPANESE = 6;
/** A script with a smaller share of the prompt's letters is a name or a quotation. */
const USED = 0.05;

function lettersByScript(text: string): number[] {
  return SCRIPTS.map((script) => text.match(script)?.length ?? 0);
}

function otherScript(prompt: string, reply: string): number | undefined {
  const [asked, got] = [lettersByScript(prompt), lettersByScript(reply)];
  const [all, letters] = [sum(asked), sum(got)];
  if (all === 0 || letters === 0) return undefined;
  return sum(got.filter((_, script) => asked[script]! < USED * all)) / letters;
}

/** Words that are frequent in one language and rare in the others. */
const FUNCTION_WORDS: readonly ReadonlySet<string>[] = [
  'the of and is are was that this with for what which how it you from',
  'der die das und ist nicht ein eine mit für auf den von zu wie sich',
  'le les des est et une dans pour que qui pas avec sur du ce',
  'el los las una es y que por para con como del qué cómo está',
  'o os uma é e não para com como do da em que são',
  'il gli una è e non per con come della di che sono nel',
  'de het een en van niet voor met op dat zijn wat hoe',
  'i w na nie się z do jest to jak co że są',
  've bir bu için ile ne nasıl değil olarak da mi',
].map((words) => new Set(words.split(' ')));

/** Fewer function words than this do not show a language. */
const FEWEST_FUNCTION_WORDS = 3;

function languageOf(words: Iterable<string>): number | undefined {
  const counts = FUNCTION_WORDS.map(() => 0);
  for (const word of words) {
    FUNCTION_WORDS.forEach((known, language) => {
      if (known.has(word)) counts[language]!++;
    });
  }
  const most = Math.max(...counts);
  if (most < FEWEST_FUNCTION_WORDS || counts.filter((count) => count === most).length > 1) return undefined;
  return counts.indexOf(most);
}

/** In the order of FUNCTION_WORDS. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'pl', 'tr'] as const;
/** In the order of SCRIPTS: the one language that is mostly written in it, else the script. Latin has many. */
const LANGUAGE_OF_SCRIPT = [
  undefined,
  'Cyrillic',
  'el',
  'Arabic',
  'he',
  'Devanagari',
  'ja',
  'zh',
  'ko',
  'th',
];
/** Enough to see a language. */
const LANGUAGE_READ = 2_000;

/**
 * The language of a text, by its frequent words or its script: ISO 639-1, the script's name where several languages share it (`Cyrillic`),
 * `und` where nothing shows it, as in a short text in Latin letters. Coarse, and cheap: O(2,000 characters).
 */
export function textLanguage(text: string): string {
  const read = text.slice(0, LANGUAGE_READ);
  const letters = lettersByScript(read);
  const most = letters.indexOf(Math.max(...letters));
  const isJapanese = letters[JAPANESE]! > USED * sum(letters);
  if (most > 0) return isJapanese ? 'ja' : (LANGUAGE_OF_SCRIPT[most] ?? 'und');
  const language = languageOf(wordsOf(read));
  return language === undefined ? 'und' : (LANGUAGES[language] ?? 'und');
}

function otherLanguage(asked: Iterable<string>, words: readonly string[]): number | undefined {
  const [from, to] = [languageOf(asked), languageOf(words)];
  return from === undefined || to === undefined ? undefined : Number(from !== to);
}

function asksForJson(prompt: string): boolean {
  return /\bjson\b/iu.test(prompt);
}

const FENCE = '```';

/** The whole reply, or its first block of code. */
function holdsJson(reply: string): boolean {
  const [, block] = reply.split(FENCE, 2);
  return isJson(block === undefined ? reply : block.replace(/^json/iu, ''));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
