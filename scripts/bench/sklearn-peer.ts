import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LinearHead, LogisticProblem } from '../../router/train/index.ts';

export interface PeerFit {
  /** Around fit alone, all heads together. */
  readonly seconds: number;
  readonly iterations: readonly number[];
  readonly heads: readonly LinearHead[];
}

/** A Python process that has read the matrix and fits it whenever it is asked to. */
export interface SklearnPeer {
  readonly version: string;
  fit(type: 'float32' | 'float64'): Promise<PeerFit>;
  close(): void;
}

interface HeadAnswer {
  readonly seconds: number;
  readonly iterations: number;
  readonly weights: number[];
  readonly intercept: number;
}

const SCRIPT = fileURLToPath(new URL('./children/fit-sklearn.py', import.meta.url));
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** The first Python that has scikit-learn; undefined where none has. */
export function pythonWithSklearn(): string | undefined {
  return PYTHONS.find((python) => spawnSync(python, ['-c', 'import sklearn']).status === 0);
}

export async function openSklearn(
  python: string,
  problem: LogisticProblem,
  lambda: number,
): Promise<SklearnPeer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-bench-'));
  const child = spawn(python, [SCRIPT, ...writtenTo(folder, problem), String(lambda)]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const versions = JSON.parse(await nextLine(lines, child)) as { sklearn: string; numpy: string };
  rmSync(folder, { recursive: true });
  return {
    version: `scikit-learn ${versions.sklearn}, numpy ${versions.numpy}`,
    async fit(type) {
      child.stdin.write(`${type}\n`);
      const heads = JSON.parse(await nextLine(lines, child)) as HeadAnswer[];
      return {
        seconds: heads.reduce((total, head) => total + head.seconds, 0),
        iterations: heads.map((head) => head.iterations),
        heads: heads.map((head) => ({ ...head, weights: Float64Array.from(head.weights) })),
      };
    },
    close: () => child.stdin.end(),
  };
}

/** The arguments that say where the matrix and the labels are, and how large. */
function writtenTo(folder: string, { matrix, labels }: LogisticProblem): string[] {
  const [matrixFile, labelsFile] = [path.join(folder, 'matrix'), path.join(folder, 'labels')];
  writeFileSync(matrixFile, matrix.values);
  writeFileSync(labelsFile, Buffer.concat(labels.map(({ buffer }) => Buffer.from(buffer))));
  return [matrixFile, labelsFile, String(matrix.rows), String(matrix.columns), String(labels.length)];
}

async function nextLine(
  lines: AsyncIterator<string>,
  child: ChildProcessWithoutNullStreams,
): Promise<string> {
  const { value, done } = await lines.next();
  if (!done) return value;
  if (child.exitCode === null) await once(child, 'exit');
  throw new Error(`Python ended with exit code ${child.exitCode}.`);
}
