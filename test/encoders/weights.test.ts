import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEncoder } from '../../router/encoders/open-encoder.ts';
import { readMinilmFile } from '../../router/encoders/weights.ts';
import { MINILM_FOLDER } from './minilm-folder.ts';

describe('the weights', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'plimsoll-weights-'));
    vi.stubEnv('PLIMSOLL_WEIGHTS_DIR', folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  const missing = expect.objectContaining({
    name: 'PlimsollError',
    code: 'weights-missing',
    message: expect.stringMatching(/Cannot read .*PLIMSOLL_WEIGHTS_DIR/),
  });

  it('that are not there are named, with the way to get them', async () => {
    expect(() => readMinilmFile('tokenizer')).toThrow(missing);
    await expect(openEncoder({ id: 'static' })).rejects.toEqual(missing);
  });

  it('that are not there stop a threaded encoder from opening, with the same words', async () => {
    await expect(openEncoder({ id: 'minilm' })).rejects.toEqual(missing);
  });

  it('that are other ones are refused, with both hashes', async () => {
    copyFileSync(path.join(MINILM_FOLDER, 'tokenizer.json'), path.join(folder, 'tokenizer.json'));
    mkdirSync(path.join(folder, 'onnx'));
    writeFileSync(path.join(folder, 'onnx/model_quantized.onnx'), 'not a model');
    const other = expect.objectContaining({
      code: 'weights-missing',
      message: expect.stringMatching(/sha256 [0-9a-f]{12}…, expected afdb6f1a0e45…/),
    });
    expect(() => readMinilmFile('model')).toThrow(other);
    await expect(openEncoder({ id: 'minilm' })).rejects.toEqual(other);
  });
});
