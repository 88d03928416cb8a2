/** Looks at all that a server needs before it starts, and says what to do about each fault. Writes nothing. */
import { existsSync } from 'node:fs';
import type { Router } from '../../router/router.ts';
import { type Finding, findingsOf } from './finding.ts';
import {
  checkClock,
  checkDisk,
  checkEnvironment,
  checkNode,
  checkPort,
  checkRuntime,
  checkVersion,
} from './machine.ts';
import {
  checkAccess,
  checkAlarms,
  checkArtifact,
  checkCascade,
  checkConfig,
  checkLadders,
  checkProfiles,
  checkProviders,
  checkServed,
  openCatalog,
} from './serving.ts';
import { checkRedis, checkState } from './stores.ts';

export type { Finding } from './finding.ts';

export interface DoctorOptions {
  /** File of the configuration; by default plimsoll.config.yaml, if it is there. */
  readonly config?: string | undefined;
  /** Also asks each provider for its list of models, which is free of charge. Otherwise nothing leaves this machine but for state and Redis. */
  readonly online: boolean;
}

/** In a fixed order. What a fault makes pointless is skipped, and says so. */
export async function diagnose({ config: file, online }: DoctorOptions): Promise<readonly Finding[]> {
  const machine = [checkVersion(), checkNode(), await checkRuntime(), checkClock(new Date())];
  const { config, finding } = checkConfig(file);
  if (config === undefined) {
    return [
      ...machine,
      checkEnvironment(process.env),
      finding,
      findingsOf('the rest').skipped('Correct the configuration first.'),
    ];
  }
  const catalog = openCatalog(config);
  const { router, finding: artifact } = await checkArtifact(config);
  try {
    const ladders = 'check' in catalog || router === undefined ? [] : checkLadders(router, catalog);
    const models =
      'check' in catalog
        ? [catalog]
        : [
            ...ladders,
            // A fault of a ladder would be named twice.
            ...(router === undefined || ladders.some(({ status }) => status === 'fault')
              ? []
              : await checkServed(config, router)),
            ...(router === undefined ? [] : checkCascade(config, router)),
            ...(await checkProviders(config, catalog, calledModels(router), online)),
          ];
    return [
      ...machine,
      checkEnvironment(process.env),
      finding,
      artifact,
      ...(router === undefined ? [] : checkProfiles(router)),
      ...models,
      ...checkAlarms(config),
      checkAccess(config),
      await checkPort(config),
      await checkState(config, existsSync),
      await checkRedis(config),
      checkDisk(config),
    ];
  } finally {
    await router?.close();
  }
}

/** By name: those of the default ladder, and of each profile. */
function calledModels(router: Router | undefined): readonly string[] {
  if (router === undefined) return [];
  const ladders = [router.ladder, ...[...router.profiles.values()].map(({ rungs }) => rungs)];
  return [...new Set(ladders.flatMap((rungs) => rungs.map(({ model }) => model)))];
}
