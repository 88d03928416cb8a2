import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MINILM_WEIGHTS, minilmFolder } from '../../router/encoders/index.ts';
import { sampled } from '../helpers/long-run.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { cli, expectRefusal, scratchFolder } from './run-cli.ts';

const HOME = scratchFolder();
const { folder: TINY } = await tinyArtifact();

/** A copy of the artifact, with one byte of a file changed or the file taken away. */
function damaged(part: string, how: 'changed' | 'missing'): string {
  const copy = path.join(HOME, `${how}-${part}`);
  cpSync(TINY, copy, { recursive: true });
  const file = path.join(copy, part);
  if (how === 'missing') rmSync(file);
  else writeFileSync(file, withOtherByte(readFileSync(file), 1));
  return copy;
}

function withOtherByte(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1;
  return bytes;
}

/** A weights folder with the real tokenizer, but for one byte. */
function changedWeights(): string {
  const folder = path.join(HOME, 'weights');
  mkdirSync(folder);
  const { path: name } = MINILM_WEIGHTS.tokenizer;
  writeFileSync(path.join(folder, name), withOtherByte(readFileSync(path.join(minilmFolder(), name)), 500));
  return folder;
}

const config = (name: string, text: string) => {
  const file = path.join(HOME, name);
  writeFileSync(file, text);
  return file;
};

describe('an artifact that cannot be trusted', () => {
  it.each(
    sampled([
      ['manifest.json', damaged('manifest.json', 'changed'), /manifest\.json is not valid JSON/],
      [
        'classifier.onnx',
        damaged('classifier.onnx', 'changed'),
        /classifier\.onnx was changed .* Restore it, or train again/,
      ],
      ['golden.json', damaged('golden.json', 'changed'), /golden\.json was changed/],
      ['MODEL_CARD.md', damaged('MODEL_CARD.md', 'changed'), /MODEL_CARD\.md was changed/],
      ['a missing file', damaged('golden.json', 'missing'), /golden\.json is missing .* not whole/],
      [
        'no folder',
        path.join(HOME, 'nowhere'),
        /no artifact folder at .*nowhere\. Train one with `npm run -s plimsoll -- train`/,
      ],
    ]),
  )('%s: one message', async (_, folder, message) => {
    expectRefusal(await cli(['inspect', folder]), message);
  });

  it('is not served either', async () => {
    const ended = await cli(['serve', '--port', '0', '--artifact', path.join(HOME, 'changed-golden.json')]);
    expectRefusal(ended, /golden\.json was changed/);
  });
});

describe('a request that cannot be decided', () => {
  const route = (...more: string[]) => ['route', 'Hello', '--artifact', TINY, ...more];
  it.each(
    sampled([
      ['an empty prompt', ['route', '', '--artifact', TINY], {}, /There is no text to score/],
      [
        'white space from stdin',
        ['route', '--artifact', TINY],
        { stdin: ' \n\t\r\n' },
        /There is no text to score/,
      ],
      [
        'a text without end',
        ['route', '--artifact', TINY],
        { stdin: Buffer.alloc(33 * 2 ** 20, 'a ') },
        /more than 32 MiB .* on stdin/,
      ],
      [
        'an unknown policy',
        route('--policy', 'nope'),
        {},
        /no policy named "nope"\. There are: default, always-strong\.$/m,
      ],
      [
        'no weights',
        route(),
        { env: { PLIMSOLL_WEIGHTS_DIR: HOME } },
        /Cannot read the encoder's weights .*`npm ci`/,
      ],
      [
        'other weights',
        route(),
        { env: { PLIMSOLL_WEIGHTS_DIR: changedWeights() } },
        /tokenizer\.json is not the file .* expected aa5777dd8018/,
      ],
      [
        'an unknown field',
        route('--config', config('field.yaml', 'artifcat: x\n')),
        {},
        /field\.yaml, .*"artifcat"/,
      ],
      [
        'broken YAML',
        route('--config', config('broken.yaml', 'server:\n  port: [1\n')),
        {},
        /broken\.yaml, line \d/,
      ],
      [
        'a field of another type',
        route('--config', config('type.yaml', 'server: { port: x }')),
        {},
        /type\.yaml, line \d, field "server\.port"/,
      ],
      [
        'no configuration there',
        route('--config', path.join(HOME, 'absent.yaml')),
        {},
        /no configuration file at .*absent\.yaml/,
      ],
      [
        'a folder as configuration',
        route('--config', HOME),
        {},
        /cannot be read \(EISDIR\)\. It must be a file/,
      ],
      [
        'an unknown log level',
        ['serve', '--artifact', TINY],
        { env: { PLIMSOLL_LOG_LEVEL: 'loud' } },
        /PLIMSOLL_LOG_LEVEL must be/,
      ],
    ]),
  )('%s: one message', async (_, args, surroundings, message) => {
    const ended = await cli(args, surroundings);
    expectRefusal(ended, message);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('a port in use: one message', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const ended = await cli(['serve', '--artifact', TINY, '--port', String(port)]);
    other.close();
    expectRefusal(
      ended,
      new RegExp(
        `Port ${port} is in use, by another program or by a Plimsoll that runs already\\. Set server\\.port`,
      ),
    );
  });
});
