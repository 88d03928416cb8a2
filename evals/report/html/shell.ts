import { reportStyle } from '../../../router/verdict-report/index.ts';
import { escapeHtml } from './markup.ts';

/** A page that needs no network and no script. @param title plain text @param body of `main`, already escaped */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}${reportStyle()}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`;
}

/** For light and dark schemes, print and phones; loads no font. */
const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1b1d20; --muted: #5a6068; --rule: #dcdddd; --soft: #f2f2ee;
  --accent: #0b5c9e; --pass: #17663a; --fail: #a31919; --inconclusive: #7a4e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --ink: #e7e8ea; --muted: #a5abb3; --rule: #363a40; --soft: #1e2125;
    --accent: #74b4f2; --pass: #74d19b; --fail: #ff948c; --inconclusive: #e9be58;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums lining-nums; overflow-wrap: anywhere;
}
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
h1 { font-size: clamp(2rem, 8vw, 2.75rem); line-height: 1.1; letter-spacing: -.015em; margin: 0 0 .75rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 3.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; max-width: 42rem; }
.muted, figcaption, summary { color: var(--muted); }
.eyebrow { color: var(--muted); font-size: .875rem; margin: 0 0 .5rem; }
.verdict { white-space: nowrap; font-weight: 600; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .inconclusive { color: var(--inconclusive); }
.loud { border: 2px solid var(--fail); border-radius: 6px; padding: .75rem 1rem; margin: 1.5rem 0; }
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1.25rem; margin: 2rem 0 0; padding: 1.25rem 0; border-block: 1px solid var(--rule); }
.key dt { color: var(--muted); font-size: .875rem; }
.key dd { margin: 0; font-size: 1.5rem; line-height: 1.3; }
.key small { display: block; color: var(--muted); font-size: .8125rem; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .5rem 0; }
th, td { padding: .4rem .75rem .4rem 0; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 7rem; max-width: 16rem; overflow-wrap: break-word; }
th:last-child, td:last-child { padding-right: 0; }
table:has(td:nth-child(2) .verdict) :is(th, td):nth-child(2) { text-align: left; }
thead th { color: var(--muted); font-weight: 500; font-size: .8125rem; }
tbody th { font-weight: 500; }
th.prompt { text-align: left; }
td.prompt { white-space: pre-wrap; text-align: left; min-width: 18rem; max-width: 26rem; }
td.prompt div { max-height: 9.5em; overflow: auto; }
figure { margin: 2rem 0; }
figcaption { font-size: .9rem; max-width: 42rem; margin-bottom: .75rem; }
figcaption strong { color: var(--ink); }
figure svg { display: block; min-width: 31rem; width: 100%; height: auto; --plot-background: var(--paper); }
.heads { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 0 2rem; }
.heads figure { min-width: 0; margin: 1rem 0; }
.heads figure svg { min-width: 0; max-width: 24rem; }
details { font-size: .9rem; margin-top: .5rem; }
summary { cursor: pointer; width: fit-content; }
code { font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.hashes { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .35rem 1.25rem; font-size: .9rem; margin: 1rem 0; }
.hashes dt { color: var(--muted); } .hashes dd { margin: 0; min-width: 0; }
@media (max-width: 34rem) { main { padding-top: 1.75rem; } .hashes { grid-template-columns: 1fr; gap: 0; } .hashes dd { margin-bottom: .6rem; } }
@media print {
  :root { --paper: #fff; --ink: #000; --muted: #444; --rule: #bbb; --accent: #0b5c9e; --pass: #17663a; --fail: #a31919; --inconclusive: #7a4e00; color-scheme: light; }
  main { max-width: none; padding: 0; }
  figure, table, .loud { break-inside: avoid; } h2 { break-after: avoid; }
  .scroll, td.prompt div { overflow: visible; max-height: none; } figure svg { min-width: 0; }
}
`;
