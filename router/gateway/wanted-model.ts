import { MAX_MODEL_CHARACTERS } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { RouteOptions } from '../router.ts';

/** What a request's `model` asks for. */
export type WantedModel =
  | { readonly kind: 'auto'; readonly profile: string | undefined }
  /** A policy by name, and the threshold if the request names one. */
  | { readonly kind: 'policy'; readonly policy: string; readonly threshold: number | undefined }
  | { readonly kind: 'explicit'; readonly name: string };

const PLAIN_AUTO: WantedModel = { kind: 'auto', profile: undefined };
const AUTO = /^auto(?::([\w.-]+))?$/;
/** Each dash-separated part has one way to match (the lookahead decides it), so that matching takes linear time. */
const POLICY = /^router-([\w.]+(?:-(?=[\d.]*[a-z_])[\w.]+)*)(?:-(-?(?:\d+|\d*\.\d+)))?$/i;

/**
 * Reads `auto`, `auto:<profile>`, `router-<policy>` or `router-<policy>-<threshold>`; anything else names a model. Whether what it names
 * exists is not looked up.
 * @throws PlimsollError `invalid-input` if it is no text, or too long to name anything
 */
export function wantedModel(model: unknown): WantedModel {
  if (model === 'auto') return PLAIN_AUTO; // nearly all of them
  if (typeof model !== 'string' || model === '') throw noModel('model must name one');
  if (model.length > MAX_MODEL_CHARACTERS) {
    throw noModel(`model has ${model.length} characters, and no name has more than ${MAX_MODEL_CHARACTERS}`);
  }
  const auto = AUTO.exec(model);
  if (auto) return { kind: 'auto', profile: auto[1] };
  const policy = POLICY.exec(model);
  if (policy) {
    const threshold = policy[2] === undefined ? undefined : Number(policy[2]);
    return { kind: 'policy', policy: policy[1]!, threshold };
  }
  return { kind: 'explicit', name: model };
}

const NO_OPTIONS: RouteOptions = {};

/** The same for the router. */
export function optionsOf(wanted: Exclude<WantedModel, { kind: 'explicit' }>): RouteOptions {
  if (wanted.kind === 'auto') return wanted.profile === undefined ? NO_OPTIONS : { profile: wanted.profile };
  const { policy, threshold } = wanted;
  return threshold === undefined ? { policy } : { policy, threshold };
}

function noModel(what: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${what}: auto, auto:<profile>, router-<policy>, router-<policy>-<threshold>, or <provider>/<model>. GET /v1/models lists them.`,
    { place: { field: 'model' } },
  );
}
