import type { ArtifactFiles } from './artifact/index.ts';
import { type OpenParts, openArtifactRouter, type RouterParts } from './artifact-router.ts';
import { type ArtifactView, type ViewedArtifact, viewedArtifacts } from './artifact-views.ts';
import type { Config } from './config/index.ts';
import { openRules, type Ruling } from './configured-rules.ts';
import { openTasks } from './configured-tasks.ts';
import { PlimsollError } from './errors.ts';
import type { LoadedArtifact, Router } from './router.ts';
import { routerOfArtifacts } from './router-of-artifacts.ts';

/**
 * The composition root: configuration + artifacts -> router. Checks every golden case before it returns.
 * @throws PlimsollError `ungated` if an artifact has no valid PASS and the configuration does not allow that; else if
 * artifact, weights or configuration do not fit.
 */
export async function createRouter(config: Config, parts: RouterParts = {}): Promise<Router> {
  const { nowMs = Date.now } = parts;
  const [own, ...further] = viewedArtifacts(config, nowMs());
  const artifacts = [own, ...further];
  for (const { views } of artifacts) for (const view of views) assertGated(view, config);
  const tasks = await openTasks(config);
  const ruling = await openRules(config, artifacts, nowMs, tasks);
  const opened: Router[] = [];
  try {
    // One after the other, so that memory and time can be measured for each.
    for (const viewed of artifacts)
      opened.push(await openArtifact(config, viewed, ruling, { ...parts, nowMs, tasks }));
  } catch (error) {
    await Promise.all(opened.map((router) => router.close()));
    throw error;
  }
  const [only, ...others] = opened;
  return only !== undefined && others.length === 0
    ? only
    : routerOfArtifacts(opened, Object.keys(config.profiles));
}

/** Checked before anything of the artifact is opened: without a valid PASS it serves only if its owner allows it. */
function assertGated({ profile, standing }: ArtifactView, { allowUngated: allowed }: Config): void {
  if (allowed || standing.kind === 'pass') return;
  const whose = profile === undefined ? '' : `profiles.${profile}: `;
  throw new PlimsollError(
    'ungated',
    `${whose}${standing.why} Or let it serve without proof: allow_ungated: true, or --allow-ungated.`,
    profile === undefined ? {} : { place: { field: `profiles.${profile}` } },
  );
}

async function openArtifact(
  config: Config,
  viewed: ViewedArtifact,
  ruling: Ruling,
  parts: OpenParts,
): Promise<Router> {
  const startedMs = performance.now();
  const before = process.memoryUsage.rss();
  const { artifact, views } = viewed;
  const router = await openArtifactRouter(config, viewed, parts);
  await assertGolden(router, artifact);
  const loaded: LoadedArtifact = {
    name: artifact.manifest.name,
    sha256: artifact.sha256,
    profiles: views.flatMap(({ profile }) => profile ?? []),
    loadMs: performance.now() - startedMs,
    memoryBytes: Math.max(0, process.memoryUsage.rss() - before),
    watch: router.watch,
  };
  return Object.assign(router, { artifacts: [loaded], ...ruling });
}

/** A golden case that comes out differently means other weights, another tokenizer or another runtime: refuse to serve. */
async function assertGolden(
  router: Pick<Router, 'checkGolden' | 'close'>,
  { golden, folder }: ArtifactFiles,
): Promise<void> {
  for (let index = 0; index < golden.length; index++) {
    if (await router.checkGolden(index)) continue;
    await router.close();
    throw new PlimsollError(
      'invalid-artifact',
      `Golden case ${index + 1} of ${folder} gives other probabilities here than when the artifact was made. Train it again with this version.`,
      { place: { file: folder } },
    );
  }
}
