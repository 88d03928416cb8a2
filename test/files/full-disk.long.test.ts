import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { BadRow, RejectLog } from '../../evals/case-files/index.ts';
import { writeCases } from '../../evals/cases/index.ts';
import { beginLook } from '../../evals/gate/looks.ts';
import { CHECK_INTERVAL_MS, openAccess } from '../../router/access/access.ts';
import { createKey, readKeys } from '../../router/access/index.ts';
import { createKeyPair, readArtifact, writeArtifact, writeVerdict } from '../../router/artifact/index.ts';
import { writeCurrent } from '../../router/artifact/store.ts';
import { replaceFile } from '../../router/files/index.ts';
import { draft } from '../artifact/draft.ts';
import { cli, expectRefusal } from '../cli/run-cli.ts';
import { verdictOf } from '../helpers/verdicts.ts';
import { hiddenIn, noTinyDisk, tinyDisk } from './tiny-disk.ts';

const now = new Date();
const CLI = fileURLToPath(new URL('../../dist/scripts/cli.js', import.meta.url));
const why = noTinyDisk();

const FULL = {
  code: 'io',
  message: expect.stringMatching(/\(ENOSPC\): no space left on the device\. Free some space/),
};

/** Takes what is left of a disk, but for so many bytes. */
function fill(disk: string, free: number): void {
  let bytes = 2 ** 20;
  while (bytes > 0) {
    try {
      writeFileSync(path.join(disk, 'filler'), Buffer.alloc(bytes));
      break;
    } catch {
      bytes -= 4096;
    }
  }
  writeFileSync(path.join(disk, 'filler'), Buffer.alloc(Math.max(0, bytes - free)));
}

/** A keys file of about 8 kB, two blocks. */
function manyKeys(disk: string) {
  const file = path.join(disk, 'keys.json');
  const created = Array.from({ length: 20 }, (_, i) =>
    createKey(file, { name: `key ${i}`.padEnd(90, '.'), now }),
  );
  return { file, last: created.at(-1)! };
}

