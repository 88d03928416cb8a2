import os from 'node:os';
import path from 'node:path';
import type * as Transformers from '@xenova/transformers';
import { PlimsollError } from '../errors.ts';
import type { Encoder } from './encoder.ts';
import { encoderName, type TransformersSpec } from './encoder-spec.ts';
import { keepHeadAndTail } from './head-and-tail-tokens.ts';
import { assertHuggingFaceFolder, huggingFaceSha256, isFolder } from './hugging-face-folder.ts';
import { SESSION_OPTIONS } from './minilm-session.ts';
import { poolTokens } from './pool-tokens.ts';

const LONGEST_TOKENS = 512; // a long-context encoder would take seconds a text, and a router has milliseconds

/**
 * Any encoder in Hugging Face layout, run by transformers.js in the calling thread, which waits while it runs.
 * @throws PlimsollError `weights-missing` where transformers.js or the model is not here, `invalid-input` where the
 * model gives no vector a token.
 */
export async function openTransformersSession(spec: TransformersSpec): Promise<Encoder> {
  const { dtype = 'q8', pooling = 'mean' } = spec;
  const library = await importTransformers();
  const place = locate(library.env, spec);
  if (place.folder) assertHuggingFaceFolder(place.folder, dtype);
  const { tokenizer, model } = await load(library, place.source, dtype);
  const maxTokens = longest(tokenizer, model);
  const inputIds = tokenReader(tokenizer, maxTokens);

  async function hiddenOf(text: string): Promise<Transformers.Tensor> {
    const output = await model(feeds(library.Tensor, inputIds(text)));
    const hidden = output.last_hidden_state ?? output.token_embeddings;
    if (hidden) return hidden.type === 'float32' ? hidden : hidden.to('float32');
    throw new PlimsollError(
      'invalid-input',
      `${spec.model} gives no vector a token, only ${Object.keys(output)}.`,
    );
  }

  const dimension = (await hiddenOf('a')).dims.at(-1)!;
  return {
    identity: {
      id: encoderName(spec),
      sha256: await huggingFaceSha256(place.folder ?? place.cached, dtype),
      pooling,
      dimension,
      maxTokens,
    },
    embed: async (text) => poolTokens((await hiddenOf(text)).data as Float32Array, dimension, pooling),
    close: async () => void (await model.dispose()),
  };
}

async function importTransformers(): Promise<typeof Transformers> {
  try {
    return await import('@xenova/transformers');
  } catch (cause) {
    throw new PlimsollError(
      'weights-missing',
      'The package @xenova/transformers is not installed, and a transformers encoder needs it: npm install @xenova/transformers@npm:@huggingface/transformers@4.3.1',
      { cause },
    );
  }
}

type Place =
  | { readonly source: string; readonly folder: string }
  | { readonly source: string; readonly folder?: undefined; readonly cached: string };

/** Sets where transformers.js may look: in one folder, or on the hub and in the cache of what came from there. */
function locate(
  env: typeof Transformers.env,
  { model, allowHub, cacheFolder, hubUrl }: TransformersSpec,
): Place {
  const folder = path.resolve(model);
  const local = isFolder(folder);
  env.logLevel = 40; // errors only: the rest is advice for the author of a model
  env.allowLocalModels = local;
  env.allowRemoteModels = !local && allowHub === true;
  env.useFSCache = !local;
  env.cacheDir = path.resolve(cacheFolder ?? defaultCacheFolder());
  if (hubUrl !== undefined) env.remoteHost = hubUrl;
  if (local) return { source: folder, folder };
  if (env.allowRemoteModels) return { source: model, cached: path.join(env.cacheDir, model) };
  throw new PlimsollError(
    'weights-missing',
    `There is no folder ${folder}. If ${model} is a model on the Hugging Face hub, allow its download (allowHub: true).`,
  );
}

function defaultCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return path.join(base, 'plimsoll', 'models');
}

interface Loaded {
  readonly tokenizer: Transformers.PreTrainedTokenizer;
  readonly model: Transformers.PreTrainedModel;
}

async function load(library: typeof Transformers, source: string, dtype: string): Promise<Loaded> {
  try {
    const tokenizer = await library.AutoTokenizer.from_pretrained(source);
    const options = { dtype, device: 'cpu', session_options: SESSION_OPTIONS } as const;
    const model = await library.AutoModel.from_pretrained(source, options as object);
    return { tokenizer, model };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PlimsollError('weights-missing', `Cannot load the encoder ${source}: ${reason}`, { cause });
  }
}

function longest(tokenizer: Transformers.PreTrainedTokenizer, model: Transformers.PreTrainedModel): number {
  const positions = (model.config as { max_position_embeddings?: number }).max_position_embeddings;
  return Math.min(tokenizer.model_max_length, positions ?? LONGEST_TOKENS, LONGEST_TOKENS);
}

/** Text -> ids with the tokenizer's own special tokens around at most as many pieces as fit. */
function tokenReader(
  tokenizer: Transformers.PreTrainedTokenizer,
  maxTokens: number,
): (text: string) => BigInt64Array {
  const plain = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false });
  const probe = plain('a');
  const framed = tokenizer.encode('a');
  const at = framed.findIndex((_, start) => probe.every((id, i) => framed[start + i] === id));
  if (at < 0)
    throw new PlimsollError('invalid-input', 'The tokenizer changes the pieces between its special tokens.');
  const prefix = framed.slice(0, at);
  const suffix = framed.slice(at + probe.length);
  return (text) => {
    const kept = keepHeadAndTail(Int32Array.from(plain(text)), maxTokens - prefix.length - suffix.length);
    return BigInt64Array.from([...prefix, ...kept, ...suffix], BigInt);
  };
}

function feeds(
  TensorClass: typeof Transformers.Tensor,
  ids: BigInt64Array,
): Record<string, Transformers.Tensor> {
  const row = (values: BigInt64Array): Transformers.Tensor =>
    new TensorClass('int64', values, [1, ids.length]);
  return {
    input_ids: row(ids),
    attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
    token_type_ids: row(new BigInt64Array(ids.length)),
  };
}
