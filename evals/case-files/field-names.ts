import { PlimsollError } from '../../router/errors.ts';
import { isObject } from '../../router/json/index.ts';
import { nearestName } from '../../router/nearest-name.ts';
import { BadRow, shownName } from './rejects.ts';

/** Fields of a row that describe its prompt, in every format. */
const PROMPT_FIELDS = [
  'id',
  'prompt',
  'context',
  'system',
  'key',
  'group',
  'session',
  'turn',
  'time',
  'label',
  'task',
  'source',
  'language',
  'reference',
];

/** Fields that only JSON can hold, or that another command writes. */
const OTHER_FIELDS = [
  ...['messages', 'tools', 'response_format', 'split', 'label_plan', 'weight'],
  ...['label_pool', 'label_needed'], // of chosen requests
  ...['decision', 'sampling_probability', 'stratum', 'reply'], // of captured requests and logs
];

/** The field of an outcome that is text, whatever it looks like: a reply of 42 is no number. */
export const REPLY_TEXT = 'answer';

/** Who gave the label of an outcome, or, in a field of the row, all labels of the row that do not say. */
export const LABEL_SOURCE = 'label_source';

/** Outcomes with the source that their row names, where they name none themselves. */
export function withSource(outcomes: unknown, source: unknown): unknown {
  if (source === undefined || source === null || !isObject(outcomes)) return outcomes;
  return Object.fromEntries(
    Object.entries(outcomes).map(([model, outcome]) => [
      model,
      isObject(outcome) ? { ...outcome, [LABEL_SOURCE]: outcome[LABEL_SOURCE] ?? source } : outcome,
    ]),
  );
}

/** Fields of an outcome besides its quality: alone in the long layout, after `<model>.` in the wide one. */
const OUTCOME_FIELDS = [
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'latency_ms',
  'output_chars',
  REPLY_TEXT,
  'confidence_logprob',
  'signals',
  LABEL_SOURCE,
  'labelled_by',
  'judged_quality',
];

const QUALITY_FIELD = /^quality(_\w+)?$/;

/** The meaning of a name in the data. */
export type Field =
  | { readonly kind: 'row'; readonly name: string }
  /** The model is undefined in the long layout and inside an outcome of JSON. */
  | { readonly kind: 'outcome'; readonly model: string | undefined; readonly name: string }
  | { readonly kind: 'model' }
  | { readonly kind: 'outcomes' }
  | { readonly kind: 'unknown' };

/** Most names that are cached, and most names that are remembered as not read. */
const MOST_REMEMBERED = 1_000;
/** Most names that a note shows. */
const MOST_SHOWN = 12;

/**
 * Recognises field names, in any case and with spaces around them, and the names in a column map. Remembers unknown names, to report typing
 * errors.
 */
export class FieldNames {
  readonly qualityField: string;
  readonly map: ColumnMap;
  /** Whether a table or a row may be without outcomes. */
  readonly outcomesOptional: boolean;
  readonly #furtherFields: readonly string[];
  readonly #known = new Map<string, Field>();
  readonly #mapped = new Map<string, Field>();
  /** Name -> how a note shows it, with a hint. */
  readonly #unread = new Map<string, string>();
  readonly #usedSources = new Set<string>();

  /**
   * @param options `furtherFields` of a row that are read too, in lower case
   * @throws PlimsollError 'invalid-input': the map has an unknown field, or one column for two
   */
  constructor(
    qualityField: string,
    map: ColumnMap = new Map(),
    {
      outcomesOptional = false,
      furtherFields = [],
    }: { readonly outcomesOptional?: boolean; readonly furtherFields?: readonly string[] } = {},
  ) {
    this.#furtherFields = furtherFields;
    this.qualityField = qualityField;
    this.map = map;
    this.outcomesOptional = outcomesOptional;
    const nameOf = new Map<string, string>();
    for (const [name, source] of map) {
      const other = nameOf.get(normalise(source));
      if (other !== undefined)
        throw mapError(
          `${other} and ${name} are both given the column ${shownName(source)}; it can hold one of them`,
        );
      nameOf.set(normalise(source), name);
      const field = this.#parse(name);
      if (field.kind === 'unknown' || field.kind === 'outcomes')
        throw mapError(`there is no field ${name}${this.hint(name)}`);
      this.#mapped.set(normalise(source), field);
    }
  }

