import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createTransformersEncoder, openEncoder } from '../../router/encoders/open-encoder.ts';
import { STATIC_IDENTITY } from '../../router/encoders/static.ts';
import { cosine, MINILM_FOLDER } from './minilm-folder.ts';

const missing = (message: RegExp): object => ({
  code: 'weights-missing',
  message: expect.stringMatching(message),
});

describe('a transformers encoder from a folder', () => {
  it('carries the hash of its model and tokenizer', async () => {
    const encoder = await createTransformersEncoder({ model: MINILM_FOLDER });
    expect(encoder.identity).toEqual({
      id: `transformers:${MINILM_FOLDER}`,
      sha256: STATIC_IDENTITY.sha256, // the same two files
      pooling: 'mean',
      dimension: 384,
      maxTokens: 512,
    });
    await encoder.close();
  });

  it('pools as it was told', async () => {
    const mean = await createTransformersEncoder({ model: MINILM_FOLDER });
    const cls = await createTransformersEncoder({ model: MINILM_FOLDER, pooling: 'cls' });
    const text = 'Which of these is a mammal?';
    expect(cosine(await mean.embed(text), await cls.embed(text))).toBeLessThan(0.95);
    await Promise.all([mean.close(), cls.close()]);
  });

  it('that has no file of the wanted type says which it has', async () => {
    const opening = createTransformersEncoder({ model: MINILM_FOLDER, dtype: 'fp32' });
    await expect(opening).rejects.toMatchObject(
      missing(/no onnx\/model\.onnx \(dtype fp32\).*It has: onnx\/model_quantized\.onnx/),
    );
  });

  it('that holds no model says what it has', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'plimsoll-no-model-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(path.join(folder, 'notes.txt'), 'no model');
    const opening = createTransformersEncoder({ model: folder });
    await expect(opening).rejects.toMatchObject(missing(/no tokenizer\.json.*notes\.txt/));
  });
});

describe('a transformers encoder from the hub', () => {
  const model = 'someone/some-encoder';
  let hub: Server;
  let hubUrl: string;
  let asked: string[];
  let cacheFolder: string;

  beforeEach(async () => {
    asked = [];
    cacheFolder = mkdtempSync(path.join(os.tmpdir(), 'plimsoll-hub-'));
    hub = createServer((request, response) => {
      asked.push(request.url!);
      const prefix = `/${model}/resolve/main/`;
      const file = path.join(MINILM_FOLDER, request.url!.slice(prefix.length));
      if (!request.url!.startsWith(prefix) || !existsSync(file)) response.writeHead(404).end();
      else createReadStream(file).pipe(response);
    });
    await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
    hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/`;
  });
  afterEach(async () => {
    hub.closeAllConnections();
    await new Promise((resolve) => hub.close(resolve));
    rmSync(cacheFolder, { recursive: true });
  });

  it('is not asked for unless the user allows it', async () => {
    const opening = openEncoder({ id: 'transformers', model, hubUrl, cacheFolder });
    await expect(opening).rejects.toMatchObject(missing(/no folder .*allow its download/));
    expect(asked).toEqual([]);
  });

  it('is downloaded once, and carries the hash of what came', async () => {
    const spec = { id: 'transformers', model, hubUrl, cacheFolder, allowHub: true } as const;
    const first = await openEncoder(spec);
    const vector = await first.embed('Hello');
    expect(first.identity).toMatchObject({ id: `transformers:${model}`, sha256: STATIC_IDENTITY.sha256 });
    await first.close();
    expect(asked.some((url) => url.endsWith('/onnx/model_quantized.onnx'))).toBe(true);

    const before = asked.length;
    const second = await openEncoder(spec);
    expect(await second.embed('Hello')).toEqual(vector);
    await second.close();
    expect(asked.slice(before)).not.toContainEqual(expect.stringContaining('.onnx'));
  });

  it('that the hub does not have is a clear error', async () => {
    const opening = openEncoder({
      id: 'transformers',
      model: 'someone/nothing',
      hubUrl,
      cacheFolder,
      allowHub: true,
    });
    await expect(opening).rejects.toMatchObject(missing(/Cannot load the encoder someone\/nothing/));
  });
});
