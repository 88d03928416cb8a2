import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/*
 * Throw-away database servers, for one run of the tests. PostgreSQL refuses to run as root: there it runs as the user `postgres`.
 */

const POSTGRES_FOLDERS = '/usr/lib/postgresql';

/** Folder of initdb and postgres, the newest version first; undefined if PostgreSQL is not installed. */
export function postgresBinaries() {
  const versions = existsSync(POSTGRES_FOLDERS) ? readdirSync(POSTGRES_FOLDERS) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((one) => `${POSTGRES_FOLDERS}/${one}/bin`);
  return [...folders, ...(process.env.PATH ?? '').split(path.delimiter)].find((folder) =>
    existsSync(path.join(folder, 'initdb')),
  );
}

export function redisBinary() {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, 'redis-server')).find((file) => existsSync(file));
}

/** @returns the port of a server; starts it if no test of this run has. @param start gets a folder and a port, and its pid file is there when it resolves */
export async function sharedServer(folder, name, start) {
  const own = path.join(folder, name);
  const portFile = path.join(own, 'port');
  try {
    mkdirSync(own); // whoever makes the folder starts the server
  } catch {
    for (let i = 0; i < 600 && !existsSync(portFile); i++) await sleep(50);
    return Number(readFileSync(portFile, 'utf8'));
  }
  const port = await freePort();
  await start(own, port);
  writeFileSync(portFile, String(port));
  return port;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const asRoot = () => process.getuid?.() === 0;
const unprivileged = (command, args) =>
  asRoot() ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args];

export async function startPostgres(folder, port, settings = {}) {
  const bin = postgresBinaries();
  chmodSync(path.dirname(folder), 0o755);
  if (asRoot()) spawnSync('chown', ['postgres', folder]);
  const data = path.join(folder, 'data');
  if (!existsSync(data)) {
    const args = [
      '-D',
      data,
      '--auth=trust',
      '--username=postgres',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ];
    const made = spawnSync(...unprivileged(path.join(bin, 'initdb'), args), { encoding: 'utf8', cwd: '/' });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  }
  const options = { fsync: 'off', max_connections: '200', listen_addresses: '127.0.0.1', ...settings };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = ['-D', data, '-p', String(port), '-k', folder, ...flags];
  const server = spawn(...unprivileged(path.join(bin, 'postgres'), args), {
    stdio: 'ignore',
    detached: true,
    cwd: '/',
  });
  server.unref();
  for (let i = 0; i < 600; i++) {
    const probe = spawnSync(path.join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q']);
    if (probe.status === 0) return;
    await sleep(50);
  }
  throw new Error('PostgreSQL did not start within 30 s');
}

/** @param mode fast ends it in order; immediate as a crash does */
export function stopPostgres(folder, mode = 'immediate') {
  const data = path.join(folder, 'data');
  if (!existsSync(path.join(data, 'postmaster.pid'))) return;
  const args = ['stop', '-D', data, '-m', mode, '-w'];
  spawnSync(...unprivileged(path.join(postgresBinaries(), 'pg_ctl'), args), { cwd: '/' });
}

export async function startRedis(folder, port) {
  const pidFile = path.join(folder, 'redis.pid');
  const flags = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--pidfile',
    pidFile,
    '--daemonize',
    'yes',
  ];
  const started = spawnSync(redisBinary(), flags.map(String), { encoding: 'utf8' });
  if (started.status !== 0) throw new Error(`redis-server failed: ${started.stdout}`);
  for (let i = 0; i < 200 && !existsSync(pidFile); i++) await sleep(25);
}

export function stopRedis(folder) {
  const pidFile = path.join(folder, 'redis.pid');
  if (!existsSync(pidFile)) return;
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  } catch {
    // it has ended already
  }
  rmSync(pidFile, { force: true });
}

export function stopServers(folder) {
  stopPostgres(path.join(folder, 'postgres'));
  stopRedis(path.join(folder, 'redis'));
}
