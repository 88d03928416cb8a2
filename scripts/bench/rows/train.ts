import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../../router/statistics/index.ts';
import {
  fitLogisticRegression,
  fusedLossAndGradient,
  type LinearHead,
  type LogisticProblem,
  type Matrix,
} from '../../../router/train/index.ts';
import { type BenchContext, inTurns, type Row, ratios, spread } from '../measurement.ts';

const ROWS = 100_000;
const COLUMNS = 400;
const HEADS = 2;

const FACTORS = 150;
const LOGIT_DEVIATION = 1.5;

/** Independent columns of equal variance: as easy as a matrix can be. */
function independentMatrix(seed: number): Matrix {
  const normal = normalNumbers(seed);
  return { rows: ROWS, columns: COLUMNS, values: Float32Array.from({ length: ROWS * COLUMNS }, normal) };
}

/**
 * Like embeddings: fewer factors than columns, their sizes falling as 1 / rank, each column of variance 1. The condition
 * number is that of the penalty, since the matrix has no full rank.
 */
function correlatedMatrix(seed: number): Matrix {
  const normal = normalNumbers(seed);
  const loadings = columnsOfVarianceOne(
    Float64Array.from({ length: FACTORS * COLUMNS }, (_, at) => {
      return normal() / (1 + Math.floor(at / COLUMNS));
    }),
  );
  const values = new Float32Array(ROWS * COLUMNS);
  const row = new Float64Array(COLUMNS);
  for (let i = 0; i < ROWS; i++) {
    row.fill(0);
    for (let f = 0, at = 0; f < FACTORS; f++) {
      const factor = normal();
      for (let j = 0; j < COLUMNS; j++, at++) row[j]! += factor * loadings[at]!;
    }
    values.set(row, i * COLUMNS);
  }
  return { rows: ROWS, columns: COLUMNS, values };
}

/** Labels drawn from a logistic model with random weights, one model a head. */
function planted(matrix: Matrix, seed: number): LogisticProblem {
  const normal = normalNumbers(seed);
  const uniform = seededRandom(seed + 1);
  const labels = Array.from({ length: HEADS }, () => {
    const z = products(matrix, Float64Array.from({ length: COLUMNS }, normal));
    const scale = LOGIT_DEVIATION / Math.sqrt(z.reduce((sum, x) => sum + x * x, 0) / z.length);
    return z.map((x) => Number(uniform() < 1 / (1 + Math.exp(-0.5 - scale * x))));
  });
  return { matrix, labels };
}

function columnsOfVarianceOne(loadings: Float64Array): Float64Array {
  const variances = new Float64Array(COLUMNS);
  loadings.forEach((loading, at) => {
    variances[at % COLUMNS]! += loading * loading;
  });
  return loadings.map((loading, at) => loading / Math.sqrt(variances[at % COLUMNS]!));
}

function products({ rows, columns, values }: Matrix, weights: Float64Array): Float64Array {
  const z = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) z[i]! += values[at]! * weights[j]!;
  }
  return z;
}

