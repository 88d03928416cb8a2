import { Command } from 'commander';
import { type ConfigOverrides, loadConfig } from '../../router/config.ts';
import { createRouter } from '../../router/create-router.ts';
import { exampleRequest } from '../../router/server/announce.ts';
import { drainOnSignal } from '../../router/server/drain-on-signal.ts';
import { startServer } from '../../router/server/start-server.ts';
import { createLogger } from '../../router/telemetry/logger.ts';
import { wholeNumberBetween } from '../labelled-data.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve decisions over HTTP')
    .option('--config <file>', 'configuration (default: plimsoll.config.yaml where it exists)')
    .option('--artifact <folder>', 'the artifact that decides (default: the starter)')
    .option('--policy <name>', 'policy of requests that name none')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any (default: 8787)', wholeNumberBetween(0, 65_535))
    .option('--log-level <level>', 'silent, error, warn, info or debug')
    .action(async (options: ServeOptions) => {
      process.exitCode = await serve(options);
    });
}

export interface ServeOptions {
  readonly config?: string;
  readonly artifact?: string;
  readonly policy?: string;
  readonly host?: string;
  readonly port?: number;
  readonly logLevel?: string;
}

/**
 * `plimsoll serve`: serves until SIGTERM or SIGINT, then drains. Resolves to the exit code: 0, or 1 where requests
 * were cut off at the drain's time limit.
 * @throws PlimsollError where the configuration, the artifact or the port is wrong.
 */
export async function serve(options: ServeOptions = {}): Promise<number> {
  const config = loadConfig(options.config, process.env, overrides(options));
  const logger = createLogger(config.log_level);
  const router = await createRouter(config);
  const server = await startServer({ config, router, logger }).catch(async (error) => {
    await router.close();
    throw error;
  });
  if (process.stderr.isTTY) process.stderr.write(exampleRequest(server.url));
  return drainOnSignal(server, logger);
}

function overrides({ artifact, policy, host, port, logLevel }: ServeOptions): ConfigOverrides {
  return {
    ...(artifact !== undefined && { artifact }),
    ...(policy !== undefined && { default_policy: policy }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(logLevel !== undefined && { log_level: logLevel }),
  };
}
