import { runServe } from '../../scripts/commands/serve.ts';

/** `plimsoll serve` as a process of its own: arguments are the configuration file and a port. */
const [config, port] = process.argv.slice(2);
process.exit(await runServe({ config: config!, ...(port !== undefined && { port: Number(port) }) }));
