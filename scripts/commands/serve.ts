import { Command, Option } from 'commander';
import { DEFAULT_CONFIG_FILE, logLevelSchema, withConfigPlace } from '../../router/config/index.ts';
import { serveUntilSignal } from '../../router/serve.ts';
import type { ServeOptions } from '../../router/serving.ts';
import { type ConfigFlags, configFromFlags } from '../config-flags.ts';
import { wholeNumberBetween } from '../flags.ts';
import { printJson } from '../terminal.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .option('--config <file>', 'configuration (default: plimsoll.config.yaml where it exists)')
    .option('--artifact <folder>', 'the artifact that decides (default: the starter)')
    .option('--policy <name>', 'policy of requests that name none')
    .option('--allow-ungated', 'serve artifacts and policies without a valid PASS of the gate')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any (default: 8787)', wholeNumberBetween(0, 65_535))
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(logLevelSchema.options))
    .option('--json', 'print where it listens and what serves as JSON, once it listens', false)
    .action(async ({ json, ...options }: ConfigFlags & { readonly json: boolean }) => {
      process.exitCode = await runServe(options, json);
    });
}

/** Serves until a signal ends it. @returns the exit code @throws PlimsollError that names the line of the configuration, if it is one's fault */
export async function runServe(flags: ConfigFlags, json = false): Promise<number> {
  const readConfig = () => configFromFlags(flags);
  const configFile = flags.config ?? DEFAULT_CONFIG_FILE;
  const promotion = () => import('../../evals/lifecycle/index.ts');
  const review: ServeOptions['review'] = async (options) => {
    const { openReviewDesk } = await import('../../evals/review/index.ts');
    return openReviewDesk(options);
  };
  const options = { readConfig, configFile, promotion, review };
  try {
    return await serveUntilSignal(readConfig(), options, ({ url, port, router }) => {
      const { name, sha256 } = router.artifact;
      if (json) printJson({ url, port, artifact: { name, sha256 }, policy: router.defaultPolicy.name });
    });
  } catch (error) {
    throw withConfigPlace(error, configFile);
  }
}
