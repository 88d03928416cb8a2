import { once } from 'node:events';
import { cli, type Ended, startCli, told } from '../cli/run-cli.ts';

/** Environment variables that would change what is pinned. */
const CHANGES_BEHAVIOUR = /^(OTEL_|PORT$|NODE_OPTIONS$|.*_API_KEY$|GITHUB_)/;

function unset(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => CHANGES_BEHAVIOUR.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Runs `plimsoll` in `cwd`, which keeps paths of the machine out of what it prints. */
export function plimsoll(args: readonly string[], cwd: string): Promise<Ended> {
  return cli(args, { cwd, env: unset() });
}

const running: (() => Promise<unknown>)[] = [];

/**
 * Starts `plimsoll serve` on a free port, until `stopServers`.
 * @returns the address that it listens on
 */
export async function serve(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const child = startCli(['serve', '--port', '0', ...args], { cwd, env: { ...unset(), ...env } });
  const ended = once(child, 'close');
  running.push(() => {
    child.kill('SIGTERM');
    return ended;
  });
  child.stdout.resume();
  return (await told(child, /listens on (http:[^"\s]*)/))[1]!;
}

/** Stops what `serve` has started. To be called after the tests of a file. */
export async function stopServers(): Promise<void> {
  for (const stop of running.splice(0)) await stop();
}
