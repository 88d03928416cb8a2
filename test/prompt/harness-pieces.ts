import fc from 'fast-check';
import type { HarnessShape } from '../../router/prompt/harness-shapes.ts';
import { KNOWN_SHAPES } from '../../router/prompt/known-shapes.ts';

/** What a message start goes on with, and what people write. */
const WORDS = [
  'ask',
  'How do I do this?',
  "read_file for 'a'] Result:",
  'denied this operation',
  'OS Version 25',
  '<attachment>',
  '<p>',
  'a > b',
  '>',
  '<',
  '\0',
  '\ud800',
  '漢字',
];
const SPACES = ['', '', '', ' ', '\t', '\n', '\n\n', '\r\n', '\u00a0', '\ufeff'];

/** Every text of the table that means something to a shape, shape by shape. */
const MARKERS = KNOWN_SHAPES.map(markersOf);

const space = fc.constantFrom(...SPACES);
const pieceOf = (markers: readonly string[]) => {
  const marker = fc.constantFrom(...markers);
  const broken = marker.chain((text) => fc.nat({ max: text.length }).map((end) => text.slice(0, end)));
  return fc.oneof(marker, marker, marker, broken, fc.constantFrom(...WORDS), fc.string());
};

/** Texts of the markers of one shape or of all, whole and broken, in any order, with words and white space between and round them. */
export const harnessLike: fc.Arbitrary<string> = fc
  .constantFrom(...MARKERS, MARKERS.flat())
  .chain((markers) => fc.array(fc.tuple(space, pieceOf(markers)), { maxLength: 8 }))
  .chain((pieces) => space.map((end) => pieces.flat().join('') + end));

function markersOf(shape: HarnessShape): readonly string[] {
  switch (shape.kind) {
    case 'block':
      return [...shape.tags.flatMap(tagsOf), shape.holds ?? ''];
    case 'wrapper':
      return shape.tags.flatMap(tagsOf);
    case 'span':
      return [...shape.opens, shape.closes];
    case 'tail':
      return [shape.opens];
    case 'part':
      return shape.starts;
    case 'message':
      return [...shape.starts.map(({ opens }) => opens), ...shape.keeps.flatMap(tagsOf)];
    case 'frame':
      return [
        ...(shape.starts ?? []),
        ...(shape.holds ?? []),
        ...(shape.askAfter ?? []),
        shape.askUntil ?? '',
        ...(shape.tails ?? []),
      ];
  }
}

function tagsOf(tag: string): readonly string[] {
  return [`<${tag}>`, `<${tag} id="1">`, `</${tag}>`];
}
