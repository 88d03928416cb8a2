import { PlimsollError } from '../errors.ts';

/** What a request's `model` asks for. */
export type WantedModel =
  | { readonly kind: 'auto'; readonly profile: string | undefined }
  /** A policy by name, and where the request says so at which threshold. */
  | { readonly kind: 'policy'; readonly policy: string; readonly threshold: number | undefined }
  | { readonly kind: 'explicit'; readonly name: string };

const PLAIN_AUTO: WantedModel = { kind: 'auto', profile: undefined };
/** A longer `model` names nothing; refused before any pattern or list is searched for it. */
const MAX_MODEL_CHARACTERS = 256;
const AUTO = /^auto(?::([\w.-]+))?$/;
/** Each dash-separated part has one way to match (the lookahead decides it), so that matching takes linear time. */
const POLICY = /^router-([\w.]+(?:-(?=[\d.]*[a-z_])[\w.]+)*)(?:-(-?(?:\d+|\d*\.\d+)))?$/i;

/**
 * `auto`, `auto:<profile>`, `router-<policy>` or `router-<policy>-<threshold>`, or `<provider>/<model>`.
 * @throws PlimsollError `invalid-input` where `model` is none of them
 */
export function wantedModel(model: unknown): WantedModel {
  if (typeof model !== 'string' || model === '') throw unknownModel('model must name one');
  if (model === 'auto') return PLAIN_AUTO; // nearly all of them
  if (model.length > MAX_MODEL_CHARACTERS) {
    throw unknownModel(
      `model has ${model.length} characters, and no name has more than ${MAX_MODEL_CHARACTERS}`,
    );
  }
  const auto = AUTO.exec(model);
  if (auto) return { kind: 'auto', profile: auto[1] };
  const policy = POLICY.exec(model);
  if (policy) {
    const threshold = policy[2] === undefined ? undefined : Number(policy[2]);
    return { kind: 'policy', policy: policy[1]!, threshold };
  }
  if (/^[^/]+\/.+$/.test(model)) return { kind: 'explicit', name: model };
  throw unknownModel('there is no such model');
}

function unknownModel(what: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${what}: auto, auto:<profile>, router-<policy>, router-<policy>-<threshold>, or <provider>/<model>. GET /v1/models lists them.`,
    { place: { field: 'model' } },
  );
}
