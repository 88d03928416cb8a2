import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eleventy } from '@11ty/eleventy';
import { PlimsollError } from '../../router/errors.ts';
import { html } from '../../router/markup.ts';
import { ICON_FILE, layout, STYLE_FILE } from './layout.ts';
import { linkMap, rewritePages } from './links.ts';
import { API_REFERENCE, CONFIGURATION_REFERENCE, copyPath, pageSources, sitePath } from './pages.ts';
import { apiReference, configurationReference, type OpenApi } from './reference.ts';
import type { Schema } from './schema-table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIG_SCHEMA = 'plimsoll.config.schema.json';

/** What a folder of the site has in it, so that it is known again. */
const MARKER = '.plimsoll-site';

export interface SiteOptions {
  /** Made if it is not there; a site that is there is replaced. */
  readonly out: string;
  /** What a gateway serves at /openapi.json. */
  readonly openApi: OpenApi;
}

interface PageData {
  readonly source: string;
  readonly title: string;
  readonly content: string;
}

/**
 * Writes the documentation as static pages: all Markdown of the repository, and two references that are made from the code.
 * @returns the number of pages
 * @throws PlimsollError `io` if `out` is a folder with something else in it, or if a page links to what is not there
 */
export async function buildSite({ out, openApi }: SiteOptions): Promise<number> {
  makeEmpty(out);
  const sources = pageSources(ROOT);
  const references = new Map([
    [API_REFERENCE, { title: 'HTTP API', text: apiReference(openApi) }],
    [
      CONFIGURATION_REFERENCE,
      { title: 'Configuration fields', text: configurationReference(configSchema()) },
    ],
  ]);
  const pages = new Set([...sources, ...references.keys()]);
  const links = linkMap(ROOT, pages);
  const site = new Eleventy('scripts/site', out, {
    quietMode: true,
    configPath: false,
    config: (config) => {
      config.setTemplateFormats(['md', '11ty.js']);
      config.amendLibrary('md', (markdown) => rewritePages(markdown, links));
      config.addGlobalData('layout', 'page.11ty.js');
      config.addTemplate<PageData>('_includes/page.11ty.js', ({ source, title, content }) =>
        layout({ title, at: sitePath(source), content }),
      );
      for (const source of sources) {
        const text = readFileSync(path.join(ROOT, source), 'utf8');
        const data = { source, title: titleOf(text), permalink: sitePath(source) };
        config.addTemplate(`pages/${source}`, text, data);
      }
      for (const [source, { title, text }] of references) {
        const data = { source, title, permalink: sitePath(source) };
        config.addTemplate(`pages/${source.replace(/\.md$/, '.11ty.js')}`, () => text, data);
      }
      return { markdownTemplateEngine: false };
    },
  });
  for (const { outputPath, content } of await site.toJSON()) {
    mkdirSync(path.dirname(outputPath), { recursive: true });
    writeFileSync(outputPath, content);
  }
  copyFileSync(new URL(`./${STYLE_FILE}`, import.meta.url), path.join(out, STYLE_FILE));
  copyFileSync(path.join(ROOT, 'router/dashboard/browser', ICON_FILE), path.join(out, ICON_FILE));
  for (const place of [...links.linked, CONFIG_SCHEMA]) copyLinked(place, out, pages);
  return sources.length + references.size;
}

function makeEmpty(out: string): void {
  const marker = path.join(out, MARKER);
  if (existsSync(out) && !existsSync(marker) && readdirSync(out).length > 0)
    throw new PlimsollError(
      'io',
      `${out} has something else than a site in it. Name another folder, or empty it.`,
    );
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  writeFileSync(marker, '');
}

function configSchema(): Schema {
  return JSON.parse(readFileSync(path.join(ROOT, CONFIG_SCHEMA), 'utf8')) as Schema;
}

/** The first heading. */
function titleOf(text: string): string {
  return /^# +(.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? 'Plimsoll';
}

/** A file as it is; a folder with a page that lists what is in it. */
function copyLinked(place: string, out: string, pages: ReadonlySet<string>): void {
  const from = path.join(ROOT, place);
  const to = path.join(out, copyPath(place));
  cpSync(from, to, { recursive: true, filter: (file) => !file.includes('node_modules') });
  if (!statSync(from).isDirectory()) return;
  const files = readdirSync(to, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(path.join(to, file)).isFile())
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
  const at = `${copyPath(place)}/index.html`;
  const folder = path.posix.dirname(at);
  const addressOf = (source: string) =>
    path.posix.relative(folder, pages.has(source) ? sitePath(source) : copyPath(source));
  const list = html`<h1>${place}</h1>
<ul>
${files.map((file) => html`<li><a href="${addressOf(`${place}/${file}`)}">${file}</a></li>\n`)}</ul>`;
  writeFileSync(path.join(out, at), layout({ title: place, at, content: list.text }));
}
