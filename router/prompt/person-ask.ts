import type { ContentPart, Message } from '../types.ts';
import type { BlockShape, FrameShape, MessageShape, MessageStart, WrapperShape } from './harness-shapes.ts';
import { shapesOfKind, showsHarness } from './known-shapes.ts';
import { questionInRetrieval } from './question-in-retrieval.ts';
import {
  blockAt,
  blockAtEnd,
  firstAtLineStart,
  lastAtLineStart,
  onlyBlocks,
  openingTagAt,
  skipWhiteSpace,
  type TaggedBlock,
  tagClosingAtEnd,
} from './text-blocks.ts';

/** What a person asked in one message. */
interface PersonAsk {
  /** Without harness noise; empty if the harness wrote all of it. */
  readonly text: string;
  /** Earlier messages belong to something else. */
  readonly endsHistory: boolean;
}

/** OpenAI and Anthropic say "user"; LangChain's serialised messages say "human". */
const PERSON_ROLES: readonly string[] = ['user', 'human'];
/** Chat Completions and Messages say "text"; the Responses API says "input_text". */
const TEXT_PARTS: readonly string[] = ['text', 'input_text'];
const PARTS = shapesOfKind('part');
const MESSAGES = shapesOfKind('message');

/**
 * The texts in a message that a person sent, as they came; none for every other role. Images, audio, files, thinking, tool calls and tool
 * results are passed over.
 */
export function personTexts({ role, content }: Message): readonly string[] {
  if (!PERSON_ROLES.includes(role)) return [];
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.filter(isTextPart).map(({ text }) => text);
}

/** Messages come from outside: a part may be anything. */
function isTextPart(part: ContentPart | null): part is ContentPart & { readonly text: string } {
  return typeof part?.text === 'string' && TEXT_PARTS.includes(part.type);
}

/**
 * What the person asked in the given texts of one message. A known message or template is looked for in all of them together, since a harness
 * may spread it over several parts; otherwise each part loses its own noise. Most messages are one text without a sign of a harness, and done
 * with at once.
 */
export function personAsk(texts: readonly string[]): PersonAsk {
  const plain = texts.length === 1 ? texts[0]!.trim() : undefined;
  if (plain !== undefined && !showsHarness(plain)) return { text: plain, endsHistory: false };
  const whole = withoutEdges(texts.join('\n'));
  const message = MESSAGES.find(({ starts }) => starts.some((start) => isStartedBy(whole, start)));
  if (message !== undefined) return { text: keptBy(message, whole), endsHistory: false };
  const question = questionInTemplate(whole);
  return askInParts(question === undefined ? texts : [question]);
}

function isStartedBy(text: string, { opens, goesOn }: MessageStart): boolean {
  if (!text.startsWith(opens)) return false;
  if (goesOn === undefined) return true;
  goesOn.lastIndex = opens.length;
  return goesOn.test(text);
}

function askInParts(parts: readonly string[]): PersonAsk {
  const asks: string[] = [];
  let endsHistory = false;
  for (const part of parts) {
    const ask = withoutHarness(part);
    const shape = PARTS.find(({ starts }) => starts.some((start) => ask.startsWith(start)));
    if (shape?.endsHistory) {
      endsHistory = true;
      asks.length = 0;
    }
    if (shape === undefined && ask !== '') asks.push(ask);
  }
  return { text: asks.join('\n'), endsHistory };
}

/** The last block in a message of the harness that holds the person's own words. */
function keptBy({ keeps }: MessageShape, text: string): string {
  let last = { start: -1, inner: '' };
  for (const tag of keeps) {
    const block = blockAt(text, lastAtLineStart(text, `<${tag}>`));
    if (block !== undefined && block.start > last.start) last = block;
  }
  return withoutHarness(last.inner);
}

/** Harnesses wrap harnesses, but not deeply; the bound keeps the work linear for a text made to nest for ever. */
const MAX_LAYERS = 8;

/**
 * The trimmed text without what harnesses put round it, layer by layer until nothing known is left.
 * Empty if there was nothing else. A text without harness noise comes back trimmed and otherwise unchanged.
 */
function withoutHarness(text: string): string {
  let inner = withoutEdges(text);
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    const question = questionInTemplate(inner);
    if (question === undefined) return inner;
    inner = withoutEdges(question);
  }
  return inner;
}

const SPANS = shapesOfKind('span');
const TAILS = shapesOfKind('tail');
const BLOCKS: ReadonlyMap<string, BlockShape> = new Map(
  shapesOfKind('block').flatMap((shape) => shape.tags.map((tag) => [tag, shape] as const)),
);

/**
 * The trimmed text without the known blocks, lines and rules that a harness puts before and after a person's words.
 * Noise between the person's words stays: there it is quoted.
 */
