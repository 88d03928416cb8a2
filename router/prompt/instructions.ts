/** Instructions are looked for within this many units of either end of the text around the context. */
const INSTRUCTIONS_WITHIN = 2_000;
/** A longer paragraph, in UTF-16 units, is no instruction and stays as it is. */
const LONGEST_INSTRUCTION = 4_000;

const VERB = /\b(?:answer|respond|reply|use|using|based|rely|relying|given|according|refer|cite|consult)\b/i;
const MATERIAL =
  /\b(?:contexts?|documents?|sources?|passages?|excerpts?|snippets?|chunks?|search results?|information|e-?mails?|threads?|tables?|json|knowledge(?: base)?|articles?|references?|history|conversation|text)\b/i;
const PLACE =
  /\b(?:below|above|following|provided|given|only|solely|retrieved|supplied|attached|these|this|the)\b/i;
/** The same in other languages, without a place: their verbs and nouns together say enough. */
const VERB_ELSEWHERE =
  /\b(?:beantworte|antworte|nutze|verwende|anhand|basierend|utilis|répond|réponds|basant|aide|responde|responda|usa|utiliza|usando|utilizando|basándote|basado|rispondi|utilizza|baseado|gebruik|beantwoord)|ответь|используй|основе|根据|基于|依据|参考|结合|利用|基づ|もとに|使って|使用して|参照|だけで|바탕으로|사용하여|참고/iu;
const MATERIAL_ELSEWHERE =
  /(?:kontext|dokument|quelle|textauszug|auszüge|information|contexte|documents?|sources?|extraits?|contexto|documento|fuente|fonte|fonti|información|informazioni|informações|contesto|bronnen)|контекст|документ|информаци|источник|信息|内容|资料|資料|上下文|文档|知识|片段|情報|文書|文脈|コンテキスト|ドキュメント|컨텍스트|문맥|문서|정보/iu;
