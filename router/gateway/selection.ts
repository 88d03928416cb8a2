import { type Requirements, requirementsOf } from '../catalog/requirements.ts';
import type { Catalog, CatalogModel } from '../catalog/types.ts';
import { PlimsollError } from '../errors.ts';
import { chooseRung } from '../policy/choose-rung.ts';
import type { Decision, Router } from '../router.ts';
import type { Message } from '../types.ts';
import { candidatesFor, fittingRungs } from '../upstream/candidates.ts';
import type { UpstreamSettings } from '../upstream/config.ts';
import type { ProfilesConfig } from './config.ts';
import type { GatewayRequest } from './requests.ts';
import { type WantedModel, wantedModel } from './wanted-model.ts';

/** Why a model was selected: a decision's reason, or one of these. */
export type SelectionReason = Decision['reason'] | 'explicit-model' | 'requirements' | 'requested-threshold';

/** Whom a request goes to. */
export interface Selection {
  readonly selected: CatalogModel;
  /** In the order in which they are asked; the first is `selected`. */
  readonly candidates: readonly CatalogModel[];
  readonly reason: SelectionReason;
  /** Undefined where the client named the model. */
  readonly decision: Decision | undefined;
  /** The rungs that were chosen among, cheapest first; empty for an explicit model. */
  readonly ladder: readonly CatalogModel[];
}

/** What selecting needs; all of it belongs to one state of the configuration. */
export interface SelectionParts {
  readonly router: Router;
  readonly catalog: Catalog;
  readonly profiles: ProfilesConfig;
  readonly upstream: UpstreamSettings;
  readonly allowUngated: boolean;
  /** By name of a model: whom to ask in its place. */
  readonly fallbacks: Readonly<Record<string, readonly CatalogModel[]>>;
}

/**
 * Reads `model` and chooses. An explicit model is obeyed and has no fallbacks: who names a model wants that one. Else the gated policy
 * decides among the rungs that can do what the request needs.
 * @throws PlimsollError `invalid-input` where no candidate can do what is asked, or a threshold has not passed the gate; `not-found`
 *   where the model, the profile or the policy does not exist
 */
export async function select(request: GatewayRequest, parts: SelectionParts): Promise<Selection> {
  const wanted = wantedModel(request.body['model']);
  if (wanted.kind === 'explicit') return explicit(parts.catalog.get(wanted.name));
  if (request.operation === 'embeddings') throw needsExplicitModel();
  const ladder = ladderOf(wanted, parts);
  const requirements = requirementsOf(request.body, request.dialect);
  const rungs = fittingRungs(ladder, requirements);
  if (rungs.length === 0) throw nothingFits(requirements);
  const decision = await decided(request, wanted, parts);
  const routed = routedRung(decision, wanted, parts);
  const rung = rungs.find((one) => one >= routed.rung) ?? rungs[rungs.length - 1]!;
  const candidates = candidatesFor({
    rung,
    ladder,
    fallbacks: parts.fallbacks,
    requirements,
    allowDowngrade: parts.upstream.allow_downgrade,
  });
  const reason = rung === routed.rung ? routed.reason : 'requirements';
  return { selected: candidates[0]!, candidates, reason, decision, ladder };
}

function explicit(model: CatalogModel): Selection {
  return { selected: model, candidates: [model], reason: 'explicit-model', decision: undefined, ladder: [] };
}

/** The models behind the router's candidates, by the profile where the request names one. */
function ladderOf(wanted: WantedModel, { router, catalog, profiles }: SelectionParts): CatalogModel[] {
  const name = wanted.kind === 'auto' ? wanted.profile : undefined;
  const profile = name !== undefined && Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (name !== undefined && profile === undefined) {
    const known = Object.keys(profiles).join(', ') || 'none';
    throw new PlimsollError(
      'not-found',
      `There is no profile "${name.slice(0, 100)}". There are: ${known}.`,
      {
        place: { field: 'model' },
      },
    );
  }
  return router.ladder.map(({ candidate, model }) => catalog.get(profile?.ladder[candidate] ?? model));
}

function decided(
  request: GatewayRequest,
  wanted: WantedModel,
  { router }: SelectionParts,
): Promise<Decision> {
  const messages = request.body['messages'] as readonly Message[]; // whose form has been checked
  const options = wanted.kind === 'policy' ? { policy: wanted.policy } : {};
  return router.route({ messages }, options);
}

/** The policy's own choice, or that of a threshold which the request names: the gated one, or any where that is allowed. */
function routedRung(
  decision: Decision,
  wanted: WantedModel,
  { router, allowUngated }: SelectionParts,
): { readonly rung: number; readonly reason: SelectionReason } {
  const rung = router.ladder.findIndex(({ candidate }) => candidate === decision.candidate);
  const threshold = wanted.kind === 'policy' ? wanted.threshold : undefined;
  if (threshold === undefined || threshold === decision.threshold) return { rung, reason: decision.reason };
  if (!allowUngated) throw ungatedThreshold(threshold, decision.threshold);
  if (decision.scores === null) return { rung, reason: decision.reason };
  const scores = router.ladder.map(({ candidate }) => decision.scores![candidate]!);
  return { rung: chooseRung(scores, threshold), reason: 'requested-threshold' };
}

function ungatedThreshold(threshold: number, gated: number | null): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `The threshold ${threshold} has not passed the gate${gated === null ? '' : `; ${gated} has`}. Leave it out, or let the operator set allow_ungated.`,
    { place: { field: 'model' } },
  );
}

function needsExplicitModel(): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    'Embeddings of two models cannot be mixed: name the model as <provider>/<model>.',
    { place: { field: 'model' } },
  );
}

function nothingFits(requirements: Requirements): PlimsollError {
  const needs = (['tools', 'images', 'audio', 'structuredOutput'] as const).filter(
    (need) => requirements[need],
  );
  const what = [...needs, `about ${requirements.inputTokens} tokens of input`].join(', ');
  return new PlimsollError(
    'invalid-input',
    `No candidate of the ladder can do what this request needs (${what}). Name a model that can, as <provider>/<model>.`,
    { place: { field: 'model' } },
  );
}
