import { type Label, labelsIn } from './template-labels.ts';
import { blockAt, isAtLineStart, openingTagAt, type TaggedBlock } from './text-blocks.ts';
import { BETWEEN_ASKS, EARLIER_ASKS_WITHIN_CHARACTERS } from './text-limits.ts';

/** A prompt with less context than this, in UTF-16 units, and without an instruction may be a person's own words: it stays whole. */
const LEAST_CONTEXT = 200;
/** What is longer, in UTF-16 units, is no question apart from its context. */
const LONGEST_QUESTION = 4_000;
/** Instructions are looked for within so many units of either end of the text around the context. */
const INSTRUCTIONS_WITHIN = 2_000;

const QUESTION_TAGS: ReadonlySet<string> = new Set([
  ...[
    'question',
    'query',
    'user_query',
    'user_question',
    'user-question',
    'userquestion',
    'user_input',
    'user_request',
  ],
]);
const CONTEXT_TAGS: ReadonlySet<string> = new Set([
  ...[
    'context',
    'contexts',
    'retrieved_context',
    'document',
    'documents',
    'doc',
    'docs',
    'source',
    'sources',
  ],
  ...[
    'search_results',
    'search_result',
    'results',
    'result',
    'passage',
    'passages',
    'chunk',
    'chunks',
    'excerpt',
  ],
  ...['excerpts', 'snippet', 'snippets', 'knowledge', 'knowledge_base', 'reference', 'references', 'article'],
  ...[
    'articles',
    'background',
    'chat_history',
    'conversation_history',
    'history',
    'conversation',
    'information',
  ],
]);

/** Tags that applications put round what they retrieved. A single document may be what a person pasted, and is not among them. */
const RETRIEVED_TAGS: ReadonlySet<string> = new Set([
  ...[
    'context',
    'contexts',
    'retrieved_context',
    'documents',
    'docs',
    'sources',
    'search_results',
    'results',
  ],
  ...['passages', 'chunks', 'snippets', 'excerpts', 'knowledge', 'knowledge_base'],
]);

/** A prompt that an application filled, seen from afar. */
interface Outline {
  readonly text: string;
  /** Outside the blocks. */
  readonly labels: readonly Label[];
  readonly questions: readonly TaggedBlock[];
  readonly contexts: readonly TaggedBlock[];
}

/**
 * The person's question in a prompt that an application filled with retrieved text or with the conversation so far; undefined if the text is no
 * such prompt, or no question can be found in it. It goes by the labels, tags, numbered pieces, rules and instructions that
 * templates share. The exact wordings of single products are in retrieval-shapes.ts.
 */
export function questionInRetrieval(text: string): string | undefined {
  if (!text.includes('\n')) return undefined;
  const labels = labelsIn(text);
  const blocks = text.includes('<') ? knownBlocks(text) : NO_BLOCKS;
  if (blocks.length === 0 && !labels.some(isSign) && !MAY_HOLD_RULES.test(text)) return undefined; // most texts
  const outline = outlineOf(text, labels, blocks);
  const question =
    taggedQuestion(outline) ?? labelledQuestion(outline) ?? lastTurn(outline) ?? looseQuestion(outline);
  return question !== undefined && question !== '' && question.length <= LONGEST_QUESTION
    ? question
    : undefined;
}

const NO_BLOCKS: readonly TaggedBlock[] = [];

function isSign({ kind }: Label): boolean {
  return kind === 'context' || kind === 'model-turn';
}

function outlineOf(text: string, labels: readonly Label[], blocks: readonly TaggedBlock[]): Outline {
  return {
    text,
    labels: outside(blocks, labels),
    questions: blocks.filter(({ name }) => QUESTION_TAGS.has(name.toLowerCase())),
    contexts: blocks.filter(({ name }) => CONTEXT_TAGS.has(name.toLowerCase())),
  };
}

function knownBlocks(text: string): TaggedBlock[] {
  const blocks: TaggedBlock[] = [];
  const unclosed = new Set<string>(); // looked for once: a text of nothing but opening tags must not cost its square
  for (let at = text.indexOf('<'); at >= 0; ) {
    const begins = text[at - 1] === '>' || isAtLineStart(text, at);
    const block = begins ? knownBlockAt(text, at, unclosed) : undefined;
    if (block !== undefined) blocks.push(block);
    at = text.indexOf('<', block?.end ?? at + 1);
  }
  return blocks;
}

function knownBlockAt(text: string, at: number, unclosed: Set<string>): TaggedBlock | undefined {
  const name = openingTagAt(text, at)?.name;
  if (name === undefined || unclosed.has(name)) return undefined;
  if (!QUESTION_TAGS.has(name.toLowerCase()) && !CONTEXT_TAGS.has(name.toLowerCase())) return undefined;
  const block = blockAt(text, at);
  if (block === undefined) unclosed.add(name);
  return block;
}

