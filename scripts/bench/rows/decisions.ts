import { loadConfig } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import {
  importTransformers,
  minilmFolder,
  readMinilmFile,
  staticTokenizer,
} from '../../../router/encoders/index.ts';
import { openSession, type Session, type Tensor, tensor } from '../../../router/onnx/index.ts';
import { neighbourArtifact } from '../fixtures.ts';
import { type BenchContext, inTurns, medianCallMs, type Row, ratios, spread } from '../measurement.ts';

const STATIC_ROUNDS = 30;
const STATIC_WARM_UP = 10;
const MINILM_ROUNDS = 10;
const MINILM_WARM_UP = 2;
const MINILM_TEXTS = 60;

/** A whole decision in process, compared with tokenising the same texts and nothing else. */
export async function decisionStatic({ artifact, texts }: BenchContext): Promise<readonly Row[]> {
  const router = await createRouter(loadConfig(undefined, {}, { artifact, allowUngated: true }));
  const tokenizer = staticTokenizer();
  const library = await libraryTokenizer();
  const [decisions, libraries, own] = await inTurns(
    [
      () => medianCallMs(texts, (prompt) => router.route({ prompt })),
      () => medianCallMs(texts, library),
      () => medianCallMs(texts, (text) => tokenizer.encode(text)),
    ],
    { rounds: STATIC_ROUNDS, warmUp: STATIC_WARM_UP },
  );
  await router.close();
  const shared = { unit: 'ms', value: spread(decisions!), samples: texts.length, notes: [] };
  return [
    {
      ...shared,
      name: 'decision-static',
      what: 'one decision in process, p50, 64 word pieces',
      peer: null,
      ratio: null,
      target: { of: 'value', is: 'at most', required: 0.2, aim: 0.05 },
    },
    {
      ...shared,
      name: 'decision-static / library tokenizer',
      what: 'the same, against tokenising alone with @huggingface/tokenizers',
      peer: { what: 'tokenising alone, @huggingface/tokenizers', value: spread(libraries!) },
      ratio: ratios(decisions!, libraries!),
      target: { of: 'ratio', is: 'at most', required: 1.5 },
    },
    {
      ...shared,
      name: 'decision-static / own tokenizer',
      what: 'the same, against tokenising alone with the tokenizer that serves',
      peer: { what: 'tokenising alone, own tokenizer', value: spread(own!) },
      ratio: ratios(decisions!, own!),
      target: null,
      notes: [
        'the words of these texts are in the tokenizer’s word cache, as common words are while serving',
      ],
    },
  ];
}

/** The most cases that vote one by one, and the fewest that vote through the most prototypes. */
const VOTERS = [4_000, 10_000] as const;

/** A whole decision in which labelled cases vote, beside one of the shipped artifact. */
export async function decisionNeighbours({ artifact, texts }: BenchContext): Promise<readonly Row[]> {
  const open = (folder: string) =>
    createRouter(loadConfig(undefined, {}, { artifact: folder, allowUngated: true }));
  const plain = await open(artifact);
  const rows: Row[] = [];
  for (const cases of VOTERS) {
    const router = await open(await neighbourArtifact(texts, cases));
    const [decisions, alone] = await inTurns(
      [
        () => medianCallMs(texts, (prompt) => router.route({ prompt })),
        () => medianCallMs(texts, (prompt) => plain.route({ prompt })),
      ],
      { rounds: STATIC_ROUNDS, warmUp: STATIC_WARM_UP },
    );
    await router.close();
    rows.push({
      name: cases === VOTERS[0] ? 'decision-neighbours' : 'decision-prototypes',
      what: `one decision in process, p50, 64 word pieces, with 64 clusters and ${cases === VOTERS[0] ? '4,000 labelled cases' : '2,000 prototypes of labelled cases'} that vote`,
      unit: 'ms',
      value: spread(decisions!),
      samples: texts.length,
      peer: { what: 'the same with logistic regression alone', value: spread(alone!) },
      ratio: ratios(decisions!, alone!),
      target: { of: 'value', is: 'at most', required: 0.4, aim: 0.2 },
      notes: [],
    });
  }
  await plain.close();
  return rows;
}

/** A whole decision with the transformer, compared with the transformer's own run on prepared tensors. */
export async function decisionMinilm({ minilmArtifact, texts }: BenchContext): Promise<readonly Row[]> {
  const router = await createRouter(
    loadConfig(undefined, {}, { artifact: await minilmArtifact(), allowUngated: true }),
  );
  const session = await openSession(readMinilmFile('model'));
  const some = texts.slice(0, MINILM_TEXTS);
  const feeds = preparedFeeds(some);
  const [decisions, runs] = await inTurns(
    [
      () => medianCallMs(some, (prompt) => router.route({ prompt })),
      () => medianCallMs(feeds, (feed) => session.run(feed)),
    ],
    { rounds: MINILM_ROUNDS, warmUp: MINILM_WARM_UP },
  );
  await router.close();
  await session.release();
  return [
    {
      name: 'decision-minilm',
      what: 'one decision with the MiniLM encoder, p50, 64 word pieces, against the bare ONNX run',
      unit: 'ms',
      value: spread(decisions!),
      samples: some.length,
      peer: { what: 'bare ONNX run of MiniLM', value: spread(runs!) },
      ratio: ratios(decisions!, runs!),
      target: { of: 'ratio', is: 'at most', required: 1.25 },
      notes: ['the decision runs in a worker thread, the bare run in the calling one; one thread each'],
    },
  ];
}

async function libraryTokenizer(): Promise<(text: string) => unknown> {
  const { AutoTokenizer, env } = await importTransformers();
  env.allowRemoteModels = false;
  const tokenizer = await AutoTokenizer.from_pretrained(minilmFolder());
  return (text) => tokenizer.encode(text, { add_special_tokens: false });
}

function preparedFeeds(texts: readonly string[]): Parameters<Session['run']>[0][] {
  const { encode, startId, endId } = staticTokenizer();
  return texts.map((text) => {
    const ids = BigInt64Array.from([startId, ...encode(text), endId], BigInt);
    const row = (values: BigInt64Array): Tensor => tensor('int64', values, [1, ids.length]);
    return {
      input_ids: row(ids),
      attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
      token_type_ids: row(new BigInt64Array(ids.length)),
    };
  });
}