/** Standard normal numbers: Box and Muller 1958. */
function normalNumbers(seed: number): () => number {
  const uniform = seededRandom(seed);
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const ready = spare;
      spare = undefined;
      return ready;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

const ROUNDS = 3;
const LAMBDA = 10;
const SEED = 1;
const TOLERANCES = [1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7];
/** Our loss may exceed the peer's by this share only, so that stopping early does not win. */
const LOSS_SLACK = 1e-6;
const NUMBER_TYPES = ['float32', 'float64'] as const;
const NO_PEER = 'there is no Python with scikit-learn on this machine';

/** Fits both heads at one lambda, compared with scikit-learn on the same matrix. */
export async function train({ say }: BenchContext): Promise<readonly Row[]> {
  const python = pythonWithSklearn();
  const rows: Row[] = [];
  for (const [name, make] of [
    ['independent', independentMatrix],
    ['correlated', correlatedMatrix],
  ] as const) {
    say(`train, ${name} columns ...`);
    const problem = planted(make(SEED), SEED + 1);
    rows.push(
      ...(python ? await compareWithSklearn(name, problem, python) : [await withoutPeer(name, problem)]),
    );
  }
  return rows;
}

async function compareWithSklearn(name: string, problem: LogisticProblem, python: string): Promise<Row[]> {
  const peer = await openSklearn(python, problem, LAMBDA);
  const first = [await peer.fit('float32'), await peer.fit('float64')];
  const peerLoss = Math.min(...first.map(({ heads }) => totalLoss(problem, heads)));
  const tolerance = findTolerance(problem, peerLoss);
  const [ours, ...theirs] = await timesInTurns(problem, tolerance, peer);
  peer.close();
  const { loss, iterations } = timedFit(problem, tolerance);
  const notes = [
    `tolerance ${tolerance}: ${iterations} iterations, loss ${(loss / peerLoss - 1).toExponential(1)} relative to the peer's`,
  ];
  return NUMBER_TYPES.map((type, i) => ({
    ...trainRow(`train, ${name}, beside ${type}`, ours!, [...notes, peerNote(first[i]!, peer.version)]),
    peer: { what: `scikit-learn lbfgs, ${type}`, value: spread(theirs[i]!) },
    ratio: ratios(ours!, theirs[i]!),
  }));
}

async function withoutPeer(name: string, problem: LogisticProblem): Promise<Row> {
  const [ours] = await inTurns([() => timedFit(problem, 1e-6).seconds], { rounds: ROUNDS });
  return { ...trainRow(`train, ${name}`, ours!, ['tolerance 1e-6']), peer_missing: NO_PEER };
}

function timesInTurns(problem: LogisticProblem, tolerance: number, peer: SklearnPeer): Promise<number[][]> {
  const peers = NUMBER_TYPES.map((type) => async () => (await peer.fit(type)).seconds);
  return inTurns([() => timedFit(problem, tolerance).seconds, ...peers], { rounds: ROUNDS });
}

function trainRow(name: string, seconds: readonly number[], notes: readonly string[]): Row {
  return {
    name,
    what: `fitting ${HEADS} heads on ${ROWS} x ${COLUMNS}, one lambda`,
    unit: 's',
    value: spread(seconds),
    samples: 1,
    peer: null,
    ratio: null,
    target: { of: 'ratio', is: 'at most', required: 3, aim: 1 },
    notes,
  };
}

function peerNote({ iterations }: PeerFit, version: string): string {
  return `${version}, its default tolerance, all cores: ${iterations.join(' and ')} iterations`;
}

/** The coarsest tolerance that reaches the peer's loss. */
function findTolerance(problem: LogisticProblem, peerLoss: number): number {
  const fine = TOLERANCES.find(
    (tolerance) => timedFit(problem, tolerance).loss <= peerLoss * (1 + LOSS_SLACK),
  );
  if (fine === undefined) throw new Error('No tolerance reaches the loss of scikit-learn.');
  return fine;
}

function timedFit(problem: LogisticProblem, tolerance: number) {
  const startedMs = performance.now();
  const { heads, iterations } = fitLogisticRegression(problem, { lambda: LAMBDA, tolerance });
  const seconds = (performance.now() - startedMs) / 1000;
  return { seconds, iterations, loss: totalLoss(problem, heads) };
}

function totalLoss({ matrix, labels }: LogisticProblem, heads: readonly LinearHead[]): number {
  const x = Float64Array.from(heads.flatMap(({ weights, intercept }) => [...weights, intercept]));
  const ones = new Float64Array(matrix.rows).fill(1);
  return fusedLossAndGradient(matrix, labels, ones, LAMBDA)(x, new Float64Array(x.length));
}

interface PeerFit {
  /** How long the fit took, all heads together. */
  readonly seconds: number;
  readonly iterations: readonly number[];
  readonly heads: readonly LinearHead[];
}

/** A Python process that has read the matrix and fits it on request. */
interface SklearnPeer {
  readonly version: string;
  fit(type: 'float32' | 'float64'): Promise<PeerFit>;
  close(): void;
}

interface HeadFit {
  readonly seconds: number;
  readonly iterations: number;
  readonly weights: number[];
  readonly intercept: number;
}

const SCRIPT = fileURLToPath(new URL('./children/fit-sklearn.py', import.meta.url));
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** The first Python that has scikit-learn; undefined if none has. */
function pythonWithSklearn(): string | undefined {
  return PYTHONS.find((python) => spawnSync(python, ['-c', 'import sklearn']).status === 0);
}

async function openSklearn(python: string, problem: LogisticProblem, lambda: number): Promise<SklearnPeer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-bench-'));
  const child = spawn(python, [SCRIPT, ...writeProblem(folder, problem), String(lambda)]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const versions = JSON.parse(await nextLine(lines, child)) as { sklearn: string; numpy: string };
  rmSync(folder, { recursive: true });
  return {
    version: `scikit-learn ${versions.sklearn}, numpy ${versions.numpy}`,
    async fit(type) {
      child.stdin.write(`${type}\n`);
      const heads = JSON.parse(await nextLine(lines, child)) as HeadFit[];
      return {
        seconds: heads.reduce((total, head) => total + head.seconds, 0),
        iterations: heads.map((head) => head.iterations),
        heads: heads.map((head) => ({ ...head, weights: Float64Array.from(head.weights) })),
      };
    },
    close: () => child.stdin.end(),
  };
}

/** Writes matrix and labels to files; returns the script's arguments. */
function writeProblem(folder: string, { matrix, labels }: LogisticProblem): string[] {
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
