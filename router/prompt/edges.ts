import type { BlockShape } from './harness-shapes.ts';
import { shapesOfKind } from './known-shapes.ts';
import { firstAtLineStart } from './line-start.ts';
import {
  blockAt,
  blockAtEnd,
  openingTagAt,
  skipWhiteSpace,
  type TaggedBlock,
  tagClosingAtEnd,
} from './tagged-block.ts';

const SPANS = shapesOfKind('span');
const TAILS = shapesOfKind('tail');
const BLOCKS: ReadonlyMap<string, BlockShape> = new Map(
  shapesOfKind('block').flatMap((shape) => shape.tags.map((tag) => [tag, shape] as const)),
);

/**
 * The trimmed text without the known blocks, lines and rules that a harness puts before and after a person's words.
 * What stands between the person's words stays: it is quoted.
 */
export function withoutEdges(text: string): string {
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
