import { type Html, html, type Part } from '../markup.ts';
import { CHANGES, type Change, changeFrom } from '../records/index.ts';
import { time } from './format.ts';
import type { PageContext } from './page.ts';
import { mayDo } from './sessions.ts';
import { table } from './table.ts';

/** Records that are looked at for one page. */
const MOST = 500;

/** Who changed what on the dashboard, the newest first. */
export async function changesPage({ parts, visitor }: PageContext): Promise<Html> {
  const heading = html`<div class="heading"><h1>Changes</h1></div>`;
  const log = parts.gateway?.state?.log;
  if (log === undefined) {
    return html`${heading}<section class="panel"><p>Changes are in the log of the process alone, since this server keeps no state. With <code>state</code> in the configuration they are kept, and are here.</p></section>`;
  }
  const stored = await log.newest(CHANGES, MOST);
  // What only another role may change, such as keys, may name what this one may not see.
  const changes = stored
    .flatMap((record) => changeFrom(record) ?? [])
    .filter(({ role }) => mayDo(visitor, role));
  return html`${heading}
<p class="lead">What was changed on these pages and by whom, as far as your role may change it: the newest first, of the last ${MOST} changes. What is changed by a command or in a file is not here; what a reload changed is on the page <a href="/dashboard/configuration">Configuration</a>. All of them: <code>plimsoll state export --stream changes</code>.</p>
<div class="panel flush">${table('Changes', ['When', 'Who', 'What', 'Of', 'Outcome', 'Said'], changes.map(row))}</div>`;
}

function row({ timeMs, who, change, subject, outcome, text }: Change): Part[] {
  return [
    time(timeMs),
    who,
    change,
    subject !== undefined && html`<code class="wraps">${subject}</code>`,
    outcome,
    html`<span class="wraps">${text}</span>`,
  ];
}
