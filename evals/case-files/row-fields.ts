import { isObject } from '../../router/json/index.ts';
import {
  type Field,
  type FieldNames,
  fieldKey,
  LABEL_SOURCE,
  type RowFields,
  requireModelName,
  UNUSABLE_MODEL,
  withSource,
} from './field-names.ts';
import { BadRow, shownName } from './rejects.ts';

/** The fields of a row in JSON: with `outcomes`, or with keys named like the columns of a table. */
export function jsonFields(value: unknown, names: FieldNames): RowFields {
  if (!isObject(value)) return { fields: value, long: false };
  const fields: Record<string, unknown> = {};
  const flat = new Map<string | undefined, Record<string, unknown>>();
  let outcomes: unknown;
  let model: unknown;
  const taken = new Map<string, string>();
  for (const [name, field, item] of entriesOf(value, names)) {
    if (field.kind === 'unknown') {
      if (!names.isReadByPath(name)) names.reportUnread(name);
      continue;
    }
    const key = fieldKey(field);
    const known = taken.get(key);
    if (known !== undefined) {
      if (names.isMapped(known)) continue;
      if (!names.isMapped(name))
        throw new BadRow(
          `given twice: as ${shownName(known)} and as ${shownName(name)}`,
          known.trim().toLowerCase(),
        );
    }
    taken.set(key, name);
    if (field.kind === 'row') fields[field.name] = item;
    else if (field.kind === 'model') model = item;
    else if (field.kind === 'outcomes') outcomes = item;
    else if (item !== null && item !== undefined) {
      requireModelName(field.model, name);
      flat.set(field.model, Object.assign(flat.get(field.model) ?? {}, { [field.name]: item }));
    }
  }
  const source = flat.get(undefined)?.[LABEL_SOURCE];
  if (outcomes !== undefined) {
    const nested = nestedOutcomes(outcomes, flat, names);
    return { fields: { ...fields, outcomes: withSource(nested, source) }, long: false };
  }
  if (typeof model === 'string' && model.trim() !== '') {
    const outcome = flat.get(undefined) ?? {};
    const name = model.trim();
    const labelled = Object.hasOwn(outcome, names.qualityField);
    if (labelled) requireModelName(name, 'model');
    return { fields: { ...fields, outcomes: labelled ? { [name]: outcome } : {} }, long: true };
  }
  flat.delete(undefined);
  if (flat.size === 0) return { fields, long: false };
  const labelled = Object.fromEntries(labelledOutcomes(flat, names));
  return { fields: { ...fields, outcomes: withSource(labelled, source) }, long: false };
}

/** The outcomes with a quality: as in a table, a model without one was not called. */
function labelledOutcomes(
  flat: ReadonlyMap<string | undefined, object>,
  { qualityField }: FieldNames,
): [string, object][] {
  return [...flat].flatMap(([model, outcome]) =>
    model !== undefined && Object.hasOwn(outcome, qualityField) ? [[model, outcome]] : [],
  );
}

/** The keys of a row with their meaning; a name in the column map may be a path such as `scores.gpt-4o`. */
function* entriesOf(value: object, names: FieldNames): Generator<[string, Field, unknown]> {
  for (const source of names.map.values()) {
    if (Object.hasOwn(value, source) || !source.includes('.')) continue;
    const item = atPath(value, source.split('.'));
    if (item === undefined) continue;
    names.markSourceUsed(source);
    yield [source, names.field(source), item];
  }
  for (const [name, item] of Object.entries(value)) yield [name, names.field(name), item];
}

function atPath(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

/** The outcomes under the known names of their fields; whatever is not an outcome is left for the schema to reject. */
function nestedOutcomes(
  outcomes: unknown,
  flat: ReadonlyMap<string | undefined, object>,
  names: FieldNames,
): unknown {
  if (!isObject(outcomes)) return outcomes;
  if (Object.hasOwn(outcomes, UNUSABLE_MODEL)) requireModelName(UNUSABLE_MODEL, `outcomes.${UNUSABLE_MODEL}`);
  let renamed: Record<string, unknown> | undefined;
  for (const model of Object.keys(outcomes)) {
    const outcome = outcomes[model];
    if (!isObject(outcome)) continue;
    const fields = renamedFields(model, outcome, names);
    if (fields === outcome) continue;
    renamed ??= { ...outcomes };
    renamed[model] = fields;
  }
  return flat.size === 0 ? (renamed ?? outcomes) : mergedOutcomes(renamed ?? outcomes, flat, names);
}

/** Fields that are given for a model outside `outcomes` go before those inside. */
function mergedOutcomes(
  nested: Readonly<Record<string, unknown>>,
  flat: ReadonlyMap<string | undefined, object>,
  { qualityField }: FieldNames,
): Record<string, unknown> {
  const merged = { ...nested };
  for (const [model, fields] of flat) {
    if (model === undefined) continue;
    const inside = Object.hasOwn(nested, model) ? nested[model] : undefined;
    if (isObject(inside)) merged[model] = { ...inside, ...fields };
    else if (Object.hasOwn(fields, qualityField)) merged[model] = fields;
  }
  return merged;
}

function renamedFields(
  model: string,
  outcome: Record<string, unknown>,
  names: FieldNames,
): Record<string, unknown> {
  let renamed: Record<string, unknown> | undefined;
  for (const name of Object.keys(outcome)) {
    const field = names.field(name);
    if (field.kind !== 'outcome' || field.model !== undefined) {
      if (!names.isReadByPath(`outcomes.${model}.${name}`)) names.reportUnread(name, 'outcomes.<model>.');
      continue;
    }
    if (field.name === name) continue;
    renamed ??= { ...outcome };
    if (Object.hasOwn(outcome, field.name))
      throw new BadRow(`given twice: as ${field.name} and as ${shownName(name)}`, field.name);
    delete renamed[name];
    renamed[field.name] = outcome[name];
  }
  return renamed ?? outcome;
}
