import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(path.join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');
const TREE = /```text\n(.*?)```/s.exec(PAGE)?.[1] ?? '';
const WALKS = PAGE.split(/^## /m).filter((section) => section.startsWith('One '));

function foldersOf(room: string): string[] {
  return readdirSync(path.join(ROOT, room), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

describe('docs/ARCHITECTURE.md', () => {
  it.each(['router', 'evals'])('names every room of %s', (part) => {
    const [, rooms = ''] = new RegExp(`^${part}/(.*?)^(?=\\S)`, 'ms').exec(TREE) ?? [];
    const named = Array.from(rooms.matchAll(/([a-z-]+)\/(?=\s)/g), ([, name]) => name);
    expect(foldersOf(part).filter((folder) => !named.includes(folder))).toEqual([]);
  });

  it('names files that exist', () => {
    const files = new Set(Array.from(PAGE.matchAll(/[\w/-]+\.ts\b/g), ([file]) => file));
    expect(files.size).toBeGreaterThan(30);
    const places = ['', 'router', 'evals/gate'];
    const missing = [...files].filter((file) => !places.some((at) => existsSync(path.join(ROOT, at, file))));
    expect(missing).toEqual([]);
  });

  it('has the rooms on one screen, and four walks of ten steps at most', () => {
    expect(TREE.split('\n').length).toBeLessThanOrEqual(60);
    expect(WALKS.length).toBe(4);
    for (const walk of WALKS) expect(walk.match(/^\d+\. /gm)?.length).toBeLessThanOrEqual(10);
  });
});
