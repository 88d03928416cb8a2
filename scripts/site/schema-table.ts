import { Html, html } from '../../router/markup.ts';

/** What is read of a JSON Schema, draft 2020-12. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/**
 * Every field of a schema, one a row, in the order of the schema: `a.b` for a field of a field, `a.<name>` for names of one's own,
 * `a[]` for members of a list.
 * @param prefix of the names, such as `server`
 */
export function schemaTable(schema: Schema, prefix = ''): Html {
  const fields = Array.from(fieldsOf(schema, prefix));
  return html`<div class="table"><table>
<thead><tr><th scope="col">field</th><th scope="col">value</th><th scope="col">meaning</th></tr></thead>
<tbody>
${fields.map(
  ({ name, schema, isRequired }) => html`<tr>
<th scope="row"><code>${name}</code>${isRequired && html` <span class="required">required</span>`}</th>
<td>${typeOf(schema)}${defaultOf(schema)}</td>
<td>${schema.description}</td>
</tr>
`,
)}</tbody>
</table></div>`;
}

function* fieldsOf(schema: Schema, prefix: string): Generator<Field> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const full = prefix === '' ? name : `${prefix}.${name}`;
    yield { name: full, schema: property, isRequired: schema.required?.includes(name) === true };
    yield* fieldsOf(property, full);
  }
  const { additionalProperties, items } = schema;
  if (typeof additionalProperties === 'object') yield* membersOf(additionalProperties, `${prefix}.<name>`);
  if (items !== undefined) yield* fieldsOf(items, `${prefix}[]`);
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) yield* fieldsOf(branch, prefix);
}

/** Names of one's own have a row only if there is something to say about them. */
function* membersOf(schema: Schema, name: string): Generator<Field> {
  if (schema.description !== undefined) yield { name, schema, isRequired: false };
  yield* fieldsOf(schema, name);
}

/** Where the page has the table of a named schema. */
export function bodyAnchor(name: string): string {
  return `body-${name}`;
}

/** In words: `"on" or "off"`, `whole number from 0 to 10`, `list of text`. */
function typeOf(schema: Schema): Html {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const texts = Array.from(new Set(branches.map((branch) => typeOf(branch).text)));
    return html`${texts.flatMap((text, i) => [i > 0 && ' or ', new Html(text)])}`;
  }
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1)!;
    return html`<a href="#${bodyAnchor(name)}">${name}</a>`;
  }
  const values = schema.const === undefined ? schema.enum : [schema.const];
  if (values !== undefined)
    return html`${values.flatMap((value, i) => [i > 0 && ' or ', html`<code>${JSON.stringify(value)}</code>`])}`;
  if (schema.type === 'array')
    return html`list${schema.items !== undefined && html` of ${typeOf(schema.items)}`}`;
  return html`${NAMES[String(schema.type)] ?? 'anything'}${rangeOf(schema)}`;
}

/** Names of JSON Schema's types, as YAML's writers know them. */
const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'fields',
  null: 'null',
};

function rangeOf({ minimum, maximum }: Schema): string {
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (least !== undefined && most !== undefined) return ` from ${count(least)} to ${count(most)}`;
  if (least !== undefined) return ` of at least ${count(least)}`;
  return most === undefined ? '' : ` of at most ${count(most)}`;
}

const count = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 6 });

function defaultOf({ default: value }: Schema): Html | undefined {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return value === undefined || isEmpty
    ? undefined
    : html`; by default <code>${JSON.stringify(value)}</code>`;
}