/** Both lists are in the order of the text. */
function outside(blocks: readonly TaggedBlock[], labels: readonly Label[]): readonly Label[] {
  let next = 0;
  return labels.filter(({ lineStart }) => {
    while (next < blocks.length && blocks[next]!.end <= lineStart) next++;
    return next === blocks.length || lineStart < blocks[next]!.start;
  });
}

/** `<context>…</context> <question>…</question>`, in either order. */
function taggedQuestion({ questions, contexts, labels }: Outline): string | undefined {
  if (contexts.length === 0 && !labels.some(({ kind }) => kind === 'context')) return undefined;
  return questions.at(-1)?.inner.trim();
}

/** `Context: … Question: …`, in either order. */
function labelledQuestion(outline: Outline): string | undefined {
  const { text, labels, contexts } = outline;
  const chosen = chosenQuestion(labels);
  if (chosen === undefined) return undefined;
  const question = bodyOf(outline, chosen);
  if (DEFERS.test(question)) return undefined;
  const chunks = labels.filter(({ isChunk }) => isChunk).length + contexts.length;
  const hasContext = chunks > 0 || labels.some(({ kind }) => kind === 'context');
  const isTemplate = () => endsWithPrompt(labels, text) || hasInstruction(text);
  const isLong = text.length - question.length >= LEAST_CONTEXT;
  // Rules alone may also be a person's own layout.
  if (!hasContext) return isLong && betweenRules(text) !== undefined && isTemplate() ? question : undefined;
  if (!isLong && chunks < 2 && !isTemplate()) return undefined;
  const [first = '', ...further] = paragraphs(question);
  return [first, ...further.filter((paragraph) => withoutInstructions(paragraph) !== '')].join('\n\n');
}

/**
 * Where the question comes first, retrieved text follows it and may hold questions of its own: the last one that context follows
 * directly. Else the last one.
 */
function chosenQuestion(labels: readonly Label[]): Label | undefined {
  const sections = labels.filter(({ kind }) => kind === 'question' || kind === 'context');
  if (sections[0]?.kind !== 'question') return sections.findLast(({ kind }) => kind === 'question');
  const beforeContext = sections.filter(
    ({ kind }, at) => kind === 'question' && sections[at + 1]?.kind === 'context',
  );
  return beforeContext.at(-1) ?? sections.at(-1);
}

/** The question itself is further on, among what it refers to. */
const DEFERS = /\brefers? to the following\b/i;

/** Up to the next label or block. Persons' and models' names are no end: a question may quote them. */
function bodyOf({ text, labels, contexts }: Outline, { bodyStart, lineStart }: Label): string {
  const next = labels.find((label) => label.lineStart > lineStart && !isTurn(label));
  const block = contexts.find(({ start }) => start >= bodyStart);
  return text.slice(bodyStart, Math.min(next?.lineStart ?? text.length, block?.start ?? text.length)).trim();
}

function isTurn({ kind }: Label): boolean {
  return kind === 'person-turn' || kind === 'model-turn';
}

/** The template ends with a label that the model is to go on after, such as `Answer:`. */
function endsWithPrompt(labels: readonly Label[], text: string): boolean {
  const last = labels.at(-1);
  return (
    last !== undefined &&
    (last.kind === 'other' || last.kind === 'model-turn') &&
    text.slice(last.bodyStart).trim() === ''
  );
}

/**
 * The last turn of a conversation that was written into one prompt, with earlier ones after it. It must end where the model is to go on, or be
 * called a history: a transcript that a person pasted is neither.
 */
function lastTurn({ text, labels }: Outline): string | undefined {
  const turns = labels.filter(isTurn);
  if (!turns.some(({ kind }) => kind === 'model-turn')) return undefined;
  const isPrompted = endsWithPrompt(turns, text);
  const last = isPrompted ? turns.at(-2) : turns.at(-1);
  if (last?.kind !== 'person-turn') return undefined;
  if (!isPrompted && !labels.some(({ kind }) => kind === 'context')) return undefined;
  const said = turns.flatMap((turn, at) =>
    turn.kind === 'person-turn' ? [text.slice(turn.bodyStart, turns[at + 1]?.lineStart).trim()] : [],
  );
  const [newest = '', ...earlier] = said.toReversed();
  if (!isPrompted && newest.includes('\n\n')) return undefined; // something else follows the conversation
  let asks = newest;
  for (const ask of earlier) {
    if (asks.length + BETWEEN_ASKS.length + ask.length > EARLIER_ASKS_WITHIN_CHARACTERS) break;
    if (ask !== '') asks += BETWEEN_ASKS + ask;
  }
  return asks;
}

/** A question without a label, before or after context that tags, rules, numbers or a label set apart. */
function looseQuestion(outline: Outline): string | undefined {
  const around = textAround(outline);
  if (around === undefined) return undefined;
  const isInstructed = hasInstruction(around.join('\n\n'));
  const pieces = Math.max(outline.contexts.length, outline.labels.filter(({ isChunk }) => isChunk).length);
  if (!isInstructed && pieces < 2 && !outline.contexts.some(isRetrieved)) return undefined;
  const said = around.map(withoutInstructions).filter((paragraph) => paragraph !== '');
  const asked = said.filter((paragraph) => paragraph.endsWith('?') || paragraph.endsWith('？'));
  return asked.at(-1) ?? (isInstructed ? said.at(-1) : undefined);
}

