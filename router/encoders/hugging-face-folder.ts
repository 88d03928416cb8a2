import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PlimsollError } from '../errors.ts';
import { DTYPE_SUFFIX, type Dtype } from './encoder-spec.ts';

const OTHER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'config.json'] as const;

export function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** @throws PlimsollError `weights-missing` where a file that transformers.js needs is not in the folder; it says which are. */
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
