import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';

interface Process {
  readonly pid: number;
  readonly group: number;
  readonly command: string;
}

/** The processes that run in a group, zombies left out (proc(5)). */
function inGroup(group: number): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    const found = /^\d+$/.test(name) ? processOf(Number(name)) : undefined;
    return found?.group === group ? [found] : [];
  });
}

function processOf(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return state === 'Z' ? undefined : { pid, group: Number(group), command };
  } catch {
    return undefined; // gone meanwhile
  }
}

/** `npm <args>` in a group of its own, when it listens; with the processes that it consists of. */
async function started(args: readonly string[]) {
  const env = { ...process.env, PLIMSOLL_PORT: '0' };
  const child = spawn('npm', args, {
    cwd: PACKAGE_FOLDER,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // all of it is gone
  });
  await listening(child);
  return { child, running: () => inGroup(child.pid!) };
}

function listening(child: ChildProcess): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    const look = (chunk: Buffer) => {
      text += chunk;
      if (text.includes('http://127.0.0.1:')) resolve();
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.on('close', () => reject(new Error(text)));
  });
}

const SERVER = /scripts\/(?:plimsoll\.mjs|fake-provider\.ts)/;

beforeAll(() => {
  execFileSync('npm', ['run', '--silent', 'plimsoll', '--', '--version'], { cwd: PACKAGE_FOLDER }); // builds, if need be
}, 180_000);

describe.skipIf(process.platform !== 'linux')('a signal ends the server, and leaves nothing', () => {
  it.each(
    ['SIGTERM', 'SIGINT'].flatMap((signal) =>
      ['npm', 'the server'].map((who) => [signal as NodeJS.Signals, who] as const),
    ),
  )('npm start: %s to %s', async (signal, who) => {
    await endsBy(await started(['start']), signal, who);
  });

  it.each([[['run', 'plimsoll', '--', 'serve']], [['run', 'fake-provider', '--', '--port', '0']]])(
    'npm %j: SIGTERM',
    async (args) => {
      await endsBy(await started(args), 'SIGTERM', 'npm');
    },
  );
});

type Started = Awaited<ReturnType<typeof started>>;

async function endsBy({ child, running }: Started, signal: NodeJS.Signals, who: string): Promise<void> {
  const processes = running();
  const server = processes.filter(({ command }) => SERVER.test(command));
  expect(server.map(({ command }) => command)).toHaveLength(1); // no shell and no wrapper that would have to pass a signal on
  const closed = new Promise((resolve) => child.on('close', resolve));
  process.kill(who === 'npm' ? child.pid! : server[0]!.pid, signal);
  await closed;
  while (running().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