const UNKNOWN =
  /\b(?:don'?t|do not|cannot) (?:know|find)\b|\bmake (?:up|something up)\b|\bnot (?:in|contained in|found in|covered by) the\b|\bweißt du (?:es|die Antwort) nicht\b|\bnicht weißt\b|\bne sais pas\b|\bno (?:lo )?sabes\b|不允许|无法从中|如果(?:你)?不知道|わからない場合|分からない場合|모르면/iu;
const PERSONA = /^you(?:'re| are) (?:an?|the)\b/i;
/** `Answer the following question: …`. */
const ASKS_AFTER_COLON =
  /(?:\b(?:question|query|frage|pregunta|pergunta|domanda)\b|问题|質問|질문)[^:：\n]{0,80}[:：][ \t]*(\S.*)$/i;
/** A label of the question within a paragraph. */
const QUESTION_LABEL = /^(?:问题(?:是|为)?|質問(?:は)?|질문)[:：]\s*/;
/** Ends an instruction before a question: `Based on the text above: …?`. */
const COLON = /[:：]/;
const SENTENCE_END = /(?<=[.!?])\s+|(?<=[。？！])|\n+/;
const LABEL_ALONE = /^[\p{L} ]{1,20}[:：]$/u;

/** Whether the text around the context says what to do with it. */
export function hasInstruction(text: string): boolean {
  const ends =
    text.length <= 2 * INSTRUCTIONS_WITHIN
      ? text
      : `${text.slice(0, INSTRUCTIONS_WITHIN)}\n${text.slice(-INSTRUCTIONS_WITHIN)}`;
  return ends.split(SENTENCE_END).some((sentence) => saysHowToAnswer(sentence) || UNKNOWN.test(sentence));
}

/** Whether a sentence, or a longer text somewhere, says from what to answer. */
export function saysHowToAnswer(sentence: string): boolean {
  return (
    (VERB.test(sentence) && MATERIAL.test(sentence) && PLACE.test(sentence)) ||
    (VERB_ELSEWHERE.test(sentence) && MATERIAL_ELSEWHERE.test(sentence))
  );
}

/** `Answer using only this text`, `Use the following documents to answer`: retrieved material, or nothing but what is given. */
const CONFINES =
  /^(?:please )?(?:answer|respond|reply|use|using|given|based on|according to|rely|consult)\b/i;
const NOTHING_ELSE = /\b(?:only|solely|exclusively|just)\b/i;
const RETRIEVED =
  /\b(?:contexts?|documents|sources|excerpts|snippets|chunks|search results|knowledge(?: base)?)\b/i;

/**
 * Whether a paragraph is an instruction and nothing else, before the colon of its question if it has one, and has a model answer from
 * retrieved material or from nothing but what is given.
 */
export function confinesToContext(paragraph: string): boolean {
  const sentences = paragraph.split(SENTENCE_END).map((sentence) => sentence.trim());
  return (
    sentences.every((sentence) => isInstruction(instructionOf(sentence))) &&
    sentences.map(instructionOf).some(confines)
  );
}

/** `Based on the context below, when …?`: the clause, then the question. */
const CLAUSE = /^((?:based on|according to|given|using)\b[^,:：?？]{3,120}),\s+(\S.*[?？])$/i;

/** Undefined unless the clause names retrieved material: of a passage or a text the question may be the task. */
function clauseOf(sentence: string): { readonly clause: string; readonly question: string } | undefined {
  const [, clause = '', question = ''] = CLAUSE.exec(sentence) ?? [];
  return RETRIEVED.test(clause) && PLACE.test(clause) ? { clause, question } : undefined;
}

/** Up to the colon, or the comma of a clause, before the question that it leads to. */
function instructionOf(sentence: string): string {
  if (!/[?？]$/.test(sentence)) return sentence;
  const colon = sentence.search(COLON);
  return colon < 0 ? (clauseOf(sentence)?.clause ?? '') : sentence.slice(0, colon + 1);
}

function confines(sentence: string): boolean {
  if (VERB_ELSEWHERE.test(sentence) && MATERIAL_ELSEWHERE.test(sentence)) return true;
  const isEnglish = CONFINES.test(sentence) && MATERIAL.test(sentence) && PLACE.test(sentence);
  return isEnglish && (NOTHING_ELSE.test(sentence) || RETRIEVED.test(sentence));
}

/** A paragraph without its instructions. Only whole sentences go, and none that asks. */
export function withoutInstructions(text: string): string {
  if (text.length > LONGEST_INSTRUCTION) return text;
  const sentences = text.split(SENTENCE_END).map((sentence) => sentence.trim());
  const kept = sentences.map(withoutInstruction);
  return kept.every((sentence, at) => sentence === sentences[at]) ? text : kept.filter(Boolean).join(' ');
}

/** What a sentence asks: all of it, what follows its colon, or nothing. */
function withoutInstruction(sentence: string): string {
  const labelled = QUESTION_LABEL.exec(sentence);
  if (labelled !== null) return sentence.slice(labelled[0].length);
  const asked = saysHowToAnswer(sentence) ? ASKS_AFTER_COLON.exec(sentence)?.[1] : undefined;
  if (asked !== undefined) return asked;
  const colon = sentence.search(COLON);
  const asks = /[?？]$/.test(sentence);
  if (asks && colon >= 0 && saysHowToAnswer(sentence.slice(0, colon)))
    return sentence.slice(colon + 1).trim();
  const afterClause = clauseOf(sentence)?.question;
  if (afterClause !== undefined) return afterClause;
  return asks || !isInstruction(sentence) ? sentence : '';
}

function isInstruction(sentence: string): boolean {
  return (
    saysHowToAnswer(sentence) ||
    UNKNOWN.test(sentence) ||
    PERSONA.test(sentence) ||
    LABEL_ALONE.test(sentence)
  );
}
