import { statfsSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { readArtifact } from '../../router/artifact/index.ts';
import { STARTER_FOLDER } from '../../router/artifact-views.ts';
import type { Config } from '../../router/config/index.ts';
import { nearestName } from '../../router/nearest-name.ts';
import { PACKAGE_FOLDER, VERSION } from '../../router/package.ts';
import { DEFAULT_SQLITE_FILE } from '../../router/state/index.ts';
import { type Finding, findingsOf } from './finding.ts';

/** As `engines` of package.json has it. */
const LEAST_NODE = [20, 19] as const;
const LEAST_FREE_BYTES = 200 * 2 ** 20;

export function checkNode(version = process.versions.node): Finding {
  const { ok, fault } = findingsOf('node');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return ok(`Node ${version}.`);
  return fault(`Node ${version} is too old.`, `Install Node ${leastMajor}.${leastMinor} or later.`);
}

/** What is installed, for reports of faults. */
export function checkVersion(): Finding {
  return findingsOf('version').ok(`Plimsoll ${VERSION} in ${PACKAGE_FOLDER}.`);
}

/** No verdict that ships was issued in the future. Clocks that are wrong by less are seen beside a provider's, with --online. */
export function checkClock(now: Date): Finding {
  const { ok, fault } = findingsOf('clock');
  const { created } = readArtifact(STARTER_FOLDER).manifest;
  const shown = `${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (now >= new Date(created)) return ok(`It is ${shown}.`);
  return fault(
    `It is ${shown} on this machine, before this version was made (${created.slice(0, 10)}).`,
    'Set the clock of this machine (NTP): verdicts, budgets and certificates go by it.',
  );
}

const PREFIX = 'PLIMSOLL_';
/** Variables that are read by name; others, such as those that the configuration names, are free. */
const VARIABLES = [
  'PLIMSOLL_PORT',
  'PLIMSOLL_LOG_LEVEL',
  'PLIMSOLL_WEIGHTS_DIR',
  'PLIMSOLL_DEBUG',
  'PLIMSOLL_KEY_PASSPHRASE',
];

/** A slip in the name of a variable would be ignored without a word. */
export function checkEnvironment(env: NodeJS.ProcessEnv): Finding {
  const { ok, warning } = findingsOf('environment');
  const ours = Object.keys(env).filter((name) => name.startsWith(PREFIX));
  const slips = ours.flatMap((name) => {
    if (VARIABLES.includes(name)) return [];
    const near = nearestName(
      name.slice(PREFIX.length),
      VARIABLES.map((one) => one.slice(PREFIX.length)),
    );
    return near === undefined ? [] : [{ name, near: `${PREFIX}${near}` }];
  });
  const [slip] = slips;
  if (slip !== undefined)
    return warning(`${slip.name} is set, and nothing reads it.`, `Did you mean ${slip.near}?`);
  const read = ours.filter((name) => VARIABLES.includes(name));
  return ok(
    read.length === 0
      ? 'No variable changes the configuration.'
      : `${read.join(', ')} ${read.length === 1 ? 'is' : 'are'} set.`,
  );
}

export async function checkRuntime(): Promise<Finding> {
  const { ok, fault } = findingsOf('native runtime');
  try {
    await import('../../router/onnx/index.ts');
    return ok(`onnxruntime loads on ${process.platform} ${process.arch}.`);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return fault(
      `onnxruntime does not load on ${process.platform} ${process.arch} (${code}).`,
      'Install the packages again on this machine (npm ci). On Alpine use an image with glibc, such as node:20-slim.',
    );
  }
}

export async function checkPort({ server: { host, port } }: Config): Promise<Finding> {
  const { ok, warning, fault } = findingsOf('port');
  if (port === 0) return ok('Any free port is taken.');
  const code = await listenFault(host, port);
  if (code === undefined) return ok(`${host}:${port} is free.`);
  if (code !== 'EADDRINUSE') {
    return fault(
      `${host}:${port} cannot be listened on (${code}).`,
      'Set server.host and server.port to others.',
    );
  }
  if (await isPlimsoll(host, port)) return warning(`Plimsoll serves at ${host}:${port} already.`);
  return fault(
    `Another program has ${host}:${port}.`,
    'End it, or take another port: --port, PLIMSOLL_PORT or server.port.',
  );
}

/** @returns the system's error code, or undefined if the address is free */
function listenFault(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => resolve(code));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

async function isPlimsoll(host: string, port: number): Promise<boolean> {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  try {
    const response = await fetch(
      `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/healthz`,
      {
        signal: AbortSignal.timeout(2_000),
      },
    );
    return 'uptime_s' in ((await response.json()) as object);
  } catch {
    return false;
  }
}

/** Room for what the configuration writes to this machine's disk. */
export function checkDisk({ state, decisionLog }: Config): Finding {
  const { ok, warning, skipped } = findingsOf('disk');
  const files = [
    ...(state?.kind === 'sqlite' ? [state.url ?? DEFAULT_SQLITE_FILE] : []),
    ...(decisionLog?.file === undefined ? [] : [decisionLog.file]),
  ];
  const [first] = files;
  if (first === undefined) return skipped('Nothing is written to the disk.');
  const full = files.map((file) => [file, freeBytes(path.dirname(path.resolve(file)))] as const);
  const short = full.find(([, free]) => free !== undefined && free < LEAST_FREE_BYTES);
  if (short === undefined) return ok(`There is room for ${files.join(' and ')}.`);
  return warning(
    `${short[0]} is on a disk with ${Math.round(short[1]! / 2 ** 20)} MB left.`,
    'Make room, or move it: without room no request that must be recorded is served.',
  );
}

/** Undefined for a folder that is not there yet. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
