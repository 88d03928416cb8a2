import { type Html, html, type Part } from '../markup.ts';
import { replyName } from './case-view.ts';
import { GRADES } from './grades.ts';

type Rows = readonly (readonly [what: string, keys: Part])[];

const SAVING: Rows = [
  ['Save and go on', html`<kbd>Enter</kbd>`],
  ['Write a note; leave it again', html`<kbd>N</kbd> <kbd>Esc</kbd>`],
  ['Unfold the request, or fold it', html`<kbd>R</kbd>`],
];
const OF_A_QUEUE: Rows = [
  ['Put the case off: it comes again at the end', html`<kbd>S</kbd>`],
  ['Take the last answer back', html`<kbd>U</kbd>`],
  ['The case before, the case after', html`<kbd>B</kbd> <kbd>F</kbd>`],
];

/** Shown by the script alone: without it there are no keys. */
export function helpButton(): Html {
  return html`<button type="button" class="quiet" data-help data-key="?" aria-haspopup="dialog" hidden>Keys<kbd aria-hidden="true">?</kbd></button>`;
}

/** The keys, and the switch that turns them off: speech input and screen readers have uses of their own for single letters (WCAG 2.2, 2.1.4). */
export function helpDialog(replies: number, isReviewer: boolean): Html {
  const rows: Rows = [
    ...Array.from({ length: replies }, (_, at): [string, Part] => {
      const keys = GRADES.map((_, place) => html` <kbd>${at * GRADES.length + place + 1}</kbd>`);
      return [`${replyName(at)}: good enough, not good enough, cannot tell`, keys];
    }),
    ...(replies > 0 ? SAVING : []),
    ...(isReviewer ? OF_A_QUEUE : [['Back to the summary', html`<kbd>B</kbd>`] as const]),
    ['This list', html`<kbd>?</kbd>`],
  ];
  return html`<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2>
<dl class="keys">${rows.map(([what, keys]) => html`<div><dt>${what}</dt><dd>${keys}</dd></div>`)}</dl>
<p><label class="switch"><input type="checkbox" data-keys-on checked> Single keys are on</label></p>
<p class="muted">Everything also works with Tab, the arrow keys and the mouse.</p>
<form method="dialog"><button class="primary" type="submit">Close</button></form></dialog>`;
}
