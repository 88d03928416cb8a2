import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRouter } from '../../router/create-router.ts';
import type { Router } from '../../router/router.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, DAY_MS, layEarlierVerdict, layVerdict, PASSED } from '../helpers/verdicts.ts';
import { tinyConfig } from '../server/serving.ts';

const PREVIEW = 0.3;
const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-threshold-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A text that the preview escalates, and a threshold of a verdict that keeps it cheap. */
let prompt: string;
let gated: { name: string; version: number; threshold: number };
beforeAll(async () => {
  const { hard } = await tinyArtifact();
  prompt = hard[0]!;
  const router = await createRouter(await tinyConfig());
  const { predictedLoss, candidate, threshold } = await router.route({ prompt });
  await router.close();
  expect([candidate, threshold]).toEqual(['strong', PREVIEW]);
  gated = { name: 'default', version: 1, threshold: Number((predictedLoss! + 0.01).toFixed(3)) };
});

/** A tiny artifact with what `lay` puts beside it, and no other verdict. */
async function artifactWith(name: string, lay: (folder: string) => unknown): Promise<string> {
  const folder = copyAs((await tinyArtifact()).folder, path.join(home, name));
  rmSync(path.join(folder, 'verdict.json'));
  lay(folder);
  return folder;
}

async function withRouter<T>(
  artifact: string,
  settings: { allowUngated?: boolean; nowMs?: () => number },
  use: (router: Router) => Promise<T>,
): Promise<T> {
  const { nowMs, ...config } = settings;
  const router = await createRouter(
    await tinyConfig({ config: { artifact, ...config } }),
    nowMs && { nowMs },
  );
  try {
    return await use(router);
  } finally {
    await router.close();
  }
}

const byPreview = { candidate: 'strong', threshold: PREVIEW, reason: 'over-threshold' };

describe('the threshold that serves', () => {
  test("is the verdict's, not the manifest's preview", async () => {
    const artifact = await artifactWith('gated', (folder) => layVerdict(folder, { policy: gated }));
    await withRouter(artifact, {}, async (router) => {
      const byVerdict = {
        candidate: 'cheap',
        threshold: gated.threshold,
        reason: 'within-threshold',
        verdict: 'PASS',
      };
      expect(router.defaultPolicy.threshold).toBe(gated.threshold);
      expect(router.standing()).toMatchObject({ kind: 'pass', threshold: gated.threshold });
      expect(await router.route({ prompt })).toMatchObject(byVerdict);
      expect((await router.explain({ prompt })).decision).toMatchObject(byVerdict);
      expect(await router.route({ prompt }, { threshold: gated.threshold })).toMatchObject(byVerdict);
      await expect(router.route({ prompt }, { threshold: PREVIEW })).rejects.toMatchObject({
        code: 'invalid-input',
        message: `The threshold ${PREVIEW} has not passed the gate; ${gated.threshold} has. Leave it out, or let the operator set allow_ungated.`,
      });
    });
    await withRouter(artifact, { allowUngated: true }, async (router) => {
      expect(await router.route({ prompt }, { threshold: PREVIEW })).toMatchObject({
        candidate: 'strong',
        threshold: PREVIEW,
        verdict: 'none',
        ungatedReason: 'ungated-threshold',
      });
    });
  });

  test("is the manifest's with a PASS of version 1, which is of it", async () => {
    const artifact = await artifactWith('earlier', layEarlierVerdict);
    await withRouter(artifact, {}, async (router) => {
      expect(await router.route({ prompt })).toMatchObject({ ...byPreview, verdict: 'PASS' });
    });
  });

  test("stays the verdict's after that has expired, while it serves and when it is opened again", async () => {
    const artifact = await artifactWith('expired', (folder) =>
      layVerdict(folder, { policy: gated, valid_for_days: 30 }),
    );
    const decided = { candidate: 'cheap', threshold: gated.threshold };
    let clockMs = Date.now();
    const nowMs = () => clockMs;
    await withRouter(artifact, { nowMs }, async (router) => {
      expect(await router.route({ prompt })).toMatchObject({ ...decided, verdict: 'PASS' });
      clockMs += 31 * DAY_MS;
      expect(await router.route({ prompt })).toMatchObject({ ...decided, verdict: 'expired' });
    });
    await withRouter(artifact, { nowMs, allowUngated: true }, async (router) => {
      expect(await router.route({ prompt })).toMatchObject({ ...decided, verdict: 'expired' });
    });
  });

  test.each<[string, string, (folder: string) => unknown]>([
    ['no verdict', 'no-verdict', () => {}],
    [
      'a verdict that is no PASS',
      'not-passed',
      (folder) =>
        layVerdict(folder, { policy: gated, verdict: 'FAIL', conditions: [{ ...PASSED, verdict: 'FAIL' }] }),
    ],
    [
      'a verdict of another artifact',
      'other-artifact',
      (folder) => layVerdict(folder, { policy: gated, artifact: { name: 'other', sha256: 'b'.repeat(64) } }),
    ],
    [
      'a verdict of version 1 of another threshold',
      'other-policy',
      (folder) => layEarlierVerdict(folder, { policy: gated }),
    ],
  ])('is the preview with allow_ungated and %s', async (_, reason, lay) => {
    const artifact = await artifactWith(reason, lay);
    await withRouter(artifact, { allowUngated: true }, async (router) => {
      expect(router.defaultPolicy.threshold).toBe(PREVIEW);
      expect(await router.route({ prompt })).toMatchObject({
        ...byPreview,
        verdict: 'none',
        ungatedReason: reason,
      });
    });
  });
});
