import { Command } from 'commander';
import { type ConfigOverrides, DEFAULT_CONFIG_FILE, loadConfig } from '../../router/config/index.ts';
import { serveUntilSignal } from '../../router/serve.ts';
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
    .action(async (options: ServeFlags) => {
      process.exitCode = await runServe(options);
    });
}

export interface ServeFlags {
  readonly config?: string;
  readonly artifact?: string;
  readonly policy?: string;
  readonly allowUngated?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly logLevel?: string;
}

/** Serves until a signal ends it. @returns the exit code */
export function runServe(options: ServeFlags): Promise<number> {
  const readConfig = () => loadConfig(options.config, process.env, overrides(options));
  return serveUntilSignal(readConfig(), { readConfig, configFile: options.config ?? DEFAULT_CONFIG_FILE });
}

function overrides({ artifact, policy, allowUngated, host, port, logLevel }: ServeFlags): ConfigOverrides {
  return {
    ...(artifact !== undefined && { artifact }),
    ...(policy !== undefined && { default_policy: policy }),
    ...(allowUngated !== undefined && { allow_ungated: allowUngated }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(logLevel !== undefined && { log_level: logLevel }),
  };
}
