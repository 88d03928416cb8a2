import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PlimsollError } from '../../router/errors.ts';
import type { Client } from './client.ts';

const run = promisify(execFile);
const INSTALL_MS = 300_000;
/** The oldest version that all clients support. */
const NODE_MAJOR = 24;

/** The Node that installs and runs the clients: this one if it is new enough, else one from npm. */
export async function nodeFor(root: string): Promise<string> {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  const folder = path.join(root, 'node');
  const node = path.join(folder, 'node_modules/node/bin/node');
  if (!existsSync(node))
    await npm(folder, process.execPath, [`node@${NODE_MAJOR}`, '--ignore-scripts=false']);
  return node;
}

/**
 * Installs a client's packages in their newest versions, unless they are installed already. Install scripts do not run.
 * @returns the folder with its node_modules
 * @throws PlimsollError `io` with npm's last line if it fails
 */
export async function install({ packages }: Client, root: string, node: string): Promise<string> {
  const folder = path.join(
    root,
    String(packages[0])
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replace(/^-/, ''),
  );
  if (!existsSync(path.join(folder, 'node_modules')))
    await npm(folder, node, ['--ignore-scripts', ...packages]);
  return folder;
}

/** Package -> installed version. */
export function versionsOf({ packages }: Client, folder: string): Record<string, string> {
  return Object.fromEntries(
    packages.map((spec) => {
      const name = spec.replace(/(.)@.*$/, '$1');
      const file = path.join(folder, 'node_modules', name, 'package.json');
      return [name, String(JSON.parse(readFileSync(file, 'utf8')).version)];
    }),
  );
}

async function npm(folder: string, node: string, args: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env['PATH']}` };
  const flags = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...args];
  try {
    await run('npm', flags, { cwd: folder, env, timeout: INSTALL_MS });
  } catch (cause) {
    const line = String((cause as { stderr?: string }).stderr)
      .trim()
      .split('\n')
      .at(-1);
    throw new PlimsollError('io', `npm cannot install ${args.join(' ')}: ${line}`, { cause });
  }
}

export async function nodeVersion(node: string): Promise<string> {
  return (await run(node, ['--version'])).stdout.trim().slice(1);
}