test.skipIf(!existsSync('/dev/full'))('a result that goes to a full device: one sentence, 1', () => {
  const out = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'artifacts', '--json'], {
    stdio: ['ignore', out, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(out);
  expect(stderr).toMatch(
    /^plimsoll: Cannot write the result to standard output \(ENOSPC\): no space left[^\n]*\n$/,
  );
  expect(status).toBe(1);
});

describe.skipIf(why)(`a full disk${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('plimsoll keys revoke: exit 1, file and reason; the file is whole, and after making room it is revoked', async () => {
    const disk = tinyDisk(128);
    const { file, last } = manyKeys(disk);
    let at = Date.now();
    const access = openAccess({ file, onFailure: () => {}, now: () => at });
    const kind = () => {
      at += CHECK_INTERVAL_MS;
      return access.authenticate({ 'x-api-key': last.key }).kind;
    };
    const before = readFileSync(file, 'utf8');
    for (const free of [0, 4096, 8192]) {
      fill(disk, free);
      const refused = await cli(['keys', 'revoke', last.stored.id, '--file', file]);
      expectRefusal(
        refused,
        /Cannot write .*keys\.json \(ENOSPC\): no space left on the device\. Free some space/,
      );
      expect(readFileSync(file, 'utf8')).toBe(before);
      expect(hiddenIn(disk)).toEqual([]);
      expect(kind()).toBe('ok');
    }
    fill(disk, 65_536);
    expect(await cli(['keys', 'revoke', last.stored.id, '--file', file])).toMatchObject({ code: 0 });
    expect(readKeys(file)).toHaveLength(20);
    expect(kind()).toBe('revoked');
  });

  it('a pair of keys: both or neither, wherever the disk ends', () => {
    const disk = tinyDisk(128);
    const keys = ['gate.pem', 'gate.pub.pem'];
    for (const free of [0, 4096, 8192, 12_288, 16_384]) {
      fill(disk, free);
      let failure: unknown;
      try {
        createKeyPair(path.join(disk, 'gate'), undefined);
      } catch (error) {
        failure = error;
      }
      if (failure !== undefined) expect(failure).toMatchObject(FULL);
      const there = keys.filter((name) => existsSync(path.join(disk, name)));
      expect(there).toEqual(failure === undefined ? keys : []);
      expect(hiddenIn(disk)).toEqual([]);
      for (const name of there) rmSync(path.join(disk, name));
    }
  });

  const verdict = { ...verdictOf({ manifest: { ...draft.manifest, files: {} }, sha256: '0'.repeat(64) }) };
  const many = Array.from({ length: 400 }, () => ({
    artifact: 'a',
    sha256: '0'.repeat(64),
    at: now.toISOString(),
  }));
  const noise = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 1000).join(' ');

  it.each<[string, (place: string, size: 'small' | 'large') => unknown, string]>([
    [
      'a verdict',
      (place, size) =>
        writeVerdict(place, size === 'small' ? verdict : { ...verdict, evidence: { noise } as never }),
      'verdict.json',
    ],
    [
      'the pointer of a store',
      (place, size) => writeCurrent(place, size === 'small' ? many.slice(0, 2) : many),
      'current.json',
    ],
    [
      'a file',
      (place, size) => replaceFile(path.join(place, 'file'), size === 'small' ? 'small' : noise),
      'file',
    ],
    [
      'an artifact',
      (place, size) =>
        writeArtifact(
          path.join(place, 'mine'),
          { ...draft, modelCard: size === 'small' ? 'small' : noise },
          { replace: true },
        ),
      'mine/MODEL_CARD.md',
    ],
    [
      'cases',
      (place, size) =>
        writeCases(path.join(place, 'cases.jsonl'), [
          { id: '1', prompt: size === 'small' ? 'small' : noise, outcomes: { a: { quality: 1 } } },
        ]),
      'cases.jsonl',
    ],
    [
      'rejected rows',
      (place, size) => {
        const log = new RejectLog(path.join(place, 'rejects.jsonl'));
        try {
          for (let i = 0; i < (size === 'small' ? 1 : 1000); i++)
            log.add('file.jsonl', i, new BadRow('a reason that is long enough', 'field'));
        } finally {
          log.close();
        }
      },
      'rejects.jsonl',
    ],
    [
      'a look',
      (place, size) => {
        const count = size === 'small' ? 1 : 200;
        for (let i = 0; i < count; i++) {
          beginLook(path.join(place, 'mine'), {
            artifact: 'mine',
            artifactSha256: i.toString(16).padStart(64, '0'),
            policy: { name: 'default', version: 1 },
            suite: 'made',
            suiteSha256: '0'.repeat(64),
            confidence: 0.95,
            cases: {
              contents: Float64Array.of(1),
              keys: Float64Array.of(2),
              texts: Float64Array.of(3),
              copies: Float64Array.of(4),
            },
            issued: now,
          });
        }
      },
      'looks.jsonl',
    ],
  ])('%s: an error that names it, and the old one stays', async (_, write, name) => {
    const disk = tinyDisk(256);
    await write(disk, 'small');
    const old = readFileSync(path.join(disk, name), 'utf8');
    fill(disk, 32_768);
    await expect(async () => write(disk, 'large')).rejects.toThrow(expect.objectContaining(FULL));
    const left = readFileSync(path.join(disk, name), 'utf8');
    if (name === 'looks.jsonl')
      for (const line of left.trim().split('\n')) JSON.parse(line); // those before it are on record
    else expect(left).toBe(old);
    expect(hiddenIn(disk)).toEqual([]);
    if (name.startsWith('mine/')) expect(readArtifact(path.join(disk, 'mine')).modelCard).toBe('small');
  });

  it('a result that goes to a file on it: exit 1, not half a JSON and 0', async () => {
    const disk = tinyDisk(64);
    const { file } = manyKeys(disk);
    fill(disk, 4096);
    const out = openSync(path.join(disk, 'out'), 'w');
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'keys', 'list', '--json', '--file', file], {
      stdio: ['ignore', out, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(out);
    expect(stderr).toMatch(/^plimsoll: Cannot write the result to standard output \(ENOSPC\): no space left/);
    expect(status).toBe(1);
  });

  it('a log that goes to a file on it: the server goes on, and so does the log after making room', async () => {
    const disk = tinyDisk(64);
    fill(disk, 4096);
    const log = openSync(path.join(disk, 'log'), 'a');
    const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--log-level', 'debug'], {
      cwd: disk,
      stdio: ['ignore', 'ignore', log],
    });
    closeSync(log);
    const logged = () => readFileSync(path.join(disk, 'log'), 'utf8');
    const url = await eventually(() => /http:\/\/127\.0\.0\.1:\d+/.exec(logged())?.[0]);
    const ask = async () => {
      const body = JSON.stringify({ prompt: 'What are your opening hours?' });
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${url}/v1/route`, { method: 'POST', headers, body })).status;
    };
    for (let i = 0; i < 60; i++) expect(await ask()).toBe(200);
    const full = logged().length;
    expect(full).toBeLessThan(4097);
    fill(disk, 32_768);
    expect(await ask()).toBe(200);
    await eventually(() => (logged().length > full ? true : undefined));
    const exited = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });
});

async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
