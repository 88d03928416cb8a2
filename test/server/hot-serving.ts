import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { RouterParts } from '../../router/artifact-router.ts';
import type { Config } from '../../router/config/index.ts';
import { type HotReload, hotReload, reloadReport } from '../../router/reload.ts';
import { logReload } from '../../router/server/server-log.ts';
import { type RunningServer, startServer } from '../../router/server/start-server.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, layVerdict } from '../helpers/verdicts.ts';
import { tinyConfig } from './serving.ts';

/** An empty folder that goes when the test ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-reload-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store with tiny artifacts of these names, each with a PASS and a hash of its own. */
export async function tinyStore(...names: string[]): Promise<string> {
  const store = scratchFolder();
  const { folder } = await tinyArtifact();
  for (const name of names) layVerdict(copyAs(folder, path.join(store, name)));
  return store;
}

export interface HotServing extends RunningServer {
  readonly hot: HotReload;
  readonly log: string[];
}

/** A real server that reloads; it watches its artifact only if `config` sets an interval. */
export async function hotServing(
  config: Partial<Omit<Config, 'server'>>,
  parts: RouterParts = {},
): Promise<HotServing> {
  const whole = await tinyConfig({ config: { reloadIntervalMs: 0, ...config } });
  const log: string[] = [];
  const logger = createLogger('debug', { write: (line) => log.push(line) });
  const hot = await hotReload(whole, { ...parts, report: reloadReport(logger, logReload) });
  const server = await startServer({ config: whole, router: hot.router, logger });
  onTestFinished(async () => {
    hot.stop();
    await server.close();
  });
  return { ...server, hot, log };
}
