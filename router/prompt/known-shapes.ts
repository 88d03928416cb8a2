import { EDITOR_SHAPES, TERMINAL_AGENT_SHAPES } from './agent-shapes.ts';
import type { FrameShape, HarnessShape } from './harness-shapes.ts';
import { questionInRetrieval } from './question-in-retrieval.ts';
import { RETRIEVAL_SHAPES } from './retrieval-shapes.ts';

/** Every shape that is recognised. Where two fit, the first wins. */
export const KNOWN_SHAPES: readonly HarnessShape[] = [
  ...TERMINAL_AGENT_SHAPES,
  ...EDITOR_SHAPES,
  ...RETRIEVAL_SHAPES,
];

/** The known shapes of one kind, in the order of the table. */
export function shapesOfKind<Kind extends HarnessShape['kind']>(
  kind: Kind,
): readonly Extract<HarnessShape, { kind: Kind }>[] {
  return KNOWN_SHAPES.filter((shape): shape is Extract<HarnessShape, { kind: Kind }> => shape.kind === kind);
}

/** What a trimmed text shows if a shape is to change it: at least one of these. */
interface Signs {
  /** At its very start. */
  readonly starts?: readonly string[];
  /** Anywhere in it. */
  readonly holds?: readonly string[];
}

/** Blocks are looked for at the end of a text as well, and a block ends with a tag. */
const END_OF_TAG = '>';

const SIGNS = KNOWN_SHAPES.map(signsOf);
const HELD = SIGNS.flatMap(({ holds = [] }) => holds);
/** By their first unit: most texts start with a letter that few shapes or none start with. */
const STARTS = byFirstUnit([...new Set(SIGNS.flatMap(({ starts = [] }) => starts))]);

/**
 * False only if no known shape changes the trimmed text, which is so for most of what people write: a cheap look that spares the
 * search for each shape. True says nothing yet.
 */
export function showsHarness(trimmed: string): boolean {
  if (trimmed.endsWith(END_OF_TAG)) return true;
  const starts = STARTS[trimmed.charCodeAt(0)];
  if (starts?.some((start) => trimmed.startsWith(start))) return true;
  return HELD.some((held) => trimmed.includes(held)) || questionInRetrieval(trimmed) !== undefined;
}

function signsOf(shape: HarnessShape): Signs {
  switch (shape.kind) {
    case 'block':
    case 'wrapper':
      return { starts: ['<'] };
    case 'span':
      return { starts: shape.opens };
    case 'tail':
      return { holds: [shape.opens] };
    case 'part':
      return { starts: shape.starts };
    case 'message':
      return { starts: shape.starts.map(({ opens }) => opens) };
    case 'frame':
      return shape.starts === undefined ? { holds: [heldByFrame(shape)] } : { starts: shape.starts };
  }
}

/** A frame needs all that it lists, so the first is enough. A frame that lists nothing gives the empty text, which every text contains. */
function heldByFrame({ holds = [] }: FrameShape): string {
  return holds[0] ?? '';
}

function byFirstUnit(starts: readonly string[]): readonly (readonly string[])[] {
  const firstUnits = starts.map((start) => start.charCodeAt(0));
  return Array.from({ length: Math.max(...firstUnits) + 1 }, (_, unit) =>
    starts.filter((_start, index) => firstUnits[index] === unit),
  );
}
