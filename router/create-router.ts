import { randomUUID } from 'node:crypto';
import { type ArtifactFiles, readArtifact } from './artifact/read.ts';
import { type CandidateExplanation, createExplainer, type Explainer } from './classifier/explain.ts';
import { type ClassifierInput, createOnnxClassifier } from './classifier/onnx-classifier.ts';
import type { Config } from './config.ts';
import { openEncoderFor } from './encoders/open-encoder.ts';
import { staticTokenizer } from './encoders/static.ts';
import { PlimsollError } from './errors.ts';
import { featureExtractor } from './features/feature-vector.ts';
import {
  type Choice,
  chooseByThreshold,
  chooseFixed,
  FIXED_POLICIES,
  type PolicyReference,
  policyBook,
} from './policy/policy.ts';
import { routedText } from './request/routed-text.ts';
import type { RouteInput } from './types.ts';

/** What the router answers: reproducible from what it holds, and without a word of the prompt. */
export interface Decision {
  readonly id: string;
  /** The rung's name, and the model to call. */
  readonly candidate: string;
  readonly model: string;
  /** A stronger rung than the cheapest was chosen. */
  readonly escalated: boolean;
  /** Candidate -> calibrated probability that its answer is good. Null where no classifier ran, or it failed. */
  readonly scores: Readonly<Record<string, number>> | null;
  readonly predictedLoss: number | null;
  readonly threshold: number | null;
  readonly reason: Choice['reason'] | 'classifier-failed';
  readonly policy: PolicyReference;
  readonly artifact: { readonly name: string; readonly sha256: string };
  /** The router was learned on other models than it serves: its probabilities are a guess. */
  readonly stale: boolean;
  readonly latencyMs: number;
}

export interface Explained {
  readonly decision: Decision;
  /** Candidate -> the exact sum behind its score. Null where the classifier failed. */
  readonly explanation: Readonly<Record<string, CandidateExplanation>> | null;
}

export interface RouterHealth {
  readonly decisions: number;
  readonly classifierFailures: number;
  readonly lastFailure: { readonly at: string; readonly message: string } | null;
}

export interface Router {
  readonly artifact: { readonly name: string; readonly sha256: string; readonly created: string };
  readonly ladder: readonly {
    readonly candidate: string;
    readonly learnedFrom: string;
    readonly model: string;
  }[];
  readonly stale: boolean;
  readonly policies: readonly string[];
  /** Rejects with a PlimsollError where the input or the policy's name is wrong; a failing classifier escalates instead. */
  route(input: RouteInput, options?: { readonly policy?: string }): Promise<Decision>;
  explain(input: RouteInput, options?: { readonly policy?: string }): Promise<Explained>;
  /** Scores the artifact's golden case number `index`; resolves to whether it came out within 1e-3. */
  checkGolden(index?: number): Promise<boolean>;
  health(): RouterHealth;
  close(): Promise<void>;
}

const GOLDEN_TOLERANCE = 1e-3;

/**
 * The composition root: configuration + artifact -> router. Checks every golden case before it returns.
 * @throws PlimsollError where the artifact, the weights or the configuration do not fit.
 */
export async function createRouter(config: Config): Promise<Router> {
  return assemble(config, readArtifact(config.artifact));
}

