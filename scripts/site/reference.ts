import { type Html, html } from '../../router/markup.ts';
import { bodyAnchor, type Schema, schemaTable } from './schema-table.ts';

/** Every field of the configuration, from its JSON Schema. */
export function configurationReference(schema: Schema): string {
  const fields = Object.entries(schema.properties ?? {});
  return html`<h1>Configuration fields</h1>
<p>Every field of <code>plimsoll.config.yaml</code>, as the program reads it. What they are for, with examples, is in
<a href="../CONFIGURATION.html">Configuration</a>; editors check a file by
<a href="../repository/plimsoll.config.schema.json">the schema</a>.</p>
<p class="contents">${fields.map(([name]) => html`<a href="#${name}"><code>${name}</code></a> `)}</p>
${fields.map(
  ([name, field]) => html`<h2 id="${name}"><code>${name}</code></h2>
${schemaTable({ properties: { [name]: field } })}
`,
)}`.text;
}

/** What is read of an OpenAPI 3.1 document. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly headers: Readonly<Record<string, { readonly description?: string }>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

interface Response {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: Content;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

/** Every route of a gateway, the headers of its responses and the bodies, from the document that it serves. */
export function apiReference({ paths, components }: OpenApi): string {
  const routes = Object.entries(paths).flatMap(([route, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ route, method, operation })),
  );
  return html`<h1>HTTP API</h1>
<p>Every route of a gateway. A server gives its own document at <code>/openapi.json</code>, as it is configured. How the routes are used is in
<a href="../API.html">Gateway</a>.</p>
<div class="table"><table>
<thead><tr><th scope="col">route</th><th scope="col">what it does</th></tr></thead>
<tbody>
${routes.map(
  ({ route, method, operation }) => html`<tr>
<th scope="row"><a href="#${operation.operationId}"><code>${method.toUpperCase()} ${route}</code></a></th><td>${operation.summary}</td>
</tr>
`,
)}</tbody>
</table></div>
${routes.map((route) => operationSection(route, components.responses))}
<h2 id="headers">Headers of responses</h2>
<dl>
${Object.entries(components.headers).map(
  ([name, { description }]) => html`<dt><code>${name}</code></dt><dd>${description}</dd>\n`,
)}</dl>
<h2 id="schemas">Bodies</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) => html`<h3 id="${bodyAnchor(name)}">${name}</h3>
${schema.description !== undefined && html`<p>${schema.description}</p>`}
${schemaTable(schema)}
`,
)}`.text;
}

interface Route {
  readonly route: string;
  readonly method: string;
  readonly operation: Operation;
}

function operationSection(
  { route, method, operation }: Route,
  shared: OpenApi['components']['responses'],
): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  return html`<h2 id="${operationId}"><code>${method.toUpperCase()} ${route}</code></h2>
<p>${summary} ${description}</p>
${requestBody !== undefined && html`<p>Body: ${bodiesOf(requestBody.content)}</p>`}
${
  parameters.length > 0 &&
  html`<dl>
${parameters.map(
  ({ name, in: place, required, description }) =>
    html`<dt><code>${name}</code> (${place}${required === true && ', required'})</dt><dd>${description}</dd>\n`,
)}</dl>`
}
<div class="table"><table>
<thead><tr><th scope="col">status</th><th scope="col">when</th><th scope="col">body</th></tr></thead>
<tbody>
${Object.entries(responses).map(([status, { $ref, ...own }]) => {
  const { description, content } = $ref === undefined ? own : shared[$ref.split('/').at(-1)!]!;
  return html`<tr>
<th scope="row">${status}</th><td>${description}</td><td>${content !== undefined && bodiesOf(content)}</td>
</tr>
`;
})}</tbody>
</table></div>
`;
}

function bodiesOf(content: Content): Html {
  return html`${Object.entries(content).map(([type, { schema }], i) => {
    const names = Array.from(
      namesOf(schema ?? {}),
      (name) => html`<a href="#${bodyAnchor(name)}">${name}</a> `,
    );
    return html`${i > 0 && ', '}${names}<code>${type}</code>`;
  })}`;
}

function* namesOf({ $ref, anyOf = [], oneOf = [] }: Schema): Generator<string> {
  if ($ref !== undefined) yield $ref.split('/').at(-1)!;
  for (const branch of [...anyOf, ...oneOf]) yield* namesOf(branch);
}
