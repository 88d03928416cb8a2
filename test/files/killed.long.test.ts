import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { expect, onTestFinished, test } from 'vitest';
import { writeCases } from '../../evals/cases/index.ts';
import { createKey, readKeys, revokeKey } from '../../router/access/index.ts';
import { promote, readArtifact, readCurrent, writeArtifact } from '../../router/artifact/index.ts';
import { draft } from '../artifact/draft.ts';
import { layVerdict } from '../helpers/verdicts.ts';

const CHILD = fileURLToPath(new URL('./killed-child.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
const now = new Date();

function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-killed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves to whether it was killed before it was done. */
function killedAt(call: number, [work, place, argument = '']: readonly string[]): Promise<boolean> {
  const args = ['--import', TSX, CHILD, work!, place!, String(call), argument];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(stderr));
    });
  });
}

interface Scene {
  /** Work, place and argument of the child. */
  readonly child: readonly string[];
  /** What is read there now, as the next command or the server would. */
  readonly state: () => unknown;
  /** The next command does the same work again. */
  readonly again: () => unknown;
}

interface Kind {
  readonly name: string;
  readonly prepare: (folder: string) => Promise<Scene> | Scene;
}

const KINDS: readonly Kind[] = [
  {
    name: 'keys revoke',
    prepare(folder) {
      const file = path.join(folder, 'keys.json');
      const { stored } = createKey(file, { name: 'ci', now });
      return {
        child: ['revoke', file, stored.id],
        state: () => readKeys(file).map(({ revoked }) => revoked !== undefined),
        again: () => revokeKey(file, stored.id, now),
      };
    },
  },
  {
    name: 'train --force',
    prepare(folder) {
      const artifact = path.join(folder, 'store', 'mine');
      const newDraft = { ...draft, modelCard: 'new' };
      writeArtifact(artifact, draft);
      writeFileSync(path.join(folder, 'draft'), serialize(newDraft));
      return {
        child: ['artifact', artifact, path.join(folder, 'draft')],
        state: () => readArtifact(artifact).modelCard,
        again: () => writeArtifact(artifact, newDraft, { replace: true }),
      };
    },
  },
  {
    name: 'promote',
    prepare(folder) {
      for (const name of ['old', 'new']) {
        const artifact = path.join(folder, name);
        writeArtifact(artifact, { ...draft, modelCard: name });
        layVerdict(artifact);
      }
      promote(folder, 'old', now);
      return {
        child: ['promote', folder, 'new'],
        state: () => readCurrent(folder)?.artifact,
        again: () => promote(folder, 'new', new Date()),
      };
    },
  },
  {
    name: 'import',
    async prepare(folder) {
      const file = path.join(folder, 'cases.jsonl');
      const row = { id: '1', prompt: 'old', outcomes: { small: { quality: 1 } } };
      await writeCases(file, [row]);
      return {
        child: ['cases', file],
        state: () => readFileSync(file, 'utf8').trim().split('\n').length,
        again: () => writeCases(file, [row, { ...row, id: '2' }]),
      };
    },
  },
];

test.each(KINDS)(
  '$name, killed at every step: the old or the new, and the next command clears up',
  async (kind) => {
    const template = scratchFolder();
    await kind.prepare(template);
    let wasKilled = true;
    let killed = 0;
    for (let call = 1; wasKilled; call++) {
      const folder = scratchFolder();
      const { child, state, again } = await kind.prepare(folder);
      const before = state();
      wasKilled = await killedAt(call, child);
      const found = state();
      await again();
      const after = state();
      expect([before, after]).toContainEqual(found);
      expect(after).not.toEqual(before);
      expect(namesBelow(folder).filter((name) => path.basename(name).startsWith('.'))).toEqual([]);
      if (wasKilled) killed++;
    }
    expect(killed).toBeGreaterThan(1);
  },
  120_000,
);

function namesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}
