import { type Html, html, type Part } from '../markup.ts';
import { VERSION } from '../package.ts';
import { PAGES } from './pages.ts';
import { mayUse, type Outcome, type Visitor } from './sessions.ts';
import { fileUrl } from './static-files.ts';

/** Light, dark, or as the browser wishes. */
export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** What all pages of a visit have in common. */
export interface Look {
  readonly theme: Theme | undefined;
  /** A sentence above every page. */
  readonly banner: string | undefined;
}

export interface PageOptions {
  /** Without the name of the program. */
  readonly title: string;
  /** The page that it is, or belongs to. */
  readonly at?: string;
  /** The outcome of the last change. */
  readonly outcome?: Outcome | undefined;
  /** Left out for visitors who are not signed in. */
  readonly visitor?: Visitor | undefined;
  readonly look: Look;
  readonly main: Part;
  /** Loads a page at once, by the browser itself. */
  readonly forwardTo?: string;
  /** A style besides that of every page. */
  readonly style?: Parameters<typeof fileUrl>[0];
  /** A module besides that of every page. */
  readonly script?: Parameters<typeof fileUrl>[0];
}

/** A whole page. Its style and its scripts are files of their own, which is all that its security policy allows. */
export function layout(options: PageOptions): string {
  const { title, at, visitor, look, main, outcome, forwardTo, script, style } = options;
  const { theme, banner } = look;
  return html`<!doctype html>
<html lang="en"${theme && html` data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · Plimsoll</title>
<link rel="icon" href="${fileUrl('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${fileUrl('dashboard.css')}">
${style && html`<link rel="stylesheet" href="${fileUrl(style)}">`}
${forwardTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${forwardTo}">`}
<script type="module" src="${fileUrl('dashboard.js')}"></script>
${script && html`<script type="module" src="${fileUrl(script)}"></script>`}
</head>
<body>
<a class="jump" href="#main">Skip to the page</a>
${banner !== undefined && html`<aside class="banner" aria-label="About this server">${banner}</aside>`}
<header class="top">
<a class="brand" href="/dashboard"><img src="${fileUrl('icon.svg')}" alt="" width="30" height="30"><span>Plimsoll</span></a>
${visitor && navigation(visitor, at)}
<div class="tools">
<button type="button" class="quiet" data-theme-switch hidden>Dark</button>
${visitor && whoHtml(visitor)}
</div>
</header>
<main id="main" tabindex="-1">${outcome?.isQuiet !== true && outcome && outcomeHtml(outcome)}${main}</main>
<footer class="foot"><p>Plimsoll ${VERSION} · times in UTC · <a href="/openapi.json">The API</a></p></footer>
</body>
</html>
`.text;
}

function navigation(visitor: Visitor, at: string | undefined): Html {
  const pages = PAGES.filter((page) => mayUse(visitor, page));
  return html`<nav class="pages" aria-label="Pages"><ul>${pages.map(
    ({ path, name }) =>
      html`<li><a href="${pageUrl(path)}"${path === at && html` aria-current="page"`}>${name}</a></li>`,
  )}</ul></nav>`;
}

/** @param path of a page; that of Home is empty */
export function pageUrl(path: string): string {
  return path === '' ? '/dashboard' : `/dashboard/${path}`;
}

function outcomeHtml({ kind, text, secret }: Outcome): Html {
  return html`${notice(text, kind)}${secret !== undefined && html`<div class="code"><pre tabindex="0"><code>${secret}</code></pre><button type="button" class="quiet" data-copy hidden>Copy</button></div>`}`;
}

function whoHtml({ role, name, formToken, isAnybody }: Visitor): Html {
  if (formToken === undefined || isAnybody) return html`<p class="who">anybody, may ${role}</p>`;
  return html`<form method="post" action="/dashboard/sign-out" class="who"><input type="hidden" name="form" value="${formToken}"><span>${role}, ${name}</span> <button class="quiet">Sign out</button></form>`;
}

/** A short message above the content. Screen readers say it at once. */
export function notice(text: Part, kind: 'note' | 'fault' = 'note'): Html {
  return html`<p class="notice ${kind}" role="${kind === 'fault' ? 'alert' : 'status'}">${text}</p>`;
}

/** A page that says one thing, such as an error. */
export function messagePage(
  title: string,
  lines: readonly Part[],
  options: Pick<PageOptions, 'visitor' | 'look'>,
): string {
  return layout({
    ...options,
    title,
    main: html`<div class="message"><h1>${title}</h1>${lines.map((line) => html`<p>${line}</p>`)}</div>`,
  });
}
