import { type Html, html, type Part } from '../../router/markup.ts';

export interface LayoutOptions {
  /** Without the name of the program. */
  readonly title: string;
  /** Who is signed in; left out if nobody is. */
  readonly who?: string;
  /** What stands in the middle of the top line. */
  readonly top?: Part;
  readonly main: Part;
  /** Where the link for keyboards leads that skips the top line; default: the main part. */
  readonly skipTo?: { readonly id: string; readonly name: string };
  /** After the main part: dialogs, and forms that buttons refer to. */
  readonly after?: Part;
  /** Loads a page at once, by the browser itself. */
  readonly forwardTo?: string;
}

/** A whole page. Its style and its script are files of their own, which is all that its security policy allows. */
export function layout(options: LayoutOptions): string {
  const { title, who, top, main, after, forwardTo, skipTo = { id: 'main', name: 'the page' } } = options;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Plimsoll review</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/review.css">
<link rel="stylesheet" href="/grading.css">
${forwardTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${forwardTo}">`}
<script type="module" src="/grading.js"></script>
</head>
<body>
<a class="jump" href="#${skipTo.id}">Skip to ${skipTo.name}</a>
<header class="top">
<p class="brand"><img src="/icon.svg" alt="" width="28" height="28"><span>Review</span></p>
<div class="middle">${top}</div>
${who !== undefined && html`<p class="who">${who}</p>`}
</header>
<main id="main" tabindex="-1">${main}</main>
${after}
</body>
</html>
`.text;
}

/** A short message above the content. Screen readers say it at once. */
export function notice(text: string | undefined, kind: 'note' | 'fault' = 'note'): Html | undefined {
  if (text === undefined) return undefined;
  return html`<p class="notice ${kind}" role="${kind === 'fault' ? 'alert' : 'status'}">${text}</p>`;
}

/** A page that says one thing, such as an error. */
export function messagePage(title: string, lines: readonly Part[], who?: string): string {
  return layout({
    title,
    ...(who !== undefined && { who }),
    main: html`<div class="message"><h1>${title}</h1>${lines.map((line) => html`<p>${line}</p>`)}</div>`,
  });
}
