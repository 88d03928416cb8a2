import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { resolveArtifact } from './artifact/current.ts';
import { type ArtifactFiles, readArtifact } from './artifact/read.ts';
import { servedLadder } from './artifact/served-ladder.ts';
import { type Standing, standingInFolder } from './artifact/standing.ts';
import { classifierInput } from './classifier/classifier-input.ts';
import { createExplainer, type Explainer } from './classifier/explain.ts';
import { goldenHolds } from './classifier/golden-case.ts';
import { createOnnxClassifier } from './classifier/onnx-classifier.ts';
import { watchedClassifier } from './classifier/watched-classifier.ts';
import type { Config } from './config.ts';
import { PlimsollError } from './errors.ts';
import { featureExtractor } from './features/feature-vector.ts';
import { PACKAGE_FOLDER } from './package-folder.ts';
import { chooseByThreshold, chooseFixed, type Policy } from './policy/policy.ts';
import { policyVerdicts } from './policy/policy-verdicts.ts';
import { servedPolicies } from './policy/served-policies.ts';
import { routedText } from './request/routed-text.ts';
import type { Decision, Explained, Router } from './router.ts';

/** The artifact that ships, used where the configuration names none. */
export const STARTER_FOLDER = path.join(PACKAGE_FOLDER, 'models/starter');

/** Parts that a caller may replace; the defaults are what serves. */
export interface RouterParts {
  readonly openClassifier?: typeof createOnnxClassifier;
  /** The clock that verdicts run out by. */
  readonly nowMs?: () => number;
}

/**
 * The composition root: configuration + artifact -> router. Checks every golden case before it returns.
 * @throws PlimsollError `ungated` where the artifact has no valid PASS and the configuration does not allow that; else where
 * artifact, weights or configuration do not fit.
 */
export async function createRouter(config: Config, parts: RouterParts = {}): Promise<Router> {
  const artifact = readArtifact(resolveArtifact(config.artifact ?? STARTER_FOLDER));
  const { nowMs = Date.now } = parts;
  const standing = standingInFolder(artifact, new Date(nowMs()));
  assertGated(standing, config);
  const router = await assemble(config, artifact, standing, { ...parts, nowMs });
  await assertGolden(router, artifact);
  return router;
}

/** Before anything of the artifact is opened: what has no valid PASS serves only where its owner says so. */
function assertGated(standing: Standing, { allow_ungated: allowed }: Config): void {
  if (allowed || standing.kind === 'pass') return;
  throw new PlimsollError(
    'ungated',
    `${standing.why} Or let it serve without proof: allow_ungated: true, or --allow-ungated.`,
  );
}

async function assemble(
  config: Config,
  artifact: ArtifactFiles,
  standing: Standing,
  parts: RouterParts & { readonly nowMs: () => number },
): Promise<Router> {
  const { manifest } = artifact;
  const ladder = servedLadder(manifest, config.ladder);
  const policies = servedPolicies(config, manifest);
  const verdicts = policyVerdicts(standing, artifact, parts.nowMs);
  const byDefault = policies.get(config.default_policy);
  const extractor = featureExtractor(manifest.features);
  const { allow_hub: allowHub, workers } = config.encoder;
  const input = await classifierInput(manifest, { allowHub, ...(workers && { workers }) });
  const openClassifier = parts.openClassifier ?? createOnnxClassifier;
  const classifier = await openClassifier(artifact.classifier, input, extractor).catch(async (error) => {
    if (input.kind === 'linear') await input.encoder.close(); // its threads would outlive a failed reload
    throw error;
  });
  const watched = watchedClassifier(classifier);
  const identity = { name: manifest.name, sha256: artifact.sha256 };
  const stale = ladder.some((rung) => rung.model !== rung.learnedFrom);
  let explainer: Explainer | undefined;
  let decisions = 0;
  let closed: Promise<void> | undefined;

  async function decide(text: string, policyName: string, startedMs: number): Promise<Decision> {
    const { policy, reference } = policies.get(policyName);
    const probabilities = policy.kind === 'fixed' ? null : await watched.score(text);
    const choice = chosen(policy, probabilities, ladder.length);
    const rung = ladder[choice.rung]!;
    decisions++;
    return {
      id: `dec_${randomUUID()}`,
      candidate: rung.candidate,
      model: rung.model,
      escalated: choice.rung > 0,
      scores: probabilities && byCandidate(probabilities),
      predictedLoss: choice.predictedLoss,
      threshold: choice.threshold,
      reason: choice.reason,
      policy: reference,
      artifact: identity,
      stale,
      verdict: verdicts.of(policy),
      latencyMs: performance.now() - startedMs,
    };
  }

  function byCandidate<T>(values: ArrayLike<T>): Record<string, T> {
    return Object.fromEntries(ladder.map((rung, i) => [rung.candidate, values[i]!]));
  }

  async function explanationOf(text: string): Promise<Explained['explanation']> {
    explainer ??= createExplainer(artifact.classifier, input, extractor);
    return byCandidate(await explainer(text));
  }

  return {
    artifact: { ...identity, created: manifest.created },
    ladder,
    stale,
    policies: policies.names,
    defaultPolicy: { ...byDefault.reference, threshold: thresholdOf(byDefault.policy) },
    standing: verdicts.standing,
    verdict: (name = config.default_policy) => verdicts.of(policies.get(name).policy),
    async route(routeInput, options = {}) {
      const startedMs = performance.now();
      return await decide(routedText(routeInput), options.policy ?? config.default_policy, startedMs); // a tick sooner than `return`
    },
    async explain(routeInput, options = {}) {
      const startedMs = performance.now();
      const text = routedText(routeInput);
      const decision = await decide(text, options.policy ?? config.default_policy, startedMs);
      const failed = decision.reason === 'classifier-failed';
      return { decision, explanation: failed ? null : await explanationOf(text) };
    },
    async checkGolden(index = 0) {
      return goldenHolds(classifier, artifact.golden[index % artifact.golden.length]!);
    },
    health() {
      const { count, last } = watched.failures();
      return { decisions, classifierFailures: count, lastFailure: last, lastReload: null };
    },
    close() {
      closed ??= classifier.close();
      return closed;
    },
  };
}

function thresholdOf(policy: Policy): number | null {
  return policy.kind === 'threshold' ? policy.threshold : null;
}

function chosen(policy: Policy, probabilities: Float32Array | null, rungs: number) {
  if (policy.kind === 'fixed') return chooseFixed(policy.rung, rungs);
  if (probabilities) return chooseByThreshold(probabilities, policy.threshold);
  const reason = 'classifier-failed' as const;
  return { rung: rungs - 1, reason, predictedLoss: null, threshold: policy.threshold };
}

/** A golden case that comes out differently means other weights, another tokenizer or another runtime: refuse to serve. */
async function assertGolden(router: Router, { golden, folder }: ArtifactFiles): Promise<void> {
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
