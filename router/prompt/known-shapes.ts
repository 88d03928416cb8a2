import { EDITOR_SHAPES } from './editor-shapes.ts';
import type { HarnessShape } from './harness-shapes.ts';
import { RETRIEVAL_SHAPES } from './retrieval-shapes.ts';
import { TERMINAL_AGENT_SHAPES } from './terminal-agent-shapes.ts';

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
