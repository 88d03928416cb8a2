import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { PlimsollError } from '../router/errors.ts';
import { isObject, parseJson } from '../router/json/index.ts';
import { PACKAGE_FOLDER } from '../router/package.ts';
import { AGENT_CLIENTS } from './clients/agent-clients.ts';
import { type Client, LADDERS, type Ladder } from './clients/client.ts';
import { install, nodeFor, nodeVersion, versionsOf } from './clients/install.ts';
import { clientsPage } from './clients/page.ts';
import { type Cell, runCell } from './clients/run-cell.ts';
import { SDK_CLIENTS } from './clients/sdk-clients.ts';
import { type LadderGateway, startGateway } from './clients/stack.ts';

interface ClientsFlags {
  readonly only?: string[];
  readonly ladder?: string[];
  readonly json?: boolean;
  readonly timeoutS: string;
  readonly folder?: string;
  readonly resume?: string;
}

/** What is known so far, in the form of `--json`. */
interface Results {
  /** Client -> package -> version. */
  readonly versions: Record<string, Record<string, string>>;
  readonly cells: Cell[];
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
  .option('--resume <file>', 'write each cell to this file, and run no cell again that is there and works')
  .parse()
  .opts<ClientsFlags>();

const clients = chosen(ALL, flags.only);
const ladders = chosen(LADDERS, flags.ladder);
const root = flags.folder
  ? path.resolve(flags.folder)
  : mkdtempSync(path.join(tmpdir(), 'plimsoll-clients-'));
const results = readResults(flags.resume);
/** By ladder, for clients that need no configuration of their own: a start takes longer than most tasks. */
const gateways = new Map<string, LadderGateway>();
try {
  const node = await nodeFor(root);
  for (const client of clients) {
    const left = ladders.filter(({ id }) => !isDone(client.id, id));
    if (left.length > 0) await runClient(client, left, node);
  }
  if (clients.length === ALL.length && ladders.length === LADDERS.length) {
    const date = new Date().toISOString().slice(0, 10);
    const page = clientsPage({ clients, ladders, ...results, date, node: await nodeVersion(node) });
    writeFileSync(path.join(PACKAGE_FOLDER, 'docs/CLIENTS.md'), page);
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`clients: ${error.message}\n`);
  process.exitCode = 2;
} finally {
  for (const gateway of gateways.values()) await gateway.close();
  if (flags.folder === undefined) rmSync(root, { recursive: true, force: true });
}
process.exitCode ??= results.cells.every(({ works, cannot }) => works || cannot !== undefined) ? 0 : 1;

function readResults(file: string | undefined): Results {
  if (file === undefined || !existsSync(file)) return { versions: {}, cells: [] };
  const results = parseJson(readFileSync(file, 'utf8'));
  if (isObject(results) && Array.isArray(results['cells'])) return results as unknown as Results;
  process.stderr.write(`--resume: ${file} has no cells of an earlier run; remove it or name another file.\n`);
  process.exit(2);
}

async function gatewayFor({ gateway: settings }: Client, ladder: Ladder): Promise<LadderGateway> {
  if (settings !== undefined) return startGateway(ladder, settings);
  const gateway = gateways.get(ladder.id) ?? (await startGateway(ladder));
  gateways.set(ladder.id, gateway);
  return gateway;
}

function isDone(client: string, ladder: string): boolean {
  return results.cells.some((cell) => cell.client === client && cell.ladder === ladder && cell.works);
}

async function runClient(client: Client, left: readonly Ladder[], node: string): Promise<void> {
  process.stderr.write(`${client.id}: installing\n`);
  const folder = await install(client, root, node);
  cpSync(PROGRAMS, folder, { recursive: true });
  results.versions[client.id] = versionsOf(client, folder);
  for (const ladder of left) {
    const gateway = await gatewayFor(client, ladder);
    const cell = await runCell(client, gateway, { folder, node }, Number(flags.timeoutS) * 1000);
    if (client.gateway !== undefined) await gateway.close();
    const at = results.cells.findIndex((one) => one.client === client.id && one.ladder === ladder.id);
    if (at >= 0) results.cells.splice(at, 1);
    results.cells.push(cell);
    if (flags.resume !== undefined) writeFileSync(flags.resume, `${JSON.stringify(results, undefined, 2)}\n`);
    const outcome = cell.works ? 'works' : (cell.cannot ?? cell.why);
    process.stderr.write(`${client.id} on ${ladder.id}: ${outcome}\n`);
  }
}

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
