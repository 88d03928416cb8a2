import type { LimitStanding } from '../access/index.ts';
import { NANO } from '../catalog/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { standingsOf } from './attention.ts';
import { splitLine } from './charts.ts';
import { count, DASH, percent, relative, time, usd } from './format.ts';
import type { PageContext } from './page.ts';
import { table, unseenHeading } from './table.ts';

/** What of each limit is settled, reserved and left. */
export async function budgetsPage({ parts, nowMs }: PageContext): Promise<Html> {
  const heading = html`<div class="heading"><h1>Budgets</h1></div>`;
  if (parts.config().limits.length === 0) {
    return html`${heading}<section class="panel"><p>Nothing is limited. <code>limits</code> in the configuration says how many requests, tokens and dollars a key, a team, a model or all together may use:</p>
<div class="code"><pre tabindex="0"><code>limits:
  - for: { key: "*" }
    windows: [{ 1m: 600 requests }, { 24h: 20 usd }]</code></pre></div></section>`;
  }
  const standings = await standingsOf(parts, nowMs);
  return html`${heading}
<p class="lead">What a request may come to at most is reserved before it is sent, and replaced by what it came to. So no window is passed.</p>
<div class="panel flush">${standingsTable('Limits', standings, nowMs)}</div>`;
}

/** The windows of limits, the fullest first. */
export function standingsTable(name: string, standings: readonly LimitStanding[], nowMs: number): Html {
  const fullestFirst = [...standings].sort((a, b) => shareOf(b) - shareOf(a));
  return table(
    name,
    ['For', 'Window', 'Used', unseenHeading('Drawn'), 'Settled', 'Reserved', 'Left', 'Limit', 'Begins anew'],
    fullestFirst.map((one) => row(one, nowMs)),
  );
}

function shareOf({ cap, settled, reserved }: LimitStanding): number {
  return cap === undefined || cap === 0 ? 0 : (settled + reserved) / cap;
}

function row(standing: LimitStanding, nowMs: number): Part[] {
  const { scope, window, cap, settled, reserved, endMs } = standing;
  const share = shareOf(standing);
  const amount = (value: number | undefined) =>
    value === undefined ? DASH : window.endsWith(' usd') ? usd(value / NANO) : count(value);
  const used = percent(share, 0);
  return [
    scope === 'all' ? 'all requests' : scope,
    window,
    share >= 0.8 ? html`<strong>${used}</strong>` : used,
    html`<span class="gauge">${splitLine(`${used} used`, share)}</span>`,
    amount(settled),
    amount(reserved),
    amount(cap === undefined ? undefined : Math.max(0, cap - settled - reserved)),
    amount(cap),
    html`<time datetime="${new Date(endMs).toISOString()}" title="${time(endMs)}">${relative(endMs, nowMs)}</time>`,
  ];
}
