import path from 'node:path';
import { Html, html } from '../../router/markup.ts';
import { VERSION } from '../../router/package.ts';
import { NAVIGATION, sitePath } from './pages.ts';

export const STYLE_FILE = 'site.css';
export const ICON_FILE = 'icon.svg';

/**
 * A page of the site. All its links are relative, so that the site works below any address and from a folder.
 * @param at where the page is in the site, such as `reference/api.html`
 * @param content markup
 */
export function layout({ title, at, content }: { title: string; at: string; content: string }): string {
  const to = (target: string) => path.posix.relative(path.posix.dirname(at), target);
  const navigation = NAVIGATION.map(
    (group) => html`
<h2>${group.title}</h2>
<ul>
${group.pages.map(({ title, source }) => {
  const target = sitePath(source);
  return html`<li><a href="${to(target)}"${target === at && html` aria-current="page"`}>${title}</a></li>\n`;
})}</ul>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === 'Plimsoll' ? title : `${title} · Plimsoll`}</title>
<link rel="icon" href="${to(ICON_FILE)}" type="image/svg+xml">
<link rel="stylesheet" href="${to(STYLE_FILE)}">
</head>
<body>
<header><a href="${to('index.html')}">Plimsoll</a> <span>${VERSION}</span> <a class="all" href="#pages">All pages</a></header>
<div class="columns">
<main>
${new Html(accessible(content))}
</main>
<nav id="pages" aria-label="Pages">${navigation}
</nav>
</div>
</body>
</html>
`.text;
}

/** Code and tables that are wider than the window scroll by keyboard, too; the empty corner of a table is no header. */
function accessible(content: string): string {
  return content
    .replaceAll('<pre>', '<pre tabindex="0">')
    .replaceAll('<table>', '<table tabindex="0">')
    .replaceAll(/<th\b[^>]*><\/th>/g, '<td></td>');
}
