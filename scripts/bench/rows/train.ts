import {
  fitLogisticRegression,
  fusedLossAndGradient,
  type LinearHead,
  type LogisticProblem,
} from '../../../router/train/index.ts';
import type { BenchContext } from '../context.ts';
import { inTurns, ratiosOf, spreadOf } from '../rounds.ts';
import type { Row } from '../row.ts';
import { openSklearn, type PeerFit, pythonWithSklearn, type SklearnPeer } from '../sklearn-peer.ts';
import { COLUMNS, correlatedMatrix, HEADS, independentMatrix, planted, ROWS } from '../train-matrix.ts';

const ROUNDS = 3;
const LAMBDA = 10;
const SEED = 1;
const TOLERANCES = [1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7];
/** Nobody wins by stopping early: our loss may be above the peer's by this share of it and no more. */
const LOSS_SLACK = 1e-6;
const NUMBER_TYPES = ['float32', 'float64'] as const;
const NO_PEER = 'there is no Python with scikit-learn on this machine';

/** Fitting both heads at one lambda, beside scikit-learn on the same matrix. */
export async function train({ say }: BenchContext): Promise<readonly Row[]> {
  const python = pythonWithSklearn();
  const rows: Row[] = [];
  for (const [name, make] of [
    ['independent', independentMatrix],
    ['correlated', correlatedMatrix],
  ] as const) {
    say(`train, ${name} columns ...`);
    const problem = planted(make(SEED), SEED + 1);
    rows.push(...(python ? await besideSklearn(name, problem, python) : [await alone(name, problem)]));
  }
  return rows;
}

async function besideSklearn(name: string, problem: LogisticProblem, python: string): Promise<Row[]> {
  const peer = await openSklearn(python, problem, LAMBDA);
  const first = [await peer.fit('float32'), await peer.fit('float64')];
  const peerLoss = Math.min(...first.map(({ heads }) => lossOf(problem, heads)));
  const tolerance = toleranceFor(problem, peerLoss);
  const [ours, ...theirs] = await timesInTurns(problem, tolerance, peer);
  peer.close();
  const { loss, iterations } = fitted(problem, tolerance);
  const notes = [
    `tolerance ${tolerance}: ${iterations} iterations, loss ${(loss / peerLoss - 1).toExponential(1)} relative to the peer's`,
  ];
  return NUMBER_TYPES.map((type, i) => ({
    ...rowOf(`train, ${name}, beside ${type}`, ours!, [...notes, peerNote(first[i]!, peer.version)]),
    peer: { what: `scikit-learn lbfgs, ${type}`, value: spreadOf(theirs[i]!) },
    ratio: ratiosOf(ours!, theirs[i]!),
  }));
}

async function alone(name: string, problem: LogisticProblem): Promise<Row> {
  const [ours] = await inTurns([() => fitted(problem, 1e-6).seconds], { rounds: ROUNDS });
  return { ...rowOf(`train, ${name}`, ours!, ['tolerance 1e-6']), peer_missing: NO_PEER };
}

function timesInTurns(problem: LogisticProblem, tolerance: number, peer: SklearnPeer): Promise<number[][]> {
  const peers = NUMBER_TYPES.map((type) => async () => (await peer.fit(type)).seconds);
  return inTurns([() => fitted(problem, tolerance).seconds, ...peers], { rounds: ROUNDS });
}

function rowOf(name: string, seconds: readonly number[], notes: readonly string[]): Row {
  return {
    name,
    what: `fitting ${HEADS} heads on ${ROWS} x ${COLUMNS}, one lambda`,
    unit: 's',
    value: spreadOf(seconds),
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

/** The coarsest tolerance whose loss is as low as the peer's. */
function toleranceFor(problem: LogisticProblem, peerLoss: number): number {
  const fine = TOLERANCES.find((tolerance) => fitted(problem, tolerance).loss <= peerLoss * (1 + LOSS_SLACK));
  if (fine === undefined) throw new Error('No tolerance reaches the loss of scikit-learn.');
  return fine;
}

function fitted(problem: LogisticProblem, tolerance: number) {
  const startedMs = performance.now();
  const { heads, iterations } = fitLogisticRegression(problem, { lambda: LAMBDA, tolerance });
  const seconds = (performance.now() - startedMs) / 1000;
  return { seconds, iterations, loss: lossOf(problem, heads) };
}

function lossOf({ matrix, labels }: LogisticProblem, heads: readonly LinearHead[]): number {
  const x = Float64Array.from(heads.flatMap(({ weights, intercept }) => [...weights, intercept]));
  const ones = new Float64Array(matrix.rows).fill(1);
  return fusedLossAndGradient(matrix, labels, ones, LAMBDA)(x, new Float64Array(x.length));
}
