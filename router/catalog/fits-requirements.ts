import { UNKNOWN_CAPABILITIES } from './catalog.ts';
import type { Requirements } from './requirements.ts';
import type { Capability, CatalogModel } from './types.ts';

/** What of a request a model cannot meet. */
export type UnmetRequirement =
  | 'tools'
  | 'images'
  | 'audio'
  | 'structured-output'
  | 'context-window'
  | 'max-output-tokens';

type Check = (model: CatalogModel, requirements: Requirements) => boolean;

/** What a model must meet, in the order in which it is told what it does not. */
const CHECKS: readonly (readonly [UnmetRequirement, Check])[] = [
  ['tools', (model, { tools }) => !tools || can(model, 'tools')],
  ['images', (model, { images }) => !images || can(model, 'images')],
  ['audio', (model, { audio }) => !audio || can(model, 'audio')],
  [
    'structured-output',
    (model, { structuredOutput }) => !structuredOutput || can(model, 'structured-output'),
  ],
  [
    'context-window',
    ({ contextWindow }, { inputTokens, maxOutputTokens = 0 }) =>
      contextWindow === undefined || inputTokens + maxOutputTokens <= contextWindow,
  ],
  [
    'max-output-tokens',
    (model, { maxOutputTokens = 0 }) =>
      model.maxOutputTokens === undefined || maxOutputTokens <= model.maxOutputTokens,
  ],
];

const NONE: readonly UnmetRequirement[] = [];

/**
 * What a model lacks for a request, in a fixed order: capabilities, then the context window, which must hold the estimated input and the
 * reply that the client allows together, then the longest reply. What the catalog does not know excludes nothing; the provider's refusal is
 * then the response.
 */
export function unmetRequirements(
  model: CatalogModel,
  requirements: Requirements,
): readonly UnmetRequirement[] {
  if (CHECKS.every(([, meets]) => meets(model, requirements))) return NONE; // nearly always: nothing is allocated
  return CHECKS.filter(([, meets]) => !meets(model, requirements)).map(([requirement]) => requirement);
}

function can({ capabilities }: CatalogModel, capability: Capability): boolean {
  return capabilities === UNKNOWN_CAPABILITIES || capabilities.has(capability);
}
