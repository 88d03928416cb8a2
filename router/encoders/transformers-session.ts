import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type * as Library from '@xenova/transformers';
import type { PreTrainedModel, PreTrainedTokenizer, Tensor } from '@xenova/transformers';
import { PlimsollError } from '../errors.ts';
import { requireTelemetryDisabled, sessionOptions } from '../onnx/index.ts';
import {
  DTYPE_SUFFIX,
  type Dtype,
  type Encoder,
  encoderName,
  poolTokens,
  type TransformersSpec,
} from './encoder.ts';
import { keepHeadAndTail } from './static.ts';

const LONGEST_TOKENS = 512; // a long-context encoder would take seconds a text, and a router has milliseconds

/**
 * Any encoder in Hugging Face layout, run by transformers.js in the calling thread, which waits while it runs.
 * @throws PlimsollError `weights-missing` if transformers.js or the model is not here, `invalid-input` if the
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

export type TransformersLibrary = typeof Library;

/** The package is optional, and heavy: it is loaded if an encoder asks for it and nowhere else. */
export async function importTransformers(): Promise<TransformersLibrary> {
  requireTelemetryDisabled();
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

export interface ModelPlace {
  /** What transformers.js is asked for: a folder's full path or the hub's `owner/name`. */
  readonly source: string;
  /** Where the files are, for the hub once they have been downloaded. */
  readonly folder: string;
  readonly local: boolean;
}

/**
 * Sets where transformers.js may look: in one folder, or on the hub and in the cache of what came from there.
 * @throws PlimsollError `weights-missing` if the model is no folder and the hub was not allowed.
 */
export function locateModel(env: TransformersLibrary['env'], spec: TransformersSpec): ModelPlace {
  const { model, allowHub = false, cacheFolder = defaultCacheFolder(), hubUrl } = spec;
  const folder = path.resolve(model);
  const local = isFolder(folder);
  if (!local && !allowHub) {
    throw new PlimsollError(
      'weights-missing',
      `There is no folder ${folder}. If ${model} is a model on the Hugging Face hub, allow its download: --allow-hub, or encoder.allow_hub in the configuration.`,
    );
  }
  env.logLevel = 40; // errors only: the rest is advice for the author of a model
  env.allowLocalModels = local;
  env.allowRemoteModels = !local;
  env.useFSCache = !local;
  env.cacheDir = path.resolve(cacheFolder);
  if (hubUrl !== undefined) env.remoteHost = hubUrl;
  return local
    ? { source: folder, folder, local }
    : { source: model, folder: path.join(env.cacheDir, model), local };
}

function defaultCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return path.join(base, 'plimsoll', 'models');
}

const OTHER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'config.json'] as const;

export function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** @throws PlimsollError `weights-missing` if a file that transformers.js needs is not in the folder; it says which are. */
export function assertHuggingFaceFolder(folder: string, dtype: Dtype): void {
  const missing = OTHER_FILES.find((file) => !statSync(path.join(folder, file), { throwIfNoEntry: false }));
  if (missing !== undefined) throw missingFile(folder, missing, `It has: ${list(folder)}.`);
  const model = modelFile(dtype);
  if (!onnxFiles(folder).includes(model)) {
    const has = onnxFiles(folder).map((file) => `onnx/${file}`);
    throw missingFile(
      folder,
      `onnx/${model} (dtype ${dtype})`,
      `It has: ${has.join(', ') || 'no onnx file'}.`,
    );
  }
}

/**
 * sha256 of the sha256s (hex) of the model, its external data if it has any, and tokenizer.json: all that a vector
 * depends on besides code. For MiniLM it is the same number that `static` and `minilm` carry.
 */
export async function huggingFaceSha256(folder: string, dtype: Dtype): Promise<string> {
  const model = onnxFiles(folder).filter((file) => file.startsWith(modelFile(dtype)));
  const files = [...model.sort().map((file) => `onnx/${file}`), 'tokenizer.json'];
  const all = createHash('sha256');
  for (const file of files) all.update(await fileSha256(path.join(folder, file)));
  return all.digest('hex');
}

function modelFile(dtype: Dtype): string {
  return `model${DTYPE_SUFFIX[dtype]}.onnx`;
}

function onnxFiles(folder: string): readonly string[] {
  const onnx = path.join(folder, 'onnx');
  return isFolder(onnx) ? readdirSync(onnx) : [];
}

async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function missingFile(folder: string, file: string, has: string): PlimsollError {
  const message = `${folder} has no ${file}, so it is no encoder in Hugging Face layout. ${has}`;
  return new PlimsollError('weights-missing', message, { place: { file: path.join(folder, file) } });
}

function list(folder: string): string {
  return readdirSync(folder).sort().slice(0, 12).join(', ') || 'nothing';
}
