import { NANO } from '../catalog/index.ts';
import { type Config, configSchema, configSource } from '../config/index.ts';

/** One setting: what it is called in the file, and what it is. */
export interface Setting {
  readonly field: string;
  readonly value: string;
  /** Where it is in the file, step by step, if it is there. */
  readonly place: readonly string[];
}

export interface SettingChange {
  readonly field: string;
  /** Undefined: it was not there. */
  readonly before: string | undefined;
  /** Undefined: it is not there any more. */
  readonly after: string | undefined;
}

/** All settings of a configuration, in the order of their names. It holds no secrets: keys are in variables that it names. */
export function settings(config: Config): Setting[] {
  return [...flattened(config, [], [])].sort((a, b) => (a.field < b.field ? -1 : 1));
}

/** The defaults by field, also those of the log and the state, which are there only if something asks for them. That there is a log, somebody set. */
export function usualSettings(): ReadonlyMap<string, string> {
  const asked = { providers: { any: { kind: 'openai' } }, decision_log: { to: 'state' } };
  const ofParts = settings(configSchema.parse(asked)).filter(
    ({ field }) => /^(?:decision_log|state)\./.test(field) && field !== 'decision_log.to',
  );
  return new Map([...settings(configSchema.parse({})), ...ofParts].map(({ field, value }) => [field, value]));
}

/** What is different in one configuration from another. */
export function settingChanges(before: Config, after: Config): SettingChange[] {
  const valuesOf = (config: Config) => new Map(settings(config).map(({ field, value }) => [field, value]));
  const [old, current] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .sort()
    .map((field) => ({ field, before: old.get(field), after: current.get(field) }))
    .filter((one) => one.before !== one.after);
}

/** Where a setting comes from, in words. @param usual the defaults */
export function originOf(
  { field, value, place }: Setting,
  config: Config,
  usual: ReadonlyMap<string, string>,
): string {
  const { file, yaml, overrides } = configSource(config) ?? {};
  const override = overrides?.get(field);
  if (override !== undefined) return override;
  const fromFile = (line: number | undefined) => (line === undefined ? undefined : `${file}, line ${line}`);
  const own = fromFile(yaml?.ownLineOf(steps(place)));
  if (own !== undefined) return own;
  const [profiles, name = '', ...rest] = place;
  if (profiles === 'profiles' && rest.length > 0) {
    const ancestor = ancestorOf(config.profiles[name]?.origins ?? {}, rest);
    const line = ancestor && fromFile(yaml?.lineOf(steps(['profiles', ancestor, ...rest])));
    return line ?? 'as without a profile';
  }
  if (usual.get(field) === value) return 'default';
  return fromFile(yaml?.lineOf(steps(place))) ?? (yaml === undefined ? 'the program' : 'default');
}

/** The profile that a field of a profile comes from; undefined if it is the configuration's. */
function ancestorOf(origins: Readonly<Record<string, string>>, [first = '', second]: readonly string[]) {
  const camel = first.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return origins[`${first}.${second}`] ?? origins[camel];
}

/** A list has numbers. */
function steps(place: readonly string[]): readonly PropertyKey[] {
  return place.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function* flattened(value: unknown, names: readonly string[], place: readonly string[]): Iterable<Setting> {
  if (value === undefined || typeof value === 'function') return;
  const field = names.join('.');
  if (isWindow(value)) {
    const most = value.name.endsWith(' usd') ? value.cap / NANO : value.cap;
    yield { field, place, value: `${value.name}, at most ${most}` };
  } else if (isPlain(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (DERIVED.has(name)) continue;
      const step = snakeCased(name);
      const written = step === 'specialists' ? ['ladder'] : step === 'when_full' ? [] : [step];
      yield* flattened(inner, [...names, step], [...place, ...written]);
    }
  } else if (Array.isArray(value) && value.some(isPlain)) {
    const isNamed = NAMED.has(names.at(-1) ?? '');
    for (const [at, inner] of value.entries()) {
      if (isPlain(inner) && typeof inner['field'] === 'string') continue; // a limit that is its profile's as well
      const step = isNamed ? String((inner as { readonly name: string }).name) : String(at);
      yield* flattened(inner, [...names, step], [...place, step]);
    }
  } else yield { field, place, value: shown(value, names) };
}

/** Fields of profiles that say where the others come from. */
const DERIVED: ReadonlySet<string> = new Set(['origins', 'lineage']);
/** Lists that the file has by name. */
const NAMED: ReadonlySet<string> = new Set(['experiments', 'arms']);

/** For a limit: one line shows it. */
function isWindow(value: unknown): value is { readonly name: string; readonly cap: number } {
  return isPlain(value) && typeof value['name'] === 'string' && typeof value['cap'] === 'number';
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Values of providers' headers are the operator's own texts, and an address may have a password: neither is shown. */
function shown(value: unknown, names: readonly string[]): string {
  if (names.at(-2) === 'headers') return '(set)';
  if (typeof value !== 'string')
    return Array.isArray(value) ? value.map(String).join(', ') || 'none' : String(value);
  return value.replace(/(\w:\/\/)[^/@\s]*@/g, '$1…@');
}

/** Only what the code wrote in camelCase: names of models and profiles stay. */
function snakeCased(name: string): string {
  return /^[a-z]+(?:[A-Z][a-z0-9]*)+$/.test(name)
    ? name.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`)
    : name;
}