  /** The meaning of a column or a key. */
  field(name: string): Field {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const mapped = this.#mapped.get(normalise(name));
    const field = mapped ?? this.#parse(name);
    if (mapped !== undefined) this.#usedSources.add(normalise(name));
    if (this.#known.size < MOST_REMEMBERED) this.#known.set(name, field);
    return field;
  }

  isMapped(name: string): boolean {
    return this.#mapped.has(normalise(name));
  }

  /** Whether the map reads what is at a path such as `outcomes.gpt-4o.score`, or something below it. */
  isReadByPath(path: string): boolean {
    const at = normalise(path);
    return [...this.#mapped.keys()].some((source) => source === at || source.startsWith(`${at}.`));
  }

  /** Names in the map that no file has had so far. */
  unusedSources(): string[] {
    return [...this.map.values()].filter((source) => !this.#usedSources.has(normalise(source)));
  }

  markSourceUsed(source: string): void {
    this.#usedSources.add(normalise(source));
  }

  /** Remembers a name that is not read. @param prefix the path before it, such as `outcomes.<model>.` */
  reportUnread(name: string, prefix = '', why?: string): void {
    if (this.#unread.size >= MOST_REMEMBERED || this.#unread.get(prefix + name) !== undefined) return;
    this.#unread.set(prefix + name, `${prefix}${shownName(name)}${why ?? this.hint(name)}`);
  }

  /** Names that are not read, each with the path before it. */
  unread(): string[] {
    return [...this.#unread.keys()];
  }

  /** One line with the names that are not read, those with a hint first; empty if there are none. */
  notes(): string[] {
    if (this.#unread.size === 0) return [];
    const hinted = (shown: string) => Number(shown.endsWith(')'));
    const names = [...this.#unread.values()].sort((a, b) => hinted(b) - hinted(a));
    const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : '';
    return [`Not read: ${names.slice(0, MOST_SHOWN).join(', ')}${more}.`];
  }

  /** ` (did you mean prompt?)`, or empty if no field has a similar name. */
  hint(name: string): string {
    const bare = normalise(name);
    const dot = bare.lastIndexOf('.');
    const names = dot < 1 ? this.#bareNames() : [this.qualityField, ...OUTCOME_FIELDS];
    const near = nearestName(bare.slice(dot + 1), names);
    if (near === undefined) return '';
    return ` (did you mean ${dot < 1 ? '' : `${name.trim().slice(0, dot)}.`}${near}?)`;
  }

  /** ` (did you mean promt?)`: the unknown name in the data that may be the missing one. */
  hintForMissing(wanted: string, names: readonly string[]): string {
    const near = nearestName(
      wanted,
      names.filter((name) => this.field(name).kind === 'unknown' && name.trim() !== ''),
    );
    return near === undefined ? '' : ` (did you mean ${shownName(near.trim())}?)`;
  }

  hintForModel(model: string, models: readonly string[]): string {
    const near = nearestName(model, models);
    return near === undefined ? '' : `; did you mean ${shownName(near)}?`;
  }

  #bareNames(): string[] {
    const rows = [...PROMPT_FIELDS, ...OTHER_FIELDS, ...this.#furtherFields];
    return [...rows, 'outcomes', 'model', this.qualityField, ...OUTCOME_FIELDS];
  }

  #parse(name: string): Field {
    const text = normalise(name);
    if ([...PROMPT_FIELDS, ...OTHER_FIELDS, ...this.#furtherFields].includes(text))
      return { kind: 'row', name: text };
    if (text === 'model') return { kind: 'model' };
    if (text === 'outcomes') return { kind: 'outcomes' };
    const bare = this.#outcomeField(text);
    if (bare !== undefined) return { kind: 'outcome', model: undefined, name: bare };
    return this.#wideField(name.trim()) ?? { kind: 'unknown' };
  }

  /** Names of models may contain dots, so the field follows the last one; the caller's own quality field may contain dots too. */
  #wideField(name: string): Field | undefined {
    const own = `.${this.qualityField.toLowerCase()}`;
    const dot = name.toLowerCase().endsWith(own) ? name.length - own.length : name.lastIndexOf('.');
    const field = this.#outcomeField(normalise(name.slice(dot + 1)));
    const model = name.slice(0, Math.max(0, dot)).trim();
    return model === '' || field === undefined ? undefined : { kind: 'outcome', model, name: field };
  }

  #outcomeField(text: string): string | undefined {
    if (text === this.qualityField.toLowerCase()) return this.qualityField;
    return QUALITY_FIELD.test(text) || OUTCOME_FIELDS.includes(text) ? text : undefined;
  }
}

function normalise(name: string): string {
  return name.trim().toLowerCase();
}

/** Two fields with one key are the same field. */
export function fieldKey(field: Field): string {
  if (field.kind === 'row') return `row ${field.name}`;
  return field.kind === 'outcome'
    ? `outcome ${JSON.stringify([field.model ?? null, field.name])}`
    : field.kind;
}

/** A row under Plimsoll's names, before its values are checked. */
export interface RowFields {
  /** In the shape of JSON Lines: see caseRowSchema. */
  readonly fields: unknown;
  /** Whether it holds one model's outcome, so that other rows may have the same prompt. */
  readonly long: boolean;
}

/** Assigning to this property would change an object's prototype. */
export const UNUSABLE_MODEL = '__proto__';

/** @throws BadRow if the name cannot be a key of `outcomes` */
export function requireModelName(model: string | undefined, field: string): void {
  if (model === UNUSABLE_MODEL) throw new BadRow(`${UNUSABLE_MODEL} cannot be the name of a model`, field);
}

/** Plimsoll's name of a field -> its name in the data. */
export type ColumnMap = ReadonlyMap<string, string>;

/**
 * Parses `prompt=question,small.quality=gpt-4o-mini`. A comma that is not followed by `name=` is part of the column's name.
 * @throws PlimsollError 'invalid-input': a part that is not `name=column`, or a name given twice
 */
export function parseColumnMap(text: string): ColumnMap {
  const map = new Map<string, string>();
  const parts: string[] = [];
  for (const part of text.split(',')) {
    if (part.includes('=') || parts.length === 0) parts.push(part);
    else parts[parts.length - 1] += `,${part}`;
  }
  for (const part of parts) {
    const at = part.indexOf('=');
    const [name, column] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    if (at === -1 || name === '' || column === '') {
      throw mapError(`${JSON.stringify(part)} is not name=column`);
    }
    if (map.has(name)) throw mapError(`${name} is given twice`);
    map.set(name, column);
  }
  return map;
}

/** @param what what is wrong with the map */
export function mapError(what: string): PlimsollError {
  return new PlimsollError(
    'invalid-input',
    `--map: ${what}. Give what Plimsoll knows, then what the data have: --map prompt=question,small.quality=gpt-4o-mini.`,
  );
}