function isRetrieved({ name, inner }: TaggedBlock): boolean {
  return RETRIEVED_TAGS.has(name.toLowerCase()) && inner.length >= LEAST_CONTEXT;
}

/** The paragraphs before and after the context; undefined if no context is set apart. */
function textAround({ text, labels, contexts }: Outline): string[] | undefined {
  const block = { start: contexts[0]?.start ?? -1, end: contexts.at(-1)?.end ?? -1 };
  const apart = block.start >= 0 ? block : betweenRules(text);
  if (apart !== undefined)
    return [...paragraphs(text.slice(0, apart.start)), ...paragraphs(text.slice(apart.end))];
  const first = labels.find(({ kind }) => kind === 'context');
  if (first === undefined) return undefined;
  // Nothing says where the context ends: only its last paragraph may be the question.
  const [, ...after] = paragraphs(text.slice(labels.at(-1)!.bodyStart));
  return [...paragraphs(text.slice(0, first.lineStart)), ...after.slice(-1)];
}

/** A line of quotation marks, backquotes, hyphens, equals signs or asterisks and nothing else. A fence with a language holds code. */
const RULE = /^[ \t]*("{3,10}|'{3,10}|`{3,10}|-{3,80}|={3,80}|\*{3,80})[ \t]*$/gm;

const MAY_HOLD_RULES = /"{3}|'{3}|`{3}|-{3}|={3}|\*{3}/;

function betweenRules(text: string): { readonly start: number; readonly end: number } | undefined {
  const rules = [...text.matchAll(RULE)];
  const first = rules[0];
  const last = rules.findLast(([, rule]) => rule![0] === first![1]![0]);
  if (first === undefined || last === undefined || first === last) return undefined;
  return { start: first.index, end: last.index + last[0].length };
}

function paragraphs(text: string): string[] {
  return text
    .split(/\n[ \t\r]*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
}

const VERB = /\b(?:answer|respond|reply|use|using|based|rely|relying|given|according|refer|cite|consult)\b/i;
const MATERIAL =
  /\b(?:contexts?|documents?|sources?|passages?|excerpts?|snippets?|chunks?|search results?|information|knowledge(?: base)?|articles?|references?|history|conversation|text)\b/i;
const PLACE =
  /\b(?:below|above|following|provided|given|only|solely|retrieved|supplied|attached|these|this|the)\b/i;
const UNKNOWN =
  /\b(?:don'?t|do not|cannot) (?:know|find)\b|\bmake (?:up|something up)\b|\bnot (?:in|contained in|found in|covered by) the\b/i;
const PERSONA = /^you(?:'re| are) (?:an?|the)\b/i;
/** `Answer the following question: …`. */
const ASKS_AFTER_COLON = /\b(?:question|query)\b[^:：\n]{0,80}[:：][ \t]*(\S.*)$/i;
/** Of an instruction before a question: `Based on the text above: …?`. */
const COLON = /[:：]/;
const SENTENCE_END = /(?<=[.!?。？！])\s+|\n+/;
const LABEL_ALONE = /^[\p{L} ]{1,20}[:：]$/u;

/** Whether the text around the context says what to do with it. */
function hasInstruction(text: string): boolean {
  const ends =
    text.length <= 2 * INSTRUCTIONS_WITHIN
      ? text
      : `${text.slice(0, INSTRUCTIONS_WITHIN)}\n${text.slice(-INSTRUCTIONS_WITHIN)}`;
  return ends.split(SENTENCE_END).some((sentence) => saysHowToAnswer(sentence) || UNKNOWN.test(sentence));
}

function saysHowToAnswer(sentence: string): boolean {
  return VERB.test(sentence) && MATERIAL.test(sentence) && PLACE.test(sentence);
}

/** Only whole sentences go, and none that asks. */
function withoutInstructions(text: string): string {
  if (text.length > LONGEST_QUESTION) return text;
  const sentences = text.split(SENTENCE_END).map((sentence) => sentence.trim());
  const kept = sentences.map(withoutInstruction);
  return kept.every((sentence, at) => sentence === sentences[at]) ? text : kept.filter(Boolean).join(' ');
}

/** What a sentence asks: all of it, what follows its colon, or nothing. */
function withoutInstruction(sentence: string): string {
  const asked = saysHowToAnswer(sentence) ? ASKS_AFTER_COLON.exec(sentence)?.[1] : undefined;
  if (asked !== undefined) return asked;
  const colon = sentence.search(COLON);
  const asks = /[?？]$/.test(sentence);
  if (asks && colon >= 0 && saysHowToAnswer(sentence.slice(0, colon)))
    return sentence.slice(colon + 1).trim();
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
