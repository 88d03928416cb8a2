import type { CatalogModel, Requirements } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';

/**
 * What a model lacks for a request, in words for a person: "images", "the field seed". Empty if it can take the request.
 * Every reason to leave a model out of routing belongs in here, so that the policy chooses among what is left.
 */
export type Lacks = (model: CatalogModel) => readonly string[];

/** A rung that cannot take a request. */
interface ExcludedRung {
  readonly model: string;
  readonly lacks: readonly string[];
}

/** The rungs of a ladder that can take a request, and the others. */
export interface AllowedRungs {
  /** Ascending from 0, the cheapest; may be empty. */
  readonly rungs: readonly number[];
  readonly excluded: readonly ExcludedRung[];
}

/** The rungs whose model can take the request: what the policy may choose among. @param ladder cheapest first */
export function allowedRungs(ladder: readonly CatalogModel[], lacks: Lacks): AllowedRungs {
  const rungs: number[] = [];
  const excluded: ExcludedRung[] = [];
  for (const [rung, model] of ladder.entries()) {
    const lacking = lacks(model);
    if (lacking.length === 0) rungs.push(rung);
    else excluded.push({ model: model.name, lacks: lacking });
  }
  return { rungs, excluded };
}

export function nothingFits(excluded: readonly ExcludedRung[], requirements: Requirements): PlimsollError {
  return cannotTake(
    `No candidate of the ladder can do what this request needs (${needsOf(requirements)}): ${lackingOf(excluded)}.`,
    'Name a model that can, as <provider>/<model>.',
  );
}

export function onlyCheaperFits(
  excluded: readonly ExcludedRung[],
  requirements: Requirements,
): PlimsollError {
  return cannotTake(
    `Only a cheaper candidate than the one that was chosen can do what this request needs (${needsOf(requirements)}): ${lackingOf(excluded)}.`,
    'Name a model that can, as <provider>/<model>, or let the operator set upstream.allow_downgrade.',
  );
}

function cannotTake(why: string, remedy: string): PlimsollError {
  return new PlimsollError('invalid-input', `${why} ${remedy}`, { place: { field: 'model' } });
}

function needsOf(requirements: Requirements): string {
  const needs = (['tools', 'images', 'audio', 'structuredOutput'] as const).filter(
    (need) => requirements[need],
  );
  return [...needs, `about ${requirements.inputTokens} tokens of input`].join(', ');
}

function lackingOf(excluded: readonly ExcludedRung[]): string {
  return excluded.map(({ model, lacks }) => `${model} lacks ${lacks.join(', ')}`).join('; ');
}
