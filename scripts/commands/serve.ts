import { Command } from 'commander';
import { createCatalog } from '../../router/catalog/index.ts';
import { type Config, type ConfigOverrides, DEFAULT_CONFIG_FILE, loadConfig } from '../../router/config.ts';
import { type Gateway, openGateway } from '../../router/gateway/index.ts';
import { hotReload } from '../../router/hot-reload.ts';
import {
  drainOnSignal,
  exampleRequest,
  isGuarded,
  reloadOnHangUp,
  reloadReport,
  startServer,
} from '../../router/server/index.ts';
import { createLogger, type Logger } from '../../router/telemetry/index.ts';
import { watchConfig } from '../../router/watch-config.ts';
import { wholeNumberBetween } from '../labelled-data.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve decisions over HTTP')
    .option('--config <file>', 'configuration (default: plimsoll.config.yaml where it exists)')
    .option('--artifact <folder>', 'the artifact that decides (default: the starter)')
    .option('--policy <name>', 'policy of requests that name none')
    .option('--allow-ungated', 'serve artifacts and policies without a valid PASS of the gate')
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
  readonly allowUngated?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly logLevel?: string;
}

/**
 * `plimsoll serve`: serves until SIGTERM or SIGINT, then drains. SIGHUP and a changed artifact reload. Resolves to the exit
 * code: 0, or 1 where requests were cut off at the drain's time limit.
 * @throws PlimsollError where the configuration, the artifact or the port is wrong; then nothing ever listened.
 */
export async function serve(options: ServeOptions = {}): Promise<number> {
  const readConfig = () => loadConfig(options.config, process.env, overrides(options));
  const config = readConfig();
  const logger = createLogger(config.log_level, undefined, () => providerKeys(config));
  const gateway = await gatewayOf(config, logger);
  const { router, reread, stop } = await hotReload(config, readConfig, reloadReport(logger), {
    ...(gateway && { onOpened: gateway.configure }),
  });
  reloadOnHangUp(reread, logger); // before it listens: who sees it listening may signal at once
  const configFile = options.config ?? DEFAULT_CONFIG_FILE;
  const unwatch = watchConfig(configFile, config.reload_interval_ms, () => void reread());
  const end = () => {
    stop();
    unwatch();
  };
  const parts = { config, router, logger, ...(gateway && { gateway }) };
  const server = await startServer(parts).catch(async (error) => {
    end();
    await gateway?.close();
    await router.close();
    throw error;
  });
  if (process.stderr.isTTY) process.stderr.write(exampleRequest(server.url, isGuarded(config)));
  return drainOnSignal(server, logger).finally(end);
}

/** Its code is loaded only where models are called: who only decides starts sooner. */
async function gatewayOf(config: Config, logger: Logger): Promise<Gateway | undefined> {
  if (Object.keys(config.providers).length === 0) return undefined;
  return openGateway(config, logger);
}

/** What may stand in no log line, whoever puts it there. */
function providerKeys({ providers, models }: Config): string[] {
  const named = createCatalog({ providers, models }).models.map(({ provider }) => provider.apiKeyEnv);
  return [...new Set(named)].flatMap((name) => (name && process.env[name]) || []);
}

function overrides({ artifact, policy, allowUngated, host, port, logLevel }: ServeOptions): ConfigOverrides {
  return {
    ...(artifact !== undefined && { artifact }),
    ...(policy !== undefined && { default_policy: policy }),
    ...(allowUngated !== undefined && { allow_ungated: allowUngated }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(logLevel !== undefined && { log_level: logLevel }),
  };
}
