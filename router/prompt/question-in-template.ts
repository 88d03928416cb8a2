import type { FrameShape, WrapperShape } from './harness-shapes.ts';
import { shapesOfKind } from './known-shapes.ts';
import { questionInRetrieval } from './question-in-retrieval.ts';
import { firstAtLineStart, lastAtLineStart, onlyBlocks, type TaggedBlock } from './text-blocks.ts';

const WRAPPERS = shapesOfKind('wrapper');
const FRAMES = shapesOfKind('frame');

/** The person's words, if the trimmed text as a whole is one of the known wrappers or templates; else undefined. Empty for an empty wrapper. */
export function questionInTemplate(text: string): string | undefined {
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
