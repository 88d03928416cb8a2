import type { Client, Ladder } from './client.ts';
import type { Cell } from './run-cell.ts';

export interface Matrix {
  readonly clients: readonly Client[];
  readonly ladders: readonly Ladder[];
  readonly cells: readonly Cell[];
  /** Client -> package -> version. */
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly node: string;
  readonly date: string;
}

/** The text of docs/CLIENTS.md. */
export function clientsPage(matrix: Matrix): string {
  const { clients, ladders, versions, node, date } = matrix;
  const notes: string[] = [];
  const rows = clients.map((client) => [
    client.name,
    versions[client.id]?.[client.main] ?? '–',
    client.api,
    ...ladders.map(({ id }) => cellText(findCell(matrix, client, id), ladders, notes)),
  ]);
  const head = ['client', 'version', 'API', ...ladders.map(({ name }) => name)];
  return `# Clients

Written by \`npm run clients\` on ${date}; Node ${node}. It installs each client in its newest version and runs it, unchanged, against
\`plimsoll serve\` with \`model: auto\`, in front of a fake provider that refuses what OpenAI, Anthropic and Google refuse. A cell works if
two tasks do, one that is routed to the cheap model and one to the strong one: the model calls a tool of the client, the client runs it,
the result reaches the model, and the model's last text reaches the user. Libraries do each task twice, plain and streamed.

${table([head, ...rows])}
${notes.length > 0 ? `\n${notes.join('\n')}\n` : ''}
Ladders:

${ladders.map(({ name, cheap, strong }) => `- **${name}**: \`${cheap}\` below \`${strong}\``).join('\n')}

## How to set them up

\`URL\` is where Plimsoll listens, such as \`http://127.0.0.1:8787\`. \`KEY\` is a key of Plimsoll's; on a loopback address without keys it can
be any word. Instead of \`auto\` it can be a profile, a policy, or \`<provider>/<model>\`. Clients that insist on a name of their own
work with [\`aliases\`](CONFIGURATION.md).

${clients.map(({ name, setup }) => `### ${name}\n\n${setup}`).join('\n\n')}

## Not in the table

| client | why                                                |
| ------ | -------------------------------------------------- |
| Crush  | its npm package fetches the program from elsewhere |

## Versions

${packagesOf(versions)
  .map((name) => `- \`${name}\``)
  .join('\n')}
`;
}

function packagesOf(versions: Matrix['versions']): string[] {
  const packages = Object.values(versions).flatMap((installed) => Object.entries(installed));
  return [...new Set(packages.map(([name, version]) => `${name}@${version}`))].sort();
}

function findCell({ cells }: Matrix, client: Client, ladder: string): Cell | undefined {
  return cells.find((cell) => cell.client === client.id && cell.ladder === ladder);
}

function cellText(cell: Cell | undefined, ladders: readonly Ladder[], notes: string[]): string {
  if (cell === undefined) return '–';
  if (cell.works && cell.refusals.length === 0) return 'works';
  const note = cell.works
    ? retryNote(cell, ladders)
    : String(cell.cannot ?? cell.why).replaceAll(/\s+/g, ' ');
  const word = cell.works ? 'works' : 'no';
  const at = notes.findIndex((line) => line.endsWith(note));
  if (at >= 0) return `${word} (${at + 1})`;
  notes.push(`${notes.length + 1}. ${note}`);
  return `${word} (${notes.length})`;
}

/** The same for all models of a ladder. */
function retryNote({ refusals, ladder }: Cell, ladders: readonly Ladder[]): string {
  const models = ladders.flatMap(({ id, cheap, strong }) => (id === ladder ? [cheap, strong] : []));
  const told = refusals.map(({ error }) =>
    models.reduce((text, model) => text.replaceAll(model, 'the model'), error),
  );
  const errors = [...new Set(told.map((error) => `"${error}"`))].join(', ');
  return `What it sends first is refused (${errors}); the client asks again without it.`;
}

/** Padded, as a formatter of Markdown writes it. */
function table([head = [], ...body]: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...body.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
