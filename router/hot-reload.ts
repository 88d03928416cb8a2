import { artifactMark, watchArtifact } from './artifact/index.ts';
import type { Config } from './config/index.ts';
import { createRouter, type RouterParts, STARTER_FOLDER } from './create-router.ts';
import { type ReloadingRouter, reloadingRouter } from './reloading-router.ts';
import type { Reload, Router } from './router.ts';

/** Told of what happens to a router that reloads by itself. */
export interface ReloadReport {
  reloaded(router: Router): void;
  failed(error: unknown): void;
  /** These fields of the configuration file changed, and stay as they were at start. */
  needsRestart(fields: readonly string[]): void;
}

export interface HotReload {
  readonly router: ReloadingRouter;
  /** Reads the configuration again and opens what it names. Where either fails, all stays as it is. */
  reread(): Promise<Reload>;
  /** Ends the watch over the artifact's folder. */
  stop(): void;
}

/** What only the start can set: the socket, its limits, the log, the timer. */
const FIXED = { server: 'server', logLevel: 'log_level', reloadIntervalMs: 'reload_interval_ms' } as const;

/**
 * Opens the router of a configuration, and another one each time that its artifact changes.
 * @param parts `onOpened` is told of each router before it serves, and may refuse it by throwing.
 * @throws PlimsollError as `createRouter` does, for the first one.
 */
export async function hotReload(
  atStart: Config,
  readConfig: () => Config,
  report: ReloadReport,
  parts: RouterParts & { readonly onOpened?: (config: Config, router: Router) => void } = {},
): Promise<HotReload> {
  let config = atStart;
  let seen: string | undefined;

  async function open(wanted: Config): Promise<Router> {
    const mark = await artifactMark(folderOf(wanted));
    if (folderOf(wanted) === folderOf(config)) seen = mark; // though opening fail: it is tried once
    const opened = await createRouter(wanted, parts);
    await refusedOr(opened, () => parts.onOpened?.(wanted, opened));
    config = wanted;
    seen = mark;
    return opened;
  }

  const router = await reloadingRouter(
    () => open(config),
    (reload, error) => (reload.ok ? report.reloaded(router) : report.failed(error)),
  );

  async function openReread(): Promise<Router> {
    const next = readConfig();
    const changed = (Object.keys(FIXED) as (keyof typeof FIXED)[]).filter(
      (field) => JSON.stringify(next[field]) !== JSON.stringify(atStart[field]),
    );
    if (changed.length > 0) report.needsRestart(changed.map((field) => FIXED[field]));
    return open(next);
  }

  const { reloadIntervalMs: intervalMs } = atStart;
  const watch = {
    folder: () => folderOf(config),
    seen: () => seen,
    intervalMs,
    onChange: () => router.reload(),
  };
  return {
    router,
    reread: () => router.reload(openReread),
    stop: intervalMs === 0 ? () => {} : watchArtifact(watch),
  };
}

/** What depends on the router may refuse it: then it is closed, and what served before serves on. */
async function refusedOr(opened: Router, accept: () => void): Promise<void> {
  try {
    accept();
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function folderOf({ artifact = STARTER_FOLDER }: Config): string {
  return artifact;
}