async function assemble(config: Config, artifact: ArtifactFiles): Promise<Router> {
  const { manifest } = artifact;
  const ladder = servedLadder(config, artifact);
  const stale = ladder.some((rung) => rung.model !== rung.learnedFrom);
  const policies = policyBook([
    {
      kind: 'threshold',
      name: manifest.policy.name,
      version: manifest.policy.version,
      threshold: manifest.policy.threshold,
    },
    ...Object.entries(config.policies).map(([name, p]) => ({ kind: 'threshold' as const, name, ...p })),
    ...FIXED_POLICIES,
  ]);
  policies.get(config.default_policy);
  const extractor = featureExtractor(manifest.features);
  const input = await classifierInput(config, artifact);
  const classifier = await createOnnxClassifier(artifact.classifier, input, extractor);
  let explainer: Explainer | undefined;
  let decisions = 0;
  let classifierFailures = 0;
  let lastFailure: RouterHealth['lastFailure'] = null;

  async function probabilitiesOf(text: string): Promise<Float32Array | null> {
    try {
      return await classifier.score(text);
    } catch (error) {
      classifierFailures++;
      lastFailure = { at: new Date().toISOString(), message: failureMessage(error) };
      return null;
    }
  }

  async function decide(text: string, policyName: string, startedMs: number): Promise<Decision> {
    const { policy, reference } = policies.get(policyName);
    const probabilities = policy.kind === 'fixed' ? null : await probabilitiesOf(text);
    const choice =
      policy.kind === 'fixed'
        ? chooseFixed(policy.rung, ladder.length)
        : probabilities
          ? chooseByThreshold(probabilities, policy.threshold)
          : {
              rung: ladder.length - 1,
              reason: 'classifier-failed' as const,
              predictedLoss: null,
              threshold: policy.threshold,
            };
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
      artifact: { name: manifest.name, sha256: artifact.sha256 },
      stale,
      latencyMs: performance.now() - startedMs,
    };
  }

  function byCandidate<T>(values: ArrayLike<T>): Record<string, T> {
    return Object.fromEntries(ladder.map((rung, i) => [rung.candidate, values[i]!]));
  }

  async function explanationOf(text: string): Promise<Explained['explanation']> {
    try {
      explainer ??= createExplainer(artifact.classifier, input, extractor);
      return byCandidate(await explainer(text));
    } catch {
      return null; // the decision beside it already counts the classifier's failure
    }
  }

  async function checkGolden(index = 0): Promise<boolean> {
    const golden = artifact.golden[index % artifact.golden.length]!;
    const probabilities = await classifier.score(golden.text);
    return golden.probabilities.every((p, i) => Math.abs(p - probabilities[i]!) <= GOLDEN_TOLERANCE);
  }

  const router: Router = {
    artifact: { name: manifest.name, sha256: artifact.sha256, created: manifest.created },
    ladder,
    stale,
    policies: policies.names,
    route: async (routeInput, options = {}) => {
      const startedMs = performance.now();
      return decide(routedText(routeInput), options.policy ?? config.default_policy, startedMs);
    },
    explain: async (routeInput, options = {}) => {
      const startedMs = performance.now();
      const text = routedText(routeInput);
      const decision = await decide(text, options.policy ?? config.default_policy, startedMs);
      return { decision, explanation: await explanationOf(text) };
    },
    checkGolden,
    health: () => ({ decisions, classifierFailures, lastFailure }),
    close: () => classifier.close(),
  };
  await assertGolden(router, artifact);
  return router;
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

function servedLadder(config: Config, { manifest }: ArtifactFiles): Router['ladder'] {
  const candidates = manifest.ladder.map((rung) => rung.candidate);
  const unknown = Object.keys(config.ladder).find((candidate) => !candidates.includes(candidate));
  if (unknown !== undefined) {
    throw new PlimsollError(
      'invalid-config',
      `ladder.${unknown}: the artifact ${manifest.name} has no such candidate. It has: ${candidates.join(', ')}.`,
      { place: { field: `ladder.${unknown}` } },
    );
  }
  return manifest.ladder.map(({ candidate, model }) => ({
    candidate,
    learnedFrom: model,
    model: config.ladder[candidate] ?? model,
  }));
}

async function classifierInput(config: Config, { manifest }: ArtifactFiles): Promise<ClassifierInput> {
  if (manifest.classifier.kind === 'lexicon') return { kind: 'lexicon', tokenizer: staticTokenizer() };
  const { allow_hub: allowHub, workers } = config.encoder;
  return {
    kind: 'linear',
    encoder: await openEncoderFor(manifest.encoder, { allowHub, ...(workers && { workers }) }),
  };
}

/** The message of our own errors; only the name of others, whose messages may quote their input. */
function failureMessage(error: unknown): string {
  if (error instanceof PlimsollError) return error.message;
  return error instanceof Error ? error.name : 'unknown error';
}
