import { hasInstruction, withoutInstructions } from './instructions.ts';
import { questionInAlpaca } from './question-in-alpaca.ts';
import { turnsInChatTemplate } from './question-in-chat-template.ts';
import { questionInEmail } from './question-in-email.ts';
import { questionInJson } from './question-in-json.ts';
import { questionUnderInstruction } from './question-under-instruction.ts';
import { isClearCommand, isLongContext, LEAST_CONTEXT, speaksForItself } from './standalone-question.ts';
import { isTurn, type Label, labelsIn } from './template-labels.ts';
import { CONTEXT_TAGS, QUESTION_TAGS, RETRIEVED_TAGS } from './template-tags.ts';
import { blockAt, isAtLineStart, openingTagAt, paragraphs, type TaggedBlock } from './text-blocks.ts';
import { BETWEEN_ASKS, EARLIER_ASKS_WITHIN_CHARACTERS } from './text-limits.ts';

/** What is longer, in UTF-16 units, is no question apart from its context. */
const LONGEST_QUESTION = 4_000;

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
 * templates share. The exact wordings of single products are in known-shapes.ts.
 */
export function questionInRetrieval(text: string): string | undefined {
  const turns = turnsInChatTemplate(text);
  if (turns !== undefined) return newestFirst(turns.map((turn) => questionInRetrieval(turn) ?? turn));
  const question =
    questionInJson(text) ?? (text.includes('\n') ? questionInLines(text) : questionAfterPassages(text));
  return question !== undefined && question !== '' && question.length <= LONGEST_QUESTION
    ? question
    : undefined;
}

/** `Passage [1]: … User query: …?` on one line. */
function questionAfterPassages(text: string): string | undefined {
  if (!FIRST_PASSAGE.test(text)) return undefined; // most texts
  const [label] = [...text.matchAll(INLINE_QUESTION)].slice(-1);
  if (label === undefined || !isLongContext(text.slice(0, label.index), 0)) return undefined;
  return text
    .slice(label.index + label[0].length)
    .replace(/\s{0,9}(?:Helpful )?Answer:$/, '')
    .trim();
}

