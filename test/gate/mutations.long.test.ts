import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import {
  type ArtifactDraft,
  readArtifact,
  readVerdict,
  writeArtifact,
  writeVerdict,
} from '../../router/artifact/index.ts';
import { standingOf } from '../../router/artifact/standing.ts';
import { createOnnxClassifier, featureExtractor } from '../../router/classifier/index.ts';
import { staticTokenizer } from '../../router/encoders/index.ts';
import { decodeModel, encodeModel, type OnnxTensor } from '../../router/onnx/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { copyOf, type GateWorld, gateWorld, writeCaseFile } from './gate-world.ts';

const ISSUED = new Date('2025-06-01T00:00:00Z');
let world: GateWorld;
beforeAll(async () => {
  world = await gateWorld();
});

const judged = async (artifact: string, data = world.data) =>
  (await runGate({ artifact, suite: world.suite, data: [data], issued: ISSUED })).verdict;

/** The artifact as a careful hand would forge it: changed, and every hash and golden case made to fit again. */
async function remade(change: (draft: ArtifactDraft) => Partial<ArtifactDraft>): Promise<string> {
  const before = readArtifact(world.artifact);
  const { files: _, ...manifest } = before.manifest;
  const draft = { ...before, manifest };
  const changed = { ...draft, ...change(draft) };
  const input = { kind: 'lexicon', tokenizer: staticTokenizer() } as const;
  const classifier = await createOnnxClassifier(
    changed.classifier,
    input,
    featureExtractor(manifest.features),
  );
  const golden = await Promise.all(
    changed.golden.map(async ({ text }) => ({ text, probabilities: [...(await classifier.score(text))] })),
  );
  await classifier.close();
  const folder = path.join(path.dirname(copyOf(world.artifact)), 'changed');
  writeArtifact(folder, { ...changed, golden });
  return folder;
}

function withTensors(bytes: Uint8Array, change: (tensor: OnnxTensor) => OnnxTensor): Uint8Array {
  const model = decodeModel(bytes);
  return encodeModel({
    ...model,
    graph: { ...model.graph, initializer: model.graph.initializer.map(change) },
  });
}

function swappedColumns(tensor: OnnxTensor): OnnxTensor {
  if (tensor.dims.at(-1) !== 2) return tensor;
  const values = new Float32Array(new Uint8Array(tensor.rawData!).buffer.slice(0));
  for (let i = 0; i < values.length; i += 2) [values[i], values[i + 1]] = [values[i + 1]!, values[i]!];
  return { ...tensor, rawData: new Uint8Array(values.buffer) };
}

function filled(tensor: OnnxTensor, value: number): OnnxTensor {
  return { ...tensor, rawData: new Uint8Array(new Float32Array(tensor.dims[0]!).fill(value).buffer) };
}

describe('the gate does not pass what was changed', () => {
  it('passes what was not', async () => {
    expect((await judged(await remade(() => ({})))).verdict).toBe('PASS');
  });

  it.each([1.2, 0.8])('the threshold times %d', async (factor) => {
    const folder = await remade(({ manifest }) => ({
      manifest: {
        ...manifest,
        policy: { ...manifest.policy, threshold: factor * manifest.policy.threshold },
      },
    }));
    // of no effect: the manifest's is a preview, and the gate finds the threshold itself
    expect((await judged(folder)).policy.threshold).toBe((await judged(world.artifact)).policy.threshold);
  });

  it('the heads swapped', async () => {
    const folder = await remade(({ classifier }) => ({
      classifier: withTensors(classifier, swappedColumns),
    }));
    expect((await judged(folder)).verdict).not.toBe('PASS');
  });

  it('the Platt scaling dropped', async () => {
    const folder = await remade(({ classifier }) => ({
      classifier: withTensors(classifier, (tensor) => {
        if (tensor.name === 'platt_slope') return filled(tensor, 1);
        return tensor.name === 'platt_offset' ? filled(tensor, 0) : tensor;
      }),
    }));
    // other scores, for which the walk finds another threshold: what it promises holds, or it does not pass
    const { verdict, policy, conditions } = await judged(folder);
    expect(policy.threshold).not.toBe((await judged(world.artifact)).policy.threshold);
    if (verdict === 'PASS') expect(conditions[0]!.bounds.upper).toBeLessThanOrEqual(0.08);
  });

  it('the labels shuffled', async () => {
    const random = seededRandom(9);
    const outcomes = world.cases.map((one) => one.outcomes);
    for (let i = outcomes.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      [outcomes[i], outcomes[other]] = [outcomes[other]!, outcomes[i]!];
    }
    const shuffled = world.cases.map((one, i) => ({ ...one, outcomes: outcomes[i]! }));
    const verdict = await judged(
      world.artifact,
      writeCaseFile(path.join(world.home, 'shuffled.jsonl'), shuffled),
    );
    expect(verdict.verdict).not.toBe('PASS');
  });

  it.each(['manifest.json', 'classifier.onnx', 'golden.json', 'MODEL_CARD.md', 'seen-questions.bin'])(
    'one byte of %s',
    async (name) => {
      const folder = copyOf(world.artifact);
      writeVerdict(folder, await judged(folder));
      expect(standingOf(readArtifact(folder), readVerdict(folder), ISSUED).kind).toBe('pass');
      const file = path.join(folder, name);
      const bytes = readFileSync(file);
      const at =
        name === 'manifest.json'
          ? bytes.indexOf('"threshold": 0.') + '"threshold": 0.'.length
          : bytes.length >> 1;
      bytes[at]! ^= 1; // of the manifest a digit of the threshold, so that it stays valid
      writeFileSync(file, bytes);
      if (name === 'manifest.json') {
        expect(standingOf(readArtifact(folder), readVerdict(folder), ISSUED).kind).not.toBe('pass');
        expect((await judged(folder)).artifact.sha256).not.toBe(
          (await judged(world.artifact)).artifact.sha256,
        );
      } else {
        expect(() => readArtifact(folder)).toThrow(expect.objectContaining({ code: 'invalid-artifact' }));
        await expect(judged(folder)).rejects.toMatchObject({ code: 'invalid-artifact' });
      }
    },
  );
});
