import {
  type Catalog,
  type CatalogModel,
  MAX_MODEL_CHARACTERS,
  modelNotFound,
  noSuchModel,
} from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { RouteOptions, Router } from '../router.ts';
import { whyNoEffort } from '../targets/index.ts';

/** Names that clients send, or their beginnings and a `*` -> what they mean here. */
export type Aliases = Readonly<Record<string, string>>;

/** Something that `model` of a request may say. */
export interface ListedName {
  readonly id: string;
  /** The model that it names; undefined for what is routed. */
  readonly model: CatalogModel | undefined;
}

/** What `model` of a request may say, and what that means. */
export interface ModelNames {
  /** In the order of GET /v1/models. An alias for many names is listed as it is configured, with its `*`. */
  readonly listed: readonly ListedName[];
  /**
   * What a request's `model` asks for. An alias is resolved once. Whether a policy exists is left to the router, which can say why one
   * does not serve.
   * @throws PlimsollError `invalid-input` if it is no text or too long, `model-not-found` if it names nothing
   */
  resolve(model: unknown): WantedModel;
  /** One of `listed`, or a name that an alias covers. @throws PlimsollError `model-not-found` */
  find(id: string): ListedName;
  /** The error for a `model` that names nothing. @param why a sentence, if more can be said */
  notFound(model: string, why?: string): PlimsollError;
}

type NamingRouter = Pick<Router, 'profiles' | 'policies' | 'check'>;

/** @throws PlimsollError `invalid-config` if an alias is wrong: see `assertAlias` */
export function createModelNames(aliases: Aliases, catalog: Catalog, router: NamingRouter): ModelNames {
  const routed = [
    'auto',
    ...[...router.profiles.keys()].map((name) => `auto:${name}`),
    ...router.policies.map((name) => `router-${name}`),
  ];
  const real = [...routed, ...catalog.models.map(({ name }) => name)];
  const known = [...routed, ...Object.keys(aliases), ...catalog.models.map(({ name }) => name)];
  const exact = new Map<string, WantedModel>();
  const prefixes: { readonly prefix: string; readonly wanted: WantedModel }[] = [];
  let anyOther: WantedModel | undefined;
  for (const [name, target] of Object.entries(aliases)) {
    const wanted = wantedModel(target);
    assertAlias(name, target, wanted);
    if (name === ANY_OTHER) anyOther = wanted;
    else if (name.endsWith('*')) prefixes.push({ prefix: name.slice(0, -1), wanted });
    else exact.set(name, wanted);
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length);

  function exists(wanted: WantedModel): boolean {
    if (wanted.kind === 'explicit') return catalog.has(wanted.name);
    if (wanted.kind === 'policy') return router.policies.includes(wanted.policy);
    return wanted.profile === undefined || router.profiles.has(wanted.profile);
  }

  function aliased(model: string): WantedModel | undefined {
    return exact.get(model) ?? prefixes.find(({ prefix }) => model.startsWith(prefix))?.wanted;
  }

  /** An alias must name something that exists, and may not hide anything that does. */
  function assertAlias(name: string, target: string, wanted: WantedModel): void {
    const field = `aliases.${name}`;
    const fault = (why: string) =>
      new PlimsollError('invalid-config', `${field}: ${why}`, { place: { field } });
    const taken = takenBy(name);
    if (taken !== undefined) {
      throw fault(`"${taken}" exists already; an alias may not take its place. Choose another name.`);
    }
    if (Object.hasOwn(aliases, target)) {
      throw fault(`"${target}" is an alias itself, and aliases are resolved once. Write what it stands for.`);
    }
    if (!exists(wanted)) throw fault(noSuchModel(target, real));
    if (wanted.kind === 'explicit') return;
    try {
      router.check(optionsOf(wanted));
    } catch (error) {
      throw error instanceof PlimsollError ? fault(error.message) : error;
    }
  }

  /** A name that exists and that the alias would cover. */
  function takenBy(alias: string): string | undefined {
    if (alias === ANY_OTHER) return undefined; // it covers what nothing else does
    if (!alias.endsWith('*')) return exists(wantedModel(alias)) ? alias : undefined;
    const prefix = alias.slice(0, -1);
    const withThresholds = router.policies.map((name) => `router-${name}-`);
    return (
      real.find((name) => name.startsWith(prefix)) ?? withThresholds.find((name) => prefix.startsWith(name))
    );
  }

  const notFound = (model: string, why?: string) => modelNotFound(model, known, why);

  return {
    notFound,
    listed: known.map((id) => ({ id, model: modelOf(aliases[id] ?? id, catalog) })),
    resolve(model) {
      assertName(model);
      const alias = aliased(model);
      if (alias !== undefined) return alias;
      const wanted = wantedModel(model);
      if (wanted.kind === 'policy' && anyOther === undefined) return wanted;
      if (exists(wanted)) return wanted;
      if (anyOther !== undefined) return anyOther;
      throw notFound(model, whyNot(wanted, router) ?? whyNoEffort(model, catalog));
    },
    find(id) {
      const wanted = known.includes(id) ? wantedModel(aliases[id] ?? id) : (aliased(id) ?? anyOther);
      if (wanted === undefined) throw notFound(id);
      return { id, model: wanted.kind === 'explicit' ? catalog.get(wanted.name) : undefined };
    },
  };
}

/** The alias for every name that nothing else has. */
const ANY_OTHER = '*';

function modelOf(name: string, catalog: Catalog): CatalogModel | undefined {
  return catalog.has(name) ? catalog.get(name) : undefined;
}

function whyNot(wanted: WantedModel, { profiles }: NamingRouter): string | undefined {
  if (wanted.kind !== 'auto') return undefined;
  const all = [...profiles.keys()].join(', ') || 'none';
  return `There is no profile "${wanted.profile}". There are: ${all}.`;
}

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

/** Before any pattern, alias or log sees it. @throws PlimsollError `invalid-input` if it is no text, or too long to name anything */
function assertName(model: unknown): asserts model is string {
  if (typeof model !== 'string' || model === '') throw noModel('model must name one');
  if (model.length <= MAX_MODEL_CHARACTERS) return;
  throw noModel(`model has ${model.length} characters, and no name has more than ${MAX_MODEL_CHARACTERS}`);
}

/**
 * Reads `auto`, `auto:<profile>`, `router-<policy>` or `router-<policy>-<threshold>`; anything else names a model. Whether what it names
 * exists is not looked up.
 * @throws PlimsollError `invalid-input` if it is no text, or too long to name anything
 */
export function wantedModel(model: unknown): WantedModel {
  if (model === 'auto') return PLAIN_AUTO; // nearly all of them
  assertName(model);
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

/** The same for the router. @param profile that the request is for, whatever named it */
export function optionsOf(
  wanted: Exclude<WantedModel, { kind: 'explicit' }>,
  profile = wanted.kind === 'auto' ? wanted.profile : undefined,
): RouteOptions {
  if (wanted.kind === 'auto') return profile === undefined ? NO_OPTIONS : { profile };
  const { policy, threshold } = wanted;
  return {
    policy,
    ...(threshold !== undefined && { threshold }),
    ...(profile !== undefined && { profile }),
  };
}

function noModel(what: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `${what}: auto, auto:<profile>, router-<policy>, router-<policy>-<threshold>, or <provider>/<model>. GET /v1/models lists them.`,
    { place: { field: 'model' } },
  );
}
