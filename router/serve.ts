import type { Config } from './config/index.ts';
import { gatewayLogger } from './create-gateway.ts';
import { createLink } from './dashboard/index.ts';
import { type Gateway, openGateway } from './gateway/index.ts';
import { alarmWebhook, type WatchAlarm } from './monitoring/index.ts';
import { hotReload, reloadOnHangUp, reloadReport } from './reload.ts';
import type { Reload } from './router.ts';
import { drainOnSignal, exampleRequest, isGuarded, logReload, startServer } from './server/index.ts';
import type { Served, ServeOptions } from './serving.ts';
import type { Logger } from './telemetry/index.ts';

/**
 * Serves a configuration over HTTP: decisions and, if it names providers, models. A changed artifact is reloaded.
 * @throws PlimsollError if the configuration, the artifact or the port is wrong; then it never listened
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<Served> {
  return start(config, options, gatewayLogger(config));
}

/**
 * The same as the whole work of this process: SIGHUP reloads, SIGTERM and SIGINT drain.
 * @returns the exit code: 0, or 1 if requests were cut off at the drain's time limit
 */
export async function serveUntilSignal(
  config: Config,
  options: ServeOptions = {},
  onListening: (server: Served) => void = () => {},
): Promise<number> {
  const logger = gatewayLogger(config);
  const server = await start(config, options, logger, (reload) => reloadOnHangUp(reload, logger));
  onListening(server);
  if (process.stderr.isTTY) {
    process.stderr.write(exampleRequest(server.url, isGuarded(config)));
    if (config.dashboard === 'on') process.stderr.write(dashboardNotice(server.url));
  }
  return drainOnSignal(server, logger);
}

/** @param beforeListening once the server listens, whoever sees it may send signals */
async function start(
  config: Config,
  { readConfig, configFile, promotion, review, banner }: ServeOptions,
  logger: Logger,
  beforeListening: (reload: () => Promise<Reload>) => void = () => {},
): Promise<Served> {
  const onAlarm = alarmReport(config, logger); // may refuse: before anything is opened
  // The state is opened while the artifact is read.
  const opening = gatewayFor(config, logger, config.watch && onAlarm);
  opening.catch(() => {}); // `onOpened` throws it
  let current = config;
  const opened = hotReload(config, {
    ...(readConfig && { readConfig }),
    configFile,
    report: reloadReport(logger, logReload),
    onAlarm,
    onOpened: async (wanted, router) => {
      (await opening)?.configure(wanted, router);
      current = wanted;
    },
  });
  const { router, reload, past, stop } = await opened.catch(async (error) => {
    await opening.then(
      (gateway) => gateway?.close(),
      () => {},
    );
    throw error;
  });
  const gateway = await opening;
  beforeListening(reload);
  const parts = {
    config,
    currentConfig: () => current,
    reloads: { past, reload },
    promotion,
    review,
    banner,
    router,
    logger,
    ...(gateway && { gateway }),
  };
  const server = await startServer(parts).catch(async (error) => {
    stop();
    await gateway?.close();
    await router.close();
    throw error;
  });
  return { ...server, router, reload, close: () => server.close().finally(stop) };
}

/** Where the page is, for a person at a terminal. The link signs in once, within ten minutes. */
function dashboardNotice(url: string): string {
  try {
    return `Look at ${url}/dashboard. This link signs in, once, within ten minutes:\n  ${createLink(url, Date.now())}\n`;
  } catch {
    return `Look at ${url}/dashboard.\n`; // no place for the secret of links: the page is there all the same
  }
}

/** Alarms of the watch go to the log, and to the webhook if there is one. */
function alarmReport({ watch }: Config, logger: Logger): (alarm: WatchAlarm) => void {
  const variable = watch?.webhookUrlEnv;
  const post =
    variable === undefined
      ? undefined
      : alarmWebhook(variable, (error) => logger.error(error, 'an alarm did not reach the webhook'));
  return (alarm) => {
    logger.warn({ alarm: alarm.kind, artifact: alarm.artifact }, alarm.message);
    void post?.(alarm);
  };
}

/** The gateway's code is loaded only if models are called: a server that only decides starts sooner. */
async function gatewayFor(
  config: Config,
  logger: Logger,
  onAlarm: ((alarm: WatchAlarm) => void) | undefined,
): Promise<Gateway | undefined> {
  if (Object.keys(config.providers).length === 0) return undefined;
  return openGateway(config, logger, onAlarm);
}
