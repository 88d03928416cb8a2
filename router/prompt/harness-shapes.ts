/** The kinds of things that a harness puts round what a person wrote. One table entry describes one known shape. */

interface ShapeBase {
  readonly name: string;
  /** Where the shape was seen. */
  readonly harness: string;
  /** What goes, in words. */
  readonly strips: string;
}

/** `<tag …>…</tag>` at the edge of a text. Never inside a text: there the person is quoting it. */
export interface BlockShape extends ShapeBase {
  readonly kind: 'block';
  readonly tags: readonly string[];
  /** 'start': only before the person's text. 'both': before and after. */
  readonly edge: 'start' | 'both';
  /** Text that the block must contain, if the tag alone is a common word. */
  readonly holds?: string;
}

/** From a fixed opening at the very start up to and including `closes` (or to the end of the text, if `closes` is a line break). */
export interface SpanShape extends ShapeBase {
  readonly kind: 'span';
  readonly opens: readonly string[];
  readonly closes: string;
}

/** From a line that starts with `opens` to the end of the text. */
export interface TailShape extends ShapeBase {
  readonly kind: 'tail';
  readonly opens: string;
}

/** A text part that no person wrote; the other parts of its message may be a person's, since clients merge messages. */
export interface PartShape extends ShapeBase {
  readonly kind: 'part';
  readonly starts: readonly string[];
  /** Nothing before it belongs to the conversation: earlier parts and turns are not read. */
  readonly endsHistory?: boolean;
}

/** A fixed opening and what must follow it: a sticky expression, so that it is matched right behind the opening. */
export interface MessageStart {
  readonly opens: string;
  readonly goesOn?: RegExp;
}

/** A whole message that no person wrote, all its parts together, except what is in certain tags. */
export interface MessageShape extends ShapeBase {
  readonly kind: 'message';
  readonly starts: readonly MessageStart[];
  /** Tags inside it that do hold a person's words; the last of them stays. */
  readonly keeps: readonly string[];
}

/** Tags round the person's words, in a text that consists of such blocks and nothing else. */
export interface WrapperShape extends ShapeBase {
  readonly kind: 'wrapper';
  readonly tags: readonly string[];
  /** Blocks that may accompany it and are removed; a text with any other block is left alone. */
  readonly alongside: readonly string[] | 'any';
}

/** A prompt template, recognised as a whole, of which only the question stays. Markers stand at the start of a line, indented or not. */
export interface FrameShape extends ShapeBase {
  readonly kind: 'frame';
  /** The text starts with one of these. */
  readonly starts?: readonly string[];
  /** All of these occur. */
  readonly holds?: readonly string[];
  /** The question follows the first of these markers that is found; without it, the question starts the text. */
  readonly askAfter?: readonly string[];
  /** Which occurrence of the marker; 'last' by default, since retrieved text can hold the same word. */
  readonly occurrence?: 'first' | 'last';
  /** The question starts on the line after the marker's. */
  readonly askOnNextLine?: boolean;
  /** The question ends before the first of these. */
  readonly askUntil?: string;
  /** Dropped from the end of the question, if they are there. */
  readonly tails?: readonly string[];
}

export type HarnessShape =
  | BlockShape
  | SpanShape
  | TailShape
  | PartShape
  | MessageShape
  | WrapperShape
  | FrameShape;
