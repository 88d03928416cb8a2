import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fingerprints, questionKey } from '../../evals/cases/index.ts';
import { type ArtifactDraft, writeArtifact } from '../../router/artifact/index.ts';
import { createOnnxClassifier, featureExtractor } from '../../router/classifier/index.ts';
import { createStaticEncoder } from '../../router/encoders/index.ts';
import { designMatrix, exportLexicon, trainClassifier } from '../../router/train/index.ts';
import { copyOfMadeOnce } from './made-once.ts';
import { layVerdict } from './verdicts.ts';

/** A real artifact, small: what it was trained on, and where it lies. */
export interface TinyArtifact {
  readonly folder: string;
  readonly name: string;
  /** Texts like the ones that the cheap model is good at, and ones that it is not. */
  readonly easy: readonly string[];
  readonly hard: readonly string[];
}

const CASES_A_KIND = 100;
const LAMBDA = 300;
const FOLDS = 2;

let cached: Promise<TinyArtifact> | undefined;

/**
 * Trains a tiny artifact by the code that trains the real ones: easy and hard wordings, static encoder, folded head. It lies
 * there with a PASS. Made once a run; each process has a copy, which goes when it ends. Copy it before you damage it.
 */
export function tinyArtifact(): Promise<TinyArtifact> {
  cached ??= build();
  return cached;
}

async function build(): Promise<TinyArtifact> {
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-tiny-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const easy = Array.from({ length: CASES_A_KIND }, (_, i) => easyText(i));
  const hard = Array.from({ length: CASES_A_KIND }, (_, i) => hardText(i));
  const folder = path.join(home, 'tiny');
  await copyOfMadeOnce('tiny', folder, async (made) => {
    writeArtifact(made, await draftOf(easy, hard));
    layVerdict(made);
  });
  return { folder, name: 'tiny', easy, hard };
}

async function draftOf(easy: readonly string[], hard: readonly string[]): Promise<ArtifactDraft> {
  const texts = [...easy, ...hard];
  const encoder = createStaticEncoder();
  const extractor = featureExtractor();
  const matrix = await designMatrix(texts, encoder, extractor);
  const labels = [
    Float64Array.from(texts, (_, row) => cheapQuality(row)),
    Float64Array.from(texts, (_, row) => strongQuality(row)),
  ];
  const folds = Int32Array.from(texts, (_, row) => row % FOLDS);
  const trained = trainClassifier({ matrix, labels, folds }, [LAMBDA]);
  const classifier = exportLexicon(trained, encoder);
  const session = await createOnnxClassifier(
    classifier,
    { kind: 'lexicon', tokenizer: encoder.tokenizer },
    extractor,
  );
  const goldenTexts = [easy[0]!, hard[0]!, 'Hello', 'Warum ist der Himmel blau?'];
  const golden = await Promise.all(
    goldenTexts.map(async (text) => ({ text, probabilities: [...(await session.score(text))] })),
  );
  await session.close();
  const part = { n: texts.length, sha256: '0'.repeat(64) };
  return {
    classifier,
    golden,
    modelCard: '# tiny\n\nFor tests. Trained on made-up cases.\n',
    seenQuestions: fingerprints(texts.map((text) => ({ key: questionKey(text), text }))),
    manifest: {
      schema_version: 1,
      name: 'tiny',
      created: '2025-01-01T00:00:00.000Z',
      encoder: encoder.identity,
      features: [...extractor.names],
      ladder: [
        { candidate: 'cheap', model: 'tiny-cheap-1' },
        { candidate: 'strong', model: 'tiny-strong-1' },
      ],
      classifier: { kind: 'lexicon', lambda: LAMBDA, platt: trained.platt.map((p) => ({ ...p })) },
      policy: { name: 'default', version: 1, threshold: 0.3, chosen_by: { rule: 'fixed-threshold' } },
      data: { quality_field: 'quality', files: [], rejected: 0, excluded: 0 },
      split: { seed: 1, train: part, calibration: { ...part, n: 0 }, test: { ...part, n: 0 } },
      tools: { node: process.version },
    },
  };
}

/** The cheap model is good at the easy half, but for one case in ten either way: no wording separates the labels. */
function cheapQuality(row: number): number {
  const isEasy = row < CASES_A_KIND;
  return isEasy === !isException(row, 10) ? 1 : 0;
}

/** The strong model is good nearly everywhere. */
function strongQuality(row: number): number {
  return isException(row + CASES_A_KIND, 5) ? 0 : 1;
}

function isException(row: number, percent: number): boolean {
  return (row * 7919) % 101 < percent;
}

const PLACES = ['France', 'Japan', 'Peru', 'Kenya', 'Norway', 'Canada', 'Egypt', 'India', 'Chile', 'Spain'];
const ASKS = [
  'What is the capital of',
  'Say hello to a friend from',
  'Name a river in',
  'Which colours has the flag of',
  'What language is spoken in',
  'Write a short greeting for a guest from',
  'Name a dish from',
  'Is it warm in summer in',
  'On which continent lies',
  'What money is used in',
];

function easyText(i: number): string {
  return `${ASKS[i % ASKS.length]} ${PLACES[Math.floor(i / ASKS.length)]}?`;
}

const TASKS = [
  'Prove that the eigenvalues of a Hermitian operator are real',
  'Derive the asymptotic variance of the maximum likelihood estimator',
  'Implement a lock-free concurrent queue in C++ and argue its linearizability',
  'Show that the integral ∫ e^{-x²} dx over the real line equals √π',
  'Find the worst-case complexity of this recurrence: T(n) = 3T(n/4) + n log n',
  'Explain why the halting problem reduces to the word problem for groups',
  'Debug a deadlock in a distributed transaction coordinator with two-phase commit',
  'Compute the Galois group of x^4 - 2 over the rationals',
  'Design a consensus protocol that tolerates f Byzantine faults with 3f + 1 replicas',
  'Derive the Euler-Lagrange equations for a constrained double pendulum',
];
const DEMANDS = [
  'step by step',
  'rigorously',
  'and state every assumption',
  'and give a counterexample where an assumption fails',
  'in full generality',
  'and analyse the edge cases',
  'and compare two approaches',
  'with a complexity analysis',
  'and verify the result numerically',
  'without citing a theorem that you do not prove',
];

function hardText(i: number): string {
  return `${TASKS[i % TASKS.length]}, ${DEMANDS[Math.floor(i / TASKS.length)]}.`;
}
