import { NANO } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import { configSchema } from '../config/index.ts';
import { type Html, html } from '../markup.ts';
import type { PageContext } from './page.ts';
import { table } from './table.ts';

/** One setting: where it is in the file, and what it is. */
type Setting = readonly [field: string, value: string];

/** What is set, and what every setting is now. It holds no secrets: keys are in variables that it names. */
export function configurationPage({ parts }: PageContext): Html {
  const current = settings(parts.config());
  const usual = new Map(usualSettings());
  const own = current.filter(([field, value]) => usual.get(field) !== value);
  return html`<div class="heading"><h1>Configuration</h1></div>
<p class="lead">What serves now. It is changed in <code>plimsoll.config.yaml</code>, which the server reads again by itself. Some fields take a restart, which the log then says.</p>
<section class="panel"><h2>What differs from the defaults</h2>${own.length === 0 ? html`<p>Nothing.</p>` : table('Set', ['Field', 'Value'], own.map(row))}</section>
<details class="statistics"><summary>All ${current.length} settings</summary>${table('All settings', ['Field', 'Value'], current.map(row))}</details>`;
}

/** The defaults, also those of the log and the state, which are there only if something asks for them. That there is a log, somebody set. */
function usualSettings(): Setting[] {
  const asked = { providers: { any: { kind: 'openai' } }, decision_log: { to: 'state' } };
  const ofParts = settings(configSchema.parse(asked)).filter(
    ([field]) => /^(?:decision_log|state)\./.test(field) && field !== 'decision_log.to',
  );
  return [...settings(configSchema.parse({})), ...ofParts];
}

function row([field, value]: Setting) {
  return [html`<code>${field}</code>`, html`<code class="wraps">${value}</code>`];
}

/** As the file names them: snake_case, with dots. */
function settings(config: Config): Setting[] {
  return [...flattened(config, [])].sort(([a], [b]) => (a < b ? -1 : 1));
}

function* flattened(value: unknown, place: readonly string[]): Iterable<Setting> {
  if (value === undefined || typeof value === 'function') return;
  if (isWindow(value))
    yield [
      place.join('.'),
      `${value.name}, at most ${value.name.endsWith(' usd') ? value.cap / NANO : value.cap}`,
    ];
  else if (isPlain(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (!DERIVED.has(name)) yield* flattened(inner, [...place, snakeCased(name)]);
    }
  } else if (Array.isArray(value) && value.some(isPlain)) {
    for (const [at, inner] of value.entries()) yield* flattened(inner, [...place, String(at)]);
  } else yield [place.join('.'), shown(value, place)];
}

/** Of profiles: where their fields come from. */
const DERIVED: ReadonlySet<string> = new Set(['origins', 'lineage']);

/** Of a limit; one line says it. */
function isWindow(value: unknown): value is { readonly name: string; readonly cap: number } {
  return isPlain(value) && typeof value['name'] === 'string' && typeof value['cap'] === 'number';
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Values of providers' headers are the operator's own texts, and an address may have a password: neither is shown. */
function shown(value: unknown, place: readonly string[]): string {
  if (place.at(-2) === 'headers') return '(set)';
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
