import { withoutEdges } from './edges.ts';
import { questionInTemplate } from './question-in-template.ts';

/** Harnesses wrap harnesses, but not deeply; the bound keeps the work linear for a text made to nest for ever. */
const MAX_LAYERS = 8;

/**
 * The trimmed text without what harnesses put round it, layer by layer until nothing known is left.
 * Empty if there was nothing else. A text without harness noise comes back trimmed and otherwise unchanged.
 */
export function withoutHarness(text: string): string {
  let inner = withoutEdges(text);
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    const question = questionInTemplate(inner);
    if (question === undefined) return inner;
    inner = withoutEdges(question);
  }
  return inner;
}