function withoutEdges(text: string): string {
  return withoutEnd(withoutStart(text.trim()));
}

function withoutStart(text: string): string {
  let position = 0;
  let next = endOfNoiseAt(text, position);
  while (next > position) {
    position = skipWhiteSpace(text, next);
    next = endOfNoiseAt(text, position);
  }
  return text.slice(position);
}

/** The end of the block or span that starts at `position`; `position` itself if none does. */
function endOfNoiseAt(text: string, position: number): number {
  const shape = BLOCKS.get(openingTagAt(text, position)?.name ?? '');
  if (shape === undefined) return endOfSpanAt(text, position);
  const block = blockAt(text, position);
  return block !== undefined && fits(shape, block) ? block.end : position;
}

function endOfSpanAt(text: string, position: number): number {
  const span = SPANS.find(({ opens }) => opens.some((opening) => text.startsWith(opening, position)));
  if (span === undefined) return position;
  const close = text.indexOf(span.closes, position);
  if (close >= 0) return close + span.closes.length;
  return span.closes === '\n' ? text.length : position;
}

function withoutEnd(text: string): string {
  let rest = withoutTail(text).trimEnd();
  let block = noiseBlockAtEnd(rest);
  while (block !== undefined) {
    rest = rest.slice(0, block.start).trimEnd();
    block = noiseBlockAtEnd(rest);
  }
  return rest;
}

function withoutTail(text: string): string {
  const starts = TAILS.map(({ opens }) => firstAtLineStart(text, opens)).filter((start) => start > 0);
  return text.slice(0, Math.min(text.length, ...starts));
}

function noiseBlockAtEnd(text: string): TaggedBlock | undefined {
  const shape = BLOCKS.get(tagClosingAtEnd(text) ?? '');
  if (shape?.edge !== 'both') return undefined;
  const block = blockAtEnd(text);
  return block !== undefined && fits(shape, block) ? block : undefined;
}

function fits(shape: BlockShape, block: TaggedBlock): boolean {
  return shape.holds === undefined || block.inner.includes(shape.holds);
}

const WRAPPERS = shapesOfKind('wrapper');
const FRAMES = shapesOfKind('frame');

/** The person's words, if the trimmed text as a whole is one of the known wrappers or templates; else undefined. Empty for an empty wrapper. */
function questionInTemplate(text: string): string | undefined {
  return questionInWrapper(text) ?? questionInFrame(text) ?? questionInRetrieval(text);
}

function questionInWrapper(text: string): string | undefined {
  const blocks = text.startsWith('<') ? onlyBlocks(text) : undefined;
  if (blocks === undefined) return undefined;
  const wrapper = WRAPPERS.find((shape) => covers(shape, blocks));
  if (wrapper === undefined) return undefined;
  const asks = blocks.filter(({ name }) => wrapper.tags.includes(name)).map(({ inner }) => inner.trim());
  return asks.filter((ask) => ask !== '').join('\n');
}

function covers({ tags, alongside }: WrapperShape, blocks: readonly TaggedBlock[]): boolean {
  const isKnown = ({ name }: TaggedBlock) =>
    tags.includes(name) || alongside === 'any' || alongside.includes(name);
  return blocks.some(({ name }) => tags.includes(name)) && blocks.every(isKnown);
}

function questionInFrame(text: string): string | undefined {
  for (const frame of FRAMES) {
    const question = questionInside(frame, text);
    if (question) return question;
  }
  return undefined;
}

function questionInside(frame: FrameShape, text: string): string | undefined {
  if (frame.starts !== undefined && !frame.starts.some((start) => text.startsWith(start))) return undefined;
  if (frame.holds !== undefined && !frame.holds.every((held) => text.includes(held))) return undefined;
  const from = startOfQuestion(frame, text);
  if (from === undefined) return undefined;
  return untilMarker(frame, text.slice(from));
}

function startOfQuestion(frame: FrameShape, text: string): number | undefined {
  if (frame.askAfter === undefined) return 0;
  const find = frame.occurrence === 'first' ? firstAtLineStart : lastAtLineStart;
  for (const marker of frame.askAfter) {
    const index = find(text, marker);
    if (index < 0) continue;
    if (!frame.askOnNextLine) return index + marker.length;
    const lineEnd = text.indexOf('\n', index);
    return lineEnd < 0 ? undefined : lineEnd + 1;
  }
  return undefined;
}

/** The question without what follows it in the template; undefined if the template must go on and does not. */
function untilMarker({ askUntil, tails = [] }: FrameShape, text: string): string | undefined {
  const end = askUntil === undefined ? text.length : firstAtLineStart(text, askUntil);
  if (end < 0) return undefined;
  const question = text.slice(0, end).trim();
  const tail = tails.find((ending) => question.endsWith(ending));
  return tail === undefined ? question : question.slice(0, -tail.length).trim();
}