const FIRST_PASSAGE =
  /^(?:passage|document|source|context|chunk|snippet|excerpt) ?[[(#]?\d{1,3}[\])]?(?: ?\([^()]{0,60}\))?:/i;
const INLINE_QUESTION = /\b(?:user(?:'s)? |customer )?(?:query|question):/gi;

function questionInLines(text: string): string | undefined {
  return questionInAlpaca(text) ?? questionInOutline(text) ?? questionInEmail(text);
}

function questionInOutline(text: string): string | undefined {
  const labels = labelsIn(text);
  const blocks = text.includes('<') ? knownBlocks(text) : NO_BLOCKS;
  if (blocks.length === 0 && !labels.some(isSign) && !MAY_HOLD_RULES.test(text)) {
    return questionUnderInstruction(text, labels); // most texts have none
  }
  const outline = outlineOf(text, labels, blocks);
  return (
    taggedQuestion(outline) ??
    labelledQuestion(outline) ??
    lastTurn(outline) ??
    looseQuestion(outline) ??
    bareQuestion(outline) ??
    questionUnderInstruction(text, labels)
  );
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
  if (DEFERS.test(question) || PLACEHOLDER.test(question)) return undefined;
  const chunks = labels.filter(({ isChunk }) => isChunk).length + contexts.length;
  const hasContext = chunks > 0 || labels.some(({ kind }) => kind === 'context');
  const isTemplate = () => endsWithPrompt(labels, text) || hasInstruction(text);
  const isLong = isLongContext(text, question.length);
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

/** The template itself is what the person asks about. */
const PLACEHOLDER = /^(?:\$?\{{1,3}[^{}\n]{0,60}\}{1,3}|<[^<>\n]{0,60}>|\[[^[\]\n]{0,60}\])$/;

/** A question in quotation marks of its own. */
const QUOTED = /^("{3}|'{3}|["'`])([^"'`]+)\1$/;

/** Up to the next label or block. Persons' and models' names are no end: a question may quote them. */
function bodyOf({ text, labels, contexts }: Outline, { bodyStart, lineStart }: Label): string {
  const next = labels.find((label) => label.lineStart > lineStart && !isTurn(label));
  const block = contexts.find(({ start }) => start >= bodyStart);
  const body = text.slice(bodyStart, Math.min(next?.lineStart ?? text.length, block?.start ?? text.length));
  return QUOTED.exec(body.trim())?.[2] ?? body.trim();
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
  if (!isPrompted && said.at(-1)?.includes('\n\n')) return undefined; // something else follows the conversation
  return newestFirst(said);
}

/** The last ask, and as many of those before it as a follow-up question may need. */
function newestFirst(said: readonly string[]): string {
  const [newest = '', ...earlier] = said.toReversed();
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
  return asked.at(-1) ?? (isInstructed ? said.at(-1) : said.findLast(isClearCommand));
}

function isRetrieved({ name, inner }: TaggedBlock): boolean {
  return RETRIEVED_TAGS.has(name.toLowerCase()) && inner.length >= LEAST_CONTEXT;
}

/**
 * A question without a label and without any instruction, beside context that triple quotes or a label set apart. Persons
 * write so too: the question must be clear without what is beside it.
 */
function bareQuestion({ text, labels }: Outline): string | undefined {
  const apart =
    setApartUnderLabel(text, labels) ??
    betweenRules(text, TRIPLE_QUOTES) ??
    underLabel(text, labels) ??
    aboveLastParagraph(text, labels) ??
    inFence(text);
  if (apart === undefined) return undefined;
  const [paragraph, ...further] = [
    ...paragraphs(text.slice(0, apart.start)),
    ...paragraphs(text.slice(apart.end)),
  ];
  if (paragraph === undefined || further.length > 0) return undefined;
  const label = labelsIn(paragraph)[0];
  const question = label?.kind === 'question' ? paragraph.slice(label.bodyStart).trim() : paragraph;
  return speaksForItself(question, text.slice(apart.start, apart.end)) ? question : undefined;
}

/** Prose in fences with which the text begins. Before a fence persons ask about what they pasted into it: then the whole text is scored. */
function inFence(text: string): Span | undefined {
  const fences = betweenRules(text, PLAIN_FENCE);
  if (fences === undefined || text.slice(0, fences.start).trim() !== '') return undefined;
  return isProse(text.slice(fences.start, fences.end)) ? fences : undefined;
}

const PLAIN_FENCE = /^[ \t]*(`{3,10}|~{3,10})(?:text|txt|plaintext|plain|markdown|md)?[ \t\r]*$/gim;

/** Full sentences with few digits and signs: neither a log nor code nor a table. */
function isProse(text: string): boolean {
  const sentences = text.match(/\p{L}[.!?](?=\s|$)|[。！？]/gu)?.length ?? 0;
  const plain = text.match(/[\p{L}\s,.'’]/gu)?.length ?? 0;
  return sentences >= 2 && plain >= PROSE_SHARE * text.length;
}

/** The share of such characters is .96 or more in English prose with some numbers, and under .85 in logs. */
const PROSE_SHARE = 0.93;

/** What quotation marks, a fence of plain text or a rule set apart under a label of retrieved text, with the label. */
function setApartUnderLabel(text: string, labels: readonly Label[]): Span | undefined {
  const label = labels[0];
  if (label?.kind !== 'context' || labels.length > 1 || !isRetrievedLabel(text, label)) return undefined;
  OPENING.lastIndex = label.bodyStart;
  const opening = OPENING.exec(text);
  const bodyStart = opening === null ? label.bodyStart : OPENING.lastIndex;
  const close = opening === null ? SINGLE_RULE.exec(text.slice(bodyStart)) : undefined;
  if (opening !== null) {
    const at = text.indexOf(opening[1]!, bodyStart);
    return at < 0 ? undefined : { start: label.lineStart, end: at + opening[1]!.length };
  }
  return close ? { start: label.lineStart, end: bodyStart + close.index + close[0].length } : undefined;
}

const OPENING = /\s{0,20}("{3}|'{3}|`{3}|~{3})(?:(?:text|txt|plaintext|markdown|md)?(?=[ \t\r]*\n))?/iy;
const SINGLE_RULE = /^(?:-{3,80}|={3,80}|\*{3,80})[ \t\r]*$/m;

/** From the first label of retrieved text to the end. */
function underLabel(text: string, labels: readonly Label[]): Span | undefined {
  const first = labels[0];
  if (first?.kind !== 'context' || first.lineStart === 0) return undefined;
  return isRetrievedLabel(text, first) ? { start: first.lineStart, end: text.length } : undefined;
}

/** Under a label with which the text begins, such as `Based on the following articles:`, all but the last paragraph. */
function aboveLastParagraph(text: string, labels: readonly Label[]): Span | undefined {
  const [label] = labels;
  if (label?.kind !== 'context' || labels.length > 1 || text.slice(0, label.lineStart).trim() !== '')
    return undefined;
  const last = text.trimEnd().lastIndexOf('\n\n');
  return last > label.bodyStart && isRetrievedLabel(text, label)
    ? { start: label.lineStart, end: last }
    : undefined;
}

function isRetrievedLabel(text: string, { lineStart, bodyStart }: Label): boolean {
  return RETRIEVED_LABEL.test(text.slice(lineStart, bodyStart));
}

/** Labels that persons hardly give to what they wrote or pasted themselves. */
const RETRIEVED_LABEL =
  /\b(?:contexts?|documents|sources|passages|excerpts|snippets|chunks|search results|following articles|knowledge(?: base)?|kontext|contexte|contexto|contesto)\b|контекст|上下文|已知信息|参考资料|文脈|コンテキスト|参考情報|컨텍스트|문맥/iu;

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
const RULE = /^[ \t]*("{3,10}|'{3,10}|`{3,10}|-{3,80}|={3,80}|\*{3,80})[ \t\r]*$/gm;

const MAY_HOLD_RULES = /"{3}|'{3}|`{3}|~{3}|-{3}|={3}|\*{3}/;

const TRIPLE_QUOTES = /^[ \t]*("{3}|'{3})[ \t\r]*$/gm;

interface Span {
  readonly start: number;
  readonly end: number;
}

function betweenRules(text: string, rule = RULE): Span | undefined {
  const rules = [...text.matchAll(rule)];
  const first = rules[0];
  const last = rules.findLast(([, rule]) => rule![0] === first![1]![0]);
  if (first === undefined || last === undefined || first === last) return undefined;
  return { start: first.index, end: last.index + last[0].length };
}
