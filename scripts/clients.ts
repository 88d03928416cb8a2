import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { PACKAGE_FOLDER } from '../router/package.ts';
import { AGENT_CLIENTS } from './clients/agent-clients.ts';
import { LADDERS } from './clients/client.ts';
import { install, nodeFor, nodeVersion, versionsOf } from './clients/install.ts';
import { clientsPage } from './clients/page.ts';
import { type Cell, runCell } from './clients/run-cell.ts';
import { SDK_CLIENTS } from './clients/sdk-clients.ts';

interface ClientsFlags {
  readonly only?: string[];
  readonly ladder?: string[];
  readonly json?: boolean;
  readonly timeoutS: string;
  readonly folder?: string;
}

const ALL = [...SDK_CLIENTS, ...AGENT_CLIENTS];
const PROGRAMS = fileURLToPath(new URL('clients/programs', import.meta.url));

const flags = new Command('clients')
  .description(
    'Installs the clients in their newest versions, runs each on each ladder of a fake provider, and writes docs/CLIENTS.md ' +
      'if all of them ran. Exit code 1 if a cell fails.',
  )
  .option('--only <client...>', `which clients: ${ALL.map(({ id }) => id).join(', ')}`)
  .option('--ladder <ladder...>', `which ladders: ${LADDERS.map(({ id }) => id).join(', ')}`)
  .option('--json', 'the cells as JSON on stdout, with what was refused')
  .option('--timeout-s <seconds>', 'of one task', '120')
  .option('--folder <folder>', 'install here, keep it, and take what is there')
  .parse()
  .opts<ClientsFlags>();

const clients = chosen(ALL, flags.only);
const ladders = chosen(LADDERS, flags.ladder);
const root = flags.folder
  ? path.resolve(flags.folder)
  : mkdtempSync(path.join(tmpdir(), 'plimsoll-clients-'));
const cells: Cell[] = [];
const versions: Record<string, Record<string, string>> = {};
try {
  const node = await nodeFor(root);
  for (const client of clients) {
    process.stderr.write(`${client.id}: installing\n`);
    const folder = await install(client, root, node);
    cpSync(PROGRAMS, folder, { recursive: true });
    versions[client.id] = versionsOf(client, folder);
    for (const ladder of ladders) {
      const cell = await runCell(client, ladder, { folder, node }, Number(flags.timeoutS) * 1000);
      cells.push(cell);
      process.stderr.write(
        `${client.id} on ${ladder.id}: ${cell.works ? 'works' : (cell.cannot ?? cell.why)}\n`,
      );
    }
  }
  if (clients.length === ALL.length && ladders.length === LADDERS.length) {
    const date = new Date().toISOString().slice(0, 10);
    const page = clientsPage({ clients, ladders, cells, versions, date, node: await nodeVersion(node) });
    writeFileSync(path.join(PACKAGE_FOLDER, 'docs/CLIENTS.md'), page);
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ versions, cells }, undefined, 2)}\n`);
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`clients: ${error.message}\n`);
  process.exitCode = 2;
} finally {
  if (flags.folder === undefined) rmSync(root, { recursive: true, force: true });
}
process.exitCode ??= cells.every(({ works, cannot }) => works || cannot !== undefined) ? 0 : 1;

function chosen<T extends { readonly id: string }>(
  all: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  const unknown = names?.find((name) => !all.some(({ id }) => id === name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no "${unknown}"; there are ${all.map(({ id }) => id).join(', ')}.\n`);
    process.exit(2);
  }
  return names === undefined ? all : all.filter(({ id }) => names.includes(id));
}
