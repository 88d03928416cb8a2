import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { MarkdownLibrary, MarkdownToken } from '@11ty/eleventy';
import { PlimsollError } from '../../router/errors.ts';
import { copyPath, sitePath } from './pages.ts';

/** The site's address for what a page links to; undefined if it is on another site. */
export interface LinkMap {
  addressOf(source: string, target: string): string | undefined;
  /** Files and folders that are linked and are no pages, relative to the root. */
  readonly linked: ReadonlySet<string>;
}

/** @param sources of all pages, relative to `root` */
export function linkMap(root: string, sources: ReadonlySet<string>): LinkMap {
  const linked = new Set<string>();
  return {
    linked,
    addressOf(source, target) {
      if (/^[a-z][a-z\d+.-]*:/i.test(target)) return undefined;
      const [file = '', anchor] = target.split('#');
      const place =
        file === '' ? source : path.posix.join(path.posix.dirname(source), decodeURIComponent(file));
      const address = addressOfPlace(place.replace(/\/$/, ''));
      const from = path.posix.dirname(sitePath(source));
      const relative = file === '' ? '' : path.posix.relative(from, address);
      return anchor === undefined ? relative : `${relative}#${anchor}`;
    },
  };

  function addressOfPlace(place: string): string {
    if (sources.has(place)) return sitePath(place);
    if (sources.has(`${place}/README.md`)) return sitePath(`${place}/README.md`);
    const file = path.join(root, place);
    if (!existsSync(file))
      throw new PlimsollError('not-found', `A page links to ${place}, which is not there.`);
    linked.add(place);
    return statSync(file).isDirectory() ? `${copyPath(place)}/index.html` : copyPath(place);
  }
}

/** Gives headings the anchors that GitHub gives them, and links their place in the site. */
export function rewritePages(markdown: MarkdownLibrary, links: LinkMap): void {
  markdown.core.ruler.push('plimsoll_site', ({ tokens, env }) => {
    const { source } = env as { readonly source?: string };
    if (source === undefined) return;
    const anchors = new Set<string>();
    tokens.forEach((token, at) => {
      if (token.type === 'heading_open') token.attrSet('id', unusedAnchor(tokens[at + 1], anchors));
      for (const child of token.children ?? []) rewrite(child, 'href', source, links);
      for (const child of token.children ?? []) rewrite(child, 'src', source, links);
    });
  });
}

function rewrite(token: MarkdownToken, attribute: 'href' | 'src', source: string, links: LinkMap): void {
  const target = token.attrGet(attribute);
  const address = target === null ? undefined : links.addressOf(source, target);
  if (address !== undefined) token.attrSet(attribute, address);
}

/** Lower case, without punctuation, `-` for a space, and a number at a repetition. */
function unusedAnchor(heading: MarkdownToken | undefined, used: Set<string>): string {
  const words = (heading?.children ?? []).map(({ content }) => content).join('');
  const anchor = words
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
  let unused = anchor;
  for (let i = 1; used.has(unused); i++) unused = `${anchor}-${i}`;
  used.add(unused);
  return unused;
}
