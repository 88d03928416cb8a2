import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { structureFaults } from '../../scripts/check-structure.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/check-structure.ts', import.meta.url));

function checkout(files: Record<string, string>): string {
  const root = mkdtempSync(path.join(tmpdir(), 'plimsoll-structure-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

const SOUND = {
  'router/errors.ts': 'export class PlimsollError extends Error {}\n',
  'router/json/index.ts': "export { scan } from './scan.ts';\n",
  'router/json/scan.ts':
    "import { PlimsollError } from '../errors.ts';\nexport const scan = PlimsollError;\n",
  'router/catalog/index.ts': "import { scan } from '../json/index.ts';\nexport const catalog = scan;\n",
};

it('finds nothing where every import goes down, and through a door', () => {
  expect(structureFaults(checkout(SOUND))).toEqual([]);
});

it.each<[string, Record<string, string>, string]>([
  [
    'an import past a door',
    { 'router/catalog/index.ts': "import { scan } from '../json/scan.ts';\nexport const catalog = scan;\n" },
    'router/catalog/index.ts:1: goes past the door of router/json; import router/json/index.ts instead of router/json/scan.ts',
  ],
  [
    'an example that does not stand alone',
    { 'examples/openai/main.mjs': "import { url } from '../shared.mjs';\nconsole.log(url);\n" },
    'examples/openai/main.mjs:1: imports examples/shared.mjs; an example imports packages alone',
  ],
  [
    'a dynamic import past a door',
    {
      'router/catalog/index.ts':
        "export const catalog = 1;\nexport const load = () => import('../json/scan.ts');\n",
    },
    'router/catalog/index.ts:2: goes past the door of router/json; import router/json/index.ts instead of router/json/scan.ts',
  ],
  [
    'a type import from a room above',
    {
      'router/json/scan.ts':
        "import type { Prompt } from '../prompt/index.ts';\nexport const scan = 1;\nexport type Scan = Prompt;\n",
      'router/prompt/index.ts': 'export type Prompt = string;\n',
    },
    'router/json/scan.ts:1: router/json is below router/prompt and may not import it',
  ],
  [
    'an import of a room that serving must not load',
    {
      'router/train/index.ts': 'export const train = 1;\n',
      'router/server/index.ts': "export { train } from '../train/index.ts';\n",
    },
    'router/server/index.ts:1: imports router/train; what serves never loads training code',
  ],
  [
    'a circle of two files in one room',
    {
      'router/json/scan.ts': "import { place } from './place.ts';\nexport const scan = place;\n",
      'router/json/place.ts':
        "import type { scan } from './scan.ts';\nexport const place = 1;\nexport type Scan = typeof scan;\n",
    },
    'import one another in a circle: router/json/place.ts, router/json/scan.ts',
  ],
  [
    'a package outside its room',
    { 'router/catalog/index.ts': "import express from 'express';\nexport const catalog = express;\n" },
    'router/catalog/index.ts:1: only router/server imports express',
  ],
  [
    'a file in no room',
    { 'router/misc/thing.ts': "import { scan } from '../json/index.ts';\nexport const thing = scan;\n" },
    'router/misc/thing.ts: belongs to no room; add it to ROOMS in scripts/check-structure.ts',
  ],
])('finds %s', (_, files, fault) => {
  expect(structureFaults(checkout({ ...SOUND, ...files }))).toEqual([fault]);
});

it('ends with an error for a fault, and says where', () => {
  const root = checkout({ ...SOUND, 'router/catalog/index.ts': "export { scan } from '../json/scan.ts';\n" });
  const run = () =>
    execFileSync(process.execPath, ['--import', 'tsx', SCRIPT, '--root', root], { stdio: 'pipe' });
  expect(run).toThrow(/router\/catalog\/index\.ts:1: goes past the door/);
});
