import type { Config } from './config/index.ts';
import type { Reload, Router } from './router.ts';

/** What a reload would change, and its outcome. */
export interface PastReload extends Reload {
  readonly before: Config;
  /** Undefined: it could not be read. */
  readonly after: Config | undefined;
  /** What served before it and after it: name and sha256. */
  readonly artifacts: readonly [before: string, after: string];
  /** Fields that stay as they were at start. */
  readonly needsRestart: readonly string[];
}

export interface ReloadHistory {
  /** The last reloads that changed something or were refused, the newest first. */
  past(): readonly PastReload[];
  add(reload: Reload, tried: Pick<PastReload, 'before' | 'after' | 'needsRestart'>): void;
}

const MOST = 10;

/** @param router whose artifact serves, at each moment */
export function reloadHistory(router: Pick<Router, 'artifact'>): ReloadHistory {
  const serving = () => `${router.artifact.name} ${router.artifact.sha256.slice(0, 12)}`;
  let artifact = serving();
  let past: readonly PastReload[] = [];
  return {
    past: () => past,
    add(reload, tried) {
      const artifacts = [artifact, serving()] as const;
      artifact = artifacts[1];
      const { before, after } = tried;
      const isSame = artifacts[0] === artifacts[1] && JSON.stringify(before) === JSON.stringify(after);
      if (reload.ok && isSame) return;
      past = [{ ...reload, ...tried, artifacts }, ...past].slice(0, MOST);
    },
  };
}
