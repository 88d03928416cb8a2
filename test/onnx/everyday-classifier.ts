import {
  type Classifier,
  calibrated,
  createOnnxClassifier,
  featureExtractor,
} from '../../router/classifier/index.ts';
import { createStaticEncoder, type Encoder, type StaticEncoder } from '../../router/encoders/index.ts';
import {
  designMatrix,
  exportLexicon,
  exportLinear,
  type Learner,
  learnerLogits,
  type TrainedLearner,
  trainLearner,
} from '../../router/train/index.ts';
import { everydayCases } from '../training-data/data-card.ts';

/** A classifier of three heads, trained on everyday cases: as TypeScript has it, and as the exported graph. */
export interface EverydayClassifier {
  readonly kind: 'lexicon' | 'linear';
  readonly encoder: Encoder;
  readonly trained: TrainedLearner;
  readonly bytes: Uint8Array;
  open(): Promise<Classifier>;
}

export const HEADS = 3;
export const extractor = featureExtractor();
const statically: StaticEncoder = createStaticEncoder();

/** The static encoder's vectors under another name: an encoder whose head is not folded. */
const unfolded: Encoder = {
  identity: { ...statically.identity, id: 'transformers:unfolded' },
  embed: (text) => statically.embed(text),
  close: async () => {},
};

const { english, multilingual } = everydayCases();
/** A sixth of them: training on all takes long. */
const cases = [...english, ...multilingual].filter((_, i) => i % 6 === 0);

/** Everyday texts, and the two halves of each: more than 1,000 texts that people wrote. */
export const everydayTexts: readonly string[] = [
  ...new Set(cases.flatMap(({ text }) => [text, ...halves(text)])),
];

/** Texts at the edges of what can be asked. */
export const edgeTexts: readonly string[] = [
  '',
  ' ',
  '\n\n',
  '\0',
  'a',
  'Hello',
  '?',
  '日本',
  '🙂',
  '\ud800',
  '```',
  'word '.repeat(500),
  '8'.repeat(30_000),
  'Ünïcödé ٣٤٥ العربية हिन्दी',
];

/** All everyday texts in one: a request of more than 100,000 word pieces. */
export const longText = everydayTexts.join('\n');

/** 20,000 times the same piece: float32 rounds each sum the same way, and the error grows. */
export const hugeText = 'word '.repeat(20_000);

const made = new Map<string, Promise<EverydayClassifier>>();

/** Trained once a test file. */
export function everydayClassifier(
  kind: EverydayClassifier['kind'],
  learner: Learner = 'lr',
): Promise<EverydayClassifier> {
  const name = `${kind} ${learner}`;
  const known = made.get(name) ?? trainEverydayClassifier(kind, learner);
  made.set(name, known);
  return known;
}

/** Trained anew. */
export async function trainEverydayClassifier(
  kind: EverydayClassifier['kind'],
  learner: Learner = 'lr',
): Promise<EverydayClassifier> {
  const encoder = kind === 'lexicon' ? statically : unfolded;
  const matrix = await designMatrix(
    cases.map(({ text }) => text),
    encoder,
    extractor,
  );
  const labels = [
    Float64Array.from(cases, ({ tier }) => (tier === 'cheap' ? 1 : 0)),
    Float64Array.from(cases, ({ tier }, i) => (tier === 'cheap' ? 1 : (i % 5) / 4)),
    Float64Array.from(cases, ({ language }, i) => ((i * 7919) % 101 < (language === 'en' ? 12 : 60) ? 0 : 1)),
  ];
  const folds = Int32Array.from(cases, (_, i) => i % 2);
  const trained = trainLearner({ matrix, labels, folds }, learner, [100]);
  const exportable = { ...trained, keys: cases.map(({ text }) => text.slice(0, 20)) };
  const bytes =
    kind === 'lexicon'
      ? exportLexicon(exportable, statically)
      : exportLinear(exportable, encoder.identity.dimension);
  const input =
    kind === 'lexicon'
      ? ({ kind, tokenizer: statically.tokenizer, encoder: statically } as const)
      : ({ kind, encoder: unfolded } as const);
  return { kind, encoder, trained, bytes, open: () => createOnnxClassifier(bytes, input, extractor) };
}

/** What the graph must say of these texts, computed without folding and in float64: logits and probabilities, head by head. */
export async function unfoldedScores({ encoder, trained }: EverydayClassifier, texts: readonly string[]) {
  const logits = learnerLogits(await designMatrix(texts, encoder, extractor), trained);
  const probabilities = logits.map((z, h) => z.map((value) => calibrated(value, trained.platt[h]!)));
  return { logits, probabilities };
}

function halves(text: string): [string, string] {
  const words = text.split(' ');
  const middle = Math.ceil(words.length / 2);
  return [words.slice(0, middle).join(' '), words.slice(middle).join(' ')];
}
