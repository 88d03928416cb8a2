import { loadConfig } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import { importTransformers, minilmFolder, staticTokenizer } from '../../../router/encoders/index.ts';
import type { BenchContext } from '../context.ts';
import { inTurns, medianCallMs, ratiosOf, spreadOf } from '../rounds.ts';
import type { Row } from '../row.ts';

const ROUNDS = 30;
const WARM_UP_ROUNDS = 10;

/** A whole decision in process, beside tokenising the same texts and nothing else. */
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
    { rounds: ROUNDS, warmUp: WARM_UP_ROUNDS },
  );
  await router.close();
  const shared = { unit: 'ms', value: spreadOf(decisions!), samples: texts.length, notes: [] };
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
      peer: { what: 'tokenising alone, @huggingface/tokenizers', value: spreadOf(libraries!) },
      ratio: ratiosOf(decisions!, libraries!),
      target: { of: 'ratio', is: 'at most', required: 1.5 },
    },
    {
      ...shared,
      name: 'decision-static / own tokenizer',
      what: 'the same, against tokenising alone with the tokenizer that serves',
      peer: { what: 'tokenising alone, own tokenizer', value: spreadOf(own!) },
      ratio: ratiosOf(decisions!, own!),
      target: null,
      notes: [
        'the words of these texts are in the tokenizer’s word cache, as common words are while serving',
      ],
    },
  ];
}

async function libraryTokenizer(): Promise<(text: string) => unknown> {
  const { AutoTokenizer, env } = await importTransformers();
  env.allowRemoteModels = false;
  const tokenizer = await AutoTokenizer.from_pretrained(minilmFolder());
  return (text) => tokenizer.encode(text, { add_special_tokens: false });
}
