import { type Html, html } from '../markup.ts';
import { decisionPage } from './decision-page.ts';
import { COLUMNS, filterFrom, type LiveFilter, type LiveRow, liveRow, passes } from './live-rows.ts';
import type { PageContext } from './page.ts';
import { REASONS } from './reasons.ts';

/** Rows that are shown at once. */
const MAX_ROWS = 100;
const VERDICTS = ['PASS', 'expired', 'stale', 'contradicted', 'none'];

/** The last requests, and further ones as they come; or one of them, by its id. */
export async function livePage(context: PageContext): Promise<Html | undefined> {
  const { parts, query, steps } = context;
  const [id] = steps;
  if (id !== undefined) return decisionPage(context, id);
  const { gateway } = parts;
  if (gateway === undefined) {
    return html`<h1>Live</h1><p class="lead">This server calls no models, since it has no providers. What it decides is in the response of <code>/v1/route</code>, and counted in <code>/metrics</code>.</p>`;
  }
  const filter = filterFrom(query);
  const rows = gateway.activity
    .recent()
    .filter((facts) => passes(facts, filter))
    .slice(-MAX_ROWS)
    .reverse();
  return html`<div class="heading"><h1>Live</h1><p class="live-state"><span data-live-state role="status">The last requests of this server, without their words.</span> <button type="button" data-live-pause hidden>Pause</button></p></div>
${filterForm(context, filter)}
<div class="panel flush"><div class="scroll" role="region" tabindex="0" aria-label="Table: requests"><table class="live" data-live="${eventsUrl(query)}" data-live-most="${MAX_ROWS}">
<thead><tr>${COLUMNS.map(([, name]) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((facts) => rowHtml(liveRow(facts)))}</tbody></table></div>
<p class="empty muted"${rows.length > 0 && html` hidden`} data-live-empty>Nothing yet that fits.</p></div>`;
}

function eventsUrl(query: URLSearchParams): string {
  const text = query.toString();
  return `/dashboard/live-events${text === '' ? '' : `?${text}`}`;
}

function rowHtml(row: LiveRow): Html {
  return html`<tr>${COLUMNS.map(([field]) =>
    field === 'time'
      ? html`<th scope="row"><a href="/dashboard/live/${row.id}">${row.time}</a></th>`
      : html`<td>${row[field]}</td>`,
  )}</tr>`;
}

function filterForm({ parts }: PageContext, filter: LiveFilter): Html {
  const { gateway, router } = parts;
  const models = [
    ...new Set(router.ladder.map(({ model }) => model).concat(served(gateway!.activity.recent()))),
  ];
  const profiles = router.profiles.size === 0 ? [] : ['default', ...router.profiles.keys()];
  const { session } = filter;
  return html`<form method="get" action="/dashboard/live" class="filters">
${select('model', 'Model', models.sort(), filter.model)}
${profiles.length > 0 && select('profile', 'Profile', profiles, filter.profile)}
${select('reason', 'Why', REASONS, filter.reason)}
${select('verdict', 'Verdict', VERDICTS, filter.verdict)}
${session !== undefined && html`<input type="hidden" name="session" value="${session}"><p>One session only</p>`}
<button>Show</button> <a class="button quiet" href="/dashboard/live">All</a>
</form>`;
}

function served(
  recent: ReturnType<NonNullable<PageContext['parts']['gateway']>['activity']['recent']>,
): string[] {
  return recent.flatMap(({ served: model }) => model?.name ?? []);
}

function select(name: string, label: string, values: readonly string[], chosen: string | undefined): Html {
  const known = chosen === undefined || values.includes(chosen) ? values : [...values, chosen];
  return html`<label>${label} <select name="${name}"><option value="">all</option>${known.map(
    (value) => html`<option${value === chosen && html` selected`}>${value}</option>`,
  )}</select></label>`;
}
