import type { PreTrainedModel, PreTrainedTokenizer, Tensor } from '@xenova/transformers';
import { PlimsollError } from '../errors.ts';
import { sessionOptions } from '../onnx/index.ts';
import type { Encoder } from './encoder.ts';
import { type Dtype, encoderName, type TransformersSpec } from './encoder-spec.ts';
import { keepHeadAndTail } from './head-and-tail-tokens.ts';
import { assertHuggingFaceFolder, huggingFaceSha256 } from './hugging-face-folder.ts';
import { poolTokens } from './pool-tokens.ts';
import { importTransformers, locateModel, type TransformersLibrary } from './transformers-library.ts';

const LONGEST_TOKENS = 512; // a long-context encoder would take seconds a text, and a router has milliseconds

/**
 * Any encoder in Hugging Face layout, run by transformers.js in the calling thread, which waits while it runs.
 * @throws PlimsollError `weights-missing` where transformers.js or the model is not here, `invalid-input` where the
 * model gives no vector a token.
 */
export async function openTransformersSession(spec: TransformersSpec): Promise<Encoder> {
  const { dtype = 'q8', pooling = 'mean' } = spec;
  const library = await importTransformers();
  const place = locateModel(library.env, spec);
  if (place.local) assertHuggingFaceFolder(place.folder, dtype);
  const { tokenizer, model } = await load(library, place.source, dtype);
  const maxTokens = longest(tokenizer, model);
  const inputIds = tokenReader(tokenizer, maxTokens);
  let disposed: Promise<unknown> | undefined;

  async function hiddenOf(text: string): Promise<Tensor> {
    const output = await model(feeds(library.Tensor, inputIds(text)));
    const hidden: Tensor | undefined = output.last_hidden_state ?? output.token_embeddings;
    if (hidden) return hidden.type === 'float32' ? hidden : hidden.to('float32');
    const has = Object.keys(output).join(', ');
    throw new PlimsollError('invalid-input', `${spec.model} gives no vector a token, only ${has}.`);
  }

  const dimension = (await hiddenOf('a')).dims.at(-1)!;
  const sha256 = await huggingFaceSha256(place.folder, dtype);
  return {
    identity: { id: encoderName(spec), sha256, pooling, dimension, maxTokens },
    embed: async (text) => poolTokens((await hiddenOf(text)).data as Float32Array, dimension, pooling),
    async close() {
      disposed ??= model.dispose();
      await disposed;
    },
  };
}

interface Loaded {
  readonly tokenizer: PreTrainedTokenizer;
  readonly model: PreTrainedModel;
}

async function load(library: TransformersLibrary, source: string, dtype: Dtype): Promise<Loaded> {
  try {
    const tokenizer = await library.AutoTokenizer.from_pretrained(source);
    const options = { dtype, device: 'cpu', session_options: sessionOptions(1) } as const;
    return { tokenizer, model: await library.AutoModel.from_pretrained(source, options) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PlimsollError('weights-missing', `Cannot load the encoder ${source}: ${reason}`, { cause });
  }
}

function longest(tokenizer: PreTrainedTokenizer, model: PreTrainedModel): number {
  const positions = (model.config as { max_position_embeddings?: number }).max_position_embeddings;
  return Math.min(tokenizer.model_max_length, positions ?? LONGEST_TOKENS, LONGEST_TOKENS);
}

/** Text -> ids: the tokenizer's own special tokens around as many pieces, head and tail, as fit. */
function tokenReader(tokenizer: PreTrainedTokenizer, maxTokens: number): (text: string) => BigInt64Array {
  const plain = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false });
  const probe = plain('a');
  const framed = tokenizer.encode('a');
  const at = framed.findIndex((_, start) => probe.every((id, i) => framed[start + i] === id));
  if (at < 0) {
    throw new PlimsollError('invalid-input', 'The tokenizer changes the pieces between its special tokens.');
  }
  const prefix = framed.slice(0, at);
  const suffix = framed.slice(at + probe.length);
  const room = maxTokens - prefix.length - suffix.length;
  return (text) => {
    const kept = keepHeadAndTail(Int32Array.from(plain(text)), room);
    return BigInt64Array.from([...prefix, ...kept, ...suffix], BigInt);
  };
}

function feeds(TensorClass: typeof Tensor, ids: BigInt64Array): Record<string, Tensor> {
  const row = (values: BigInt64Array): Tensor => new TensorClass('int64', values, [1, ids.length]);
  return {
    input_ids: row(ids),
    attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
    token_type_ids: row(new BigInt64Array(ids.length)),
  };
}
