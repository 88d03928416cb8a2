import { Command } from 'commander';
import { DEFAULT_CONFIG_FILE } from '../../router/config/index.ts';
import { serveUntilSignal } from '../../router/serve.ts';
import { type ConfigFlags, configFromFlags, wholeNumberBetween } from '../flags.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .option('--config <file>', 'configuration (default: plimsoll.config.yaml where it exists)')
    .option('--artifact <folder>', 'the artifact that decides (default: the starter)')
    .option('--policy <name>', 'policy of requests that name none')
    .option('--allow-ungated', 'serve artifacts and policies without a valid PASS of the gate')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any (default: 8787)', wholeNumberBetween(0, 65_535))
    .option('--log-level <level>', 'silent, error, warn, info or debug')
    .action(async (options: ConfigFlags) => {
      process.exitCode = await runServe(options);
    });
}

/** Serves until a signal ends it. @returns the exit code */
export function runServe(flags: ConfigFlags): Promise<number> {
  const readConfig = () => configFromFlags(flags);
  return serveUntilSignal(readConfig(), { readConfig, configFile: flags.config ?? DEFAULT_CONFIG_FILE });
}
