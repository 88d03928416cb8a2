/**
 * Runs commands one after another in one process, which loads their modules once: that takes most of the time of a short command. Each has
 * arguments, working directory, environment and exit code of its own, and writes to the real stdout and stderr (run-cli.ts).
 */
import { pathToFileURL } from 'node:url';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Variables that modules set as they are loaded, which happens once. */
const ownVariables = {};
let runs = 0;

for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0); // commands leave theirs to the end of a process
process.on('disconnect', () => process.exit());
process.on('message', async ({ script, args, cwd, env, end }) => {
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env, ownVariables);
  process.argv.splice(1, Number.POSITIVE_INFINITY, script, ...args);
  await import(`${pathToFileURL(script)}?run=${runs++}`); // the query has the entry run again; what it imports is there already
  for (const [name, value] of Object.entries(process.env)) {
    if (env[name] !== value) ownVariables[name] = value;
  }
  const code = process.exitCode ?? 0;
  process.exitCode = undefined;
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  process.stdout.write(end);
  process.stderr.write(end);
  process.send(code);
});
