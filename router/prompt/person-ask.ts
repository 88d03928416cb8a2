import type { ContentPart, Message } from '../types.ts';
import { withoutEdges } from './edges.ts';
import type { MessageShape, MessageStart } from './harness-shapes.ts';
import { showsHarness } from './harness-signs.ts';
import { shapesOfKind } from './known-shapes.ts';
import { lastAtLineStart } from './line-start.ts';
import { questionInTemplate } from './question-in-template.ts';
import { blockAt } from './tagged-block.ts';
import { withoutHarness } from './without-harness.ts';

/** What a person asked in one message. */
export interface PersonAsk {
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
