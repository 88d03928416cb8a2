import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['docs', 'examples', 'training-data', 'models', 'evals', 'deploy'];

/** Every page that people read, relative to the root. */
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name)),
  ),
];

/** Without what stands in code. */
function prose(page: string): string {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  return text.replace(/^(`{3,}).*?^\1/gms, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));
}

/** The anchors that GitHub gives to headings: lower case, without punctuation, `-` for a space, a number at a repetition. */
function anchorsOf(page: string): Set<string> {
  const found = new Set<string>();
  const text = readFileSync(path.join(ROOT, page), 'utf8').replace(/^(`{3,}).*?^\1/gms, '');
  for (const [, heading = ''] of text.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let i = 1; found.has(unique); i++) unique = `${anchor}-${i}`;
    found.add(unique);
  }
  for (const [, id = ''] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

/** What is wrong with a link; undefined if it leads somewhere, or to another site. */
function faultOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return undefined;
  const [file = '', anchor = ''] = target.split('#');
  const to = file === '' ? page : path.join(path.dirname(page), decodeURIComponent(file));
  if (!existsSync(path.join(ROOT, to))) return `${page} -> ${target}: there is no ${to}`;
  if (anchor === '' || !to.endsWith('.md')) return undefined;
  return anchorsOf(to).has(anchor) ? undefined : `${page} -> ${target}: ${to} has no such heading`;
}

test('every link of a page to a file or a heading of the repository leads there', () => {
  expect(PAGES.length).toBeGreaterThan(50);
  const links = PAGES.flatMap((page) =>
    Array.from(prose(page).matchAll(/\]\(<?([^)>\s]+)>?(?: "[^"]*")?\)/g), ([, target = '']) => ({
      page,
      target,
    })),
  );
  expect(links.length).toBeGreaterThan(500);
  expect(links.flatMap(({ page, target }) => faultOf(page, target) ?? [])).toEqual([]);
});
