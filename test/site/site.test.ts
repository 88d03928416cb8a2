import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSite, type SiteOptions } from '../../scripts/site/index.ts';

const out = mkdtempSync(path.join(tmpdir(), 'plimsoll-site-'));
const openApi = JSON.parse(
  readFileSync('test/fixtures/pins/openapi-gateway.json', 'utf8'),
) as SiteOptions['openApi'];
let pages: readonly string[] = [];

beforeAll(async () => {
  await buildSite({ out, openApi });
  pages = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.html') && !/^repository.*(?<!index)\.html$/.test(name),
  );
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

const read = (page: string) => readFileSync(path.join(out, page), 'utf8');
const anchors = new Map<string, ReadonlySet<string>>();
function anchorsOf(page: string): ReadonlySet<string> {
  const known = anchors.get(page) ?? new Set(attributes(read(page), 'id'));
  anchors.set(page, known);
  return known;
}
const attributes = (text: string, name: string) =>
  Array.from(text.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g')), ([, value = '']) =>
    value.replaceAll('&amp;', '&'),
  );

/** What is wrong with a link; undefined if it leads to a file and an anchor of the site, or to another site. */
function faultOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return undefined;
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? page : path.join(path.dirname(page), decodeURIComponent(file));
  if (!existsSync(path.join(out, to))) return `${page} -> ${target}: there is no ${to}`;
  if (anchor === undefined || anchorsOf(to).has(decodeURIComponent(anchor))) return undefined;
  return `${page} -> ${target}: ${to} has no such anchor`;
}

test('every link of every page leads to a page, an anchor or a file of the site', () => {
  expect(pages.length).toBeGreaterThan(100);
  const faults = pages.flatMap((page) => {
    const text = read(page);
    return [...attributes(text, 'href'), ...attributes(text, 'src')].flatMap(
      (target) => faultOf(page, target) ?? [],
    );
  });
  expect(faults).toEqual([]);
});

test('a page has one main heading, unique anchors and its place in the navigation', () => {
  for (const page of pages) {
    const text = read(page);
    expect(text.match(/<h1/g), page).toHaveLength(1);
    expect(text, page).not.toMatch(/<th[^>]*><\/th>/);
    const ids = attributes(text, 'id');
    expect(new Set(ids).size, page).toBe(ids.length);
  }
  expect(read('TRUST.html')).toContain('<a href="TRUST.html" aria-current="page">');
  expect(read('reference/api.html')).toContain('<a href="../QUICK-START.html">Quick start</a>');
});

test('braces of examples stay as they are written', () => {
  expect(read('index.html')).toContain('&quot;id&quot;: &quot;dec_');
  expect(readdirSync(path.join(out, 'repository')).length).toBeGreaterThan(3);
});

test('the references have every route and every field', () => {
  const api = read('reference/api.html');
  for (const [route, operations] of Object.entries(openApi.paths))
    for (const method of Object.keys(operations)) expect(api).toContain(`${method.toUpperCase()} ${route}<`);
  const schema = JSON.parse(readFileSync('plimsoll.config.schema.json', 'utf8')) as {
    properties: Record<string, { properties?: object }>;
  };
  const fields = read('reference/configuration.html');
  for (const [name, { properties = {} }] of Object.entries(schema.properties)) {
    expect(fields).toContain(`<code>${name}</code>`);
    for (const inner of Object.keys(properties)) expect(fields).toContain(`<code>${name}.${inner}</code>`);
  }
});

test('a folder with something else in it is left alone', async () => {
  const other = mkdtempSync(path.join(tmpdir(), 'plimsoll-site-'));
  writeFileSync(path.join(other, 'mine.txt'), 'mine');
  await expect(buildSite({ out: other, openApi })).rejects.toThrow(/something else than a site in it/);
  expect(readFileSync(path.join(other, 'mine.txt'), 'utf8')).toBe('mine');
  rmSync(other, { recursive: true });
});
