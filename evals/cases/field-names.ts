import { nearestName } from '../../router/catalog/index.ts';
import { type ColumnMap, mapError } from './column-map.ts';
import { shownName } from './shown-name.ts';

/** Fields of a row that describe its prompt, in every format. */
const PROMPT_FIELDS = ['id', 'prompt', 'context', 'system', 'key', 'group', 'task', 'source', 'language'];

/** Fields that JSON alone can hold, or that an import passes on. */
const OTHER_FIELDS = ['messages', 'tools', 'split'];

/** Numbers of an outcome besides its quality: bare in the long layout, behind `<model>.` in the wide one. */
const AMOUNT_FIELDS = ['input_tokens', 'output_tokens', 'cost_usd', 'latency_ms', 'output_chars'];

const QUALITY_FIELD = /^quality(_\w+)?$/;

/** What a name in the data stands for. */
export type Field =
  | { readonly kind: 'row'; readonly name: string }
  /** Without a model it is one of the long layout, or inside an outcome of JSON. */
  | { readonly kind: 'outcome'; readonly model: string | undefined; readonly name: string }
  | { readonly kind: 'model' }
  | { readonly kind: 'outcomes' }
  | { readonly kind: 'unknown' };

/** Fields that are not read are remembered up to this number. */
const MOST_UNREAD = 1_000;
/** And shown up to this one. */
const MOST_SHOWN = 12;

/**
 * Knows the names of fields in any case, with spaces around them, and those that a map gives. Remembers the names that it does not
 * know, so that a slip is reported.
 */
export class FieldNames {
  readonly qualityField: string;
  readonly map: ColumnMap;
  readonly #known = new Map<string, Field>();
  readonly #mapped = new Map<string, Field>();
  /** Name -> how a message shows it, with a hint. */
  readonly #unread = new Map<string, string>();
  readonly #usedSources = new Set<string>();

  /** @throws PlimsollError 'invalid-input': the map names a field that there is not */
  constructor(qualityField: string, map: ColumnMap = new Map()) {
    this.qualityField = qualityField;
    this.map = map;
    for (const [name, source] of map) {
      const field = this.#fieldOf(name);
      if (field.kind === 'unknown' || field.kind === 'outcomes')
        throw mapError(`there is no field ${name}${this.hint(name)}`);
      this.#mapped.set(folded(source), field);
    }
  }

  /** What a column or a key stands for. The same name gives the same object. */
  field(name: string): Field {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const mapped = this.#mapped.get(folded(name));
    const field = mapped ?? this.#fieldOf(name);
    if (mapped !== undefined) this.#usedSources.add(folded(name));
    if (this.#known.size < MOST_UNREAD) this.#known.set(name, field);
    return field;
  }

  isMapped(name: string): boolean {
    return this.#mapped.has(folded(name));
  }

  /** Sources of the map that no file has had so far. */
  unusedSources(): string[] {
    return [...this.map.values()].filter((source) => !this.#usedSources.has(folded(source)));
  }

  countSource(source: string): void {
    this.#usedSources.add(folded(source));
  }

  /** Remembers a name that is not read. @param prefix what it stands behind, such as `outcomes.<model>.` */
  notRead(name: string, prefix = '', why?: string): void {
    if (this.#unread.size >= MOST_UNREAD || this.#unread.get(prefix + name) !== undefined) return;
    this.#unread.set(prefix + name, `${prefix}${shownName(name)}${why ?? this.hint(name)}`);
  }

  /** One line that lists the names that are not read, those with a hint first; none if all are. */
  notes(): string[] {
    if (this.#unread.size === 0) return [];
    const hinted = (shown: string) => Number(shown.endsWith(')'));
    const names = [...this.#unread.values()].sort((a, b) => hinted(b) - hinted(a));
    const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : '';
    return [`Not read: ${names.slice(0, MOST_SHOWN).join(', ')}${more}.`];
  }

  /** ` (did you mean prompt?)`, or nothing if the name is near none. */
  hint(name: string): string {
    const bare = folded(name);
    const dot = bare.lastIndexOf('.');
    const names = dot < 1 ? this.#rowNames() : [this.qualityField, ...AMOUNT_FIELDS];
    const near = nearestName(bare.slice(dot + 1), names);
    if (near === undefined) return '';
    return ` (did you mean ${dot < 1 ? '' : `${name.trim().slice(0, dot)}.`}${near}?)`;
  }

  /** ` (did you mean promt?)`: which of the data's names may be meant by one that is missing. */
  near(wanted: string, names: readonly string[]): string {
    const near = nearestName(
      wanted,
      names.filter((name) => this.field(name).kind === 'unknown' && name.trim() !== ''),
    );
    return near === undefined ? '' : ` (did you mean ${shownName(near.trim())}?)`;
  }

  nearModel(model: string, models: readonly string[]): string {
    const near = nearestName(model, models);
    return near === undefined ? '' : `; did you mean ${shownName(near)}?`;
  }

  #rowNames(): string[] {
    return [...PROMPT_FIELDS, ...OTHER_FIELDS, 'outcomes', 'model', this.qualityField, ...AMOUNT_FIELDS];
  }

  #fieldOf(name: string): Field {
    const text = folded(name);
    if (PROMPT_FIELDS.includes(text) || OTHER_FIELDS.includes(text)) return { kind: 'row', name: text };
    if (text === 'model') return { kind: 'model' };
    if (text === 'outcomes') return { kind: 'outcomes' };
    const bare = this.#outcomeName(text);
    if (bare !== undefined) return { kind: 'outcome', model: undefined, name: bare };
    return this.#outcomeOfModel(name.trim()) ?? { kind: 'unknown' };
  }

  /** Names of models may hold dots, so the field is what follows the last one; a quality field of the caller's may hold one too. */
  #outcomeOfModel(name: string): Field | undefined {
    const own = `.${this.qualityField.toLowerCase()}`;
    const dot = name.toLowerCase().endsWith(own) ? name.length - own.length : name.lastIndexOf('.');
    const field = this.#outcomeName(folded(name.slice(dot + 1)));
    const model = name.slice(0, Math.max(0, dot)).trim();
    return model === '' || field === undefined ? undefined : { kind: 'outcome', model, name: field };
  }

  #outcomeName(text: string): string | undefined {
    if (text === this.qualityField.toLowerCase()) return this.qualityField;
    return QUALITY_FIELD.test(text) || AMOUNT_FIELDS.includes(text) ? text : undefined;
  }
}

function folded(name: string): string {
  return name.trim().toLowerCase();
}
