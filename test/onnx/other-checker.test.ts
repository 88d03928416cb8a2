import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pairBuckets } from '../../router/classifier/index.ts';
import { isStaticEncoder } from '../../router/encoders/index.ts';
import {
  type EverydayClassifier,
  edgeTexts,
  everydayClassifier,
  everydayTexts,
  extractor,
  unfoldedScores,
} from './everyday-classifier.ts';

const SCRIPT = path.join(import.meta.dirname, '..', 'fixtures', 'onnx', 'check_graph.py');
const ROWS = 120;

/** The first Python that has the onnx package; PLIMSOLL_PYTHON names another one to try. */
const python = [process.env['PLIMSOLL_PYTHON'], 'python3', '/usr/bin/python3'].find(hasOnnx);
const SKIPPED =
  'no Python with the onnx package (Debian: python3-onnx); PLIMSOLL_REQUIRE_PYTHON=1 makes this a failure';

describe.each(['lexicon', 'linear'] as const)('the %s graph in software other than onnxruntime', (kind) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-onnx-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let made: EverydayClassifier;
  beforeAll(async () => {
    if (python) made = await everydayClassifier(kind);
  });

  it('passes the full check of onnx.checker, and gives the same numbers', async (context) => {
    if (!python) {
      if (process.env['PLIMSOLL_REQUIRE_PYTHON'] === '1') expect.fail(SKIPPED);
      process.stderr.write(`skipped: ${SKIPPED}\n`);
      context.skip(SKIPPED);
      return;
    }
    const texts = [...edgeTexts, ...everydayTexts].slice(0, ROWS);
    const inputs = path.join(folder, 'inputs.json');
    writeFileSync(inputs, JSON.stringify(await Promise.all(texts.map((text) => graphInputs(made, text)))));
    const rows = checkedByPython(python, made.bytes, inputs, folder);
    const { probabilities, logits } = await unfoldedScores(made, texts);
    expect(rows).toHaveLength(ROWS);
    rows.forEach((row, i) => {
      expect(row.probabilities).toHaveLength(probabilities.length);
      row.probabilities.forEach((p, h) => {
        expect(Math.abs(p - probabilities[h]![i]!)).toBeLessThan(1e-5);
        expect(Math.abs(row.logits[h]! - logits[h]![i]!)).toBeLessThan(1e-4);
      });
    });
  });

  it('is refused by onnx.checker where a node names a value that is not there', (context) => {
    if (!python) {
      context.skip(SKIPPED);
      return;
    }
    const broken = Buffer.from(made.bytes);
    const at = broken.lastIndexOf('platt_slope');
    broken.write('platt_slopf', at);
    const inputs = path.join(folder, 'none.json');
    writeFileSync(inputs, '[]');
    expect(() => checkedByPython(python, broken, inputs, folder)).toThrow('platt_slop');
  });
});

interface GraphOutputs {
  readonly probabilities: readonly number[];
  readonly logits: readonly number[];
}

function checkedByPython(command: string, bytes: Uint8Array, inputs: string, folder: string): GraphOutputs[] {
  const model = path.join(folder, 'model.onnx');
  writeFileSync(model, bytes);
  const answer = execFileSync(command, [SCRIPT, model, inputs], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return (JSON.parse(answer) as { rows: GraphOutputs[] }).rows;
}

async function graphInputs({ encoder }: EverydayClassifier, text: string): Promise<Record<string, number[]>> {
  const features = Array.from(extractor.extract(text));
  if (!isStaticEncoder(encoder)) return { embedding: Array.from(await encoder.embed(text)), features };
  const ids = encoder.tokenIds(text);
  return { token_ids: Array.from(ids), pair_ids: Array.from(pairBuckets(ids)), features };
}

function hasOnnx(command: string | undefined): boolean {
  if (!command) return false;
  try {
    execFileSync(command, ['-c', 'import onnx, numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
