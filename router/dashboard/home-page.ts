import { type Html, html, type Part } from '../markup.ts';
import { clopperPearsonInterval } from '../statistics/index.ts';
import { confidenceWords, unbroken } from '../verdict-report/index.ts';
import { type Notice, notices } from './attention.ts';
import { type Certified, certified } from './certified.ts';
import { barChart, loadLine, splitLine } from './charts.ts';
import { firstSteps } from './first-steps.ts';
import { count, counted, DASH, day, duration, percent, relative, score, usd } from './format.ts';
import {
  type Bar,
  type HomeFigures,
  homeFigures,
  PERIODS,
  type Period,
  type Savings,
} from './home-figures.ts';
import { statistics } from './home-statistics.ts';
import { measuringPanel, onlyMeasures } from './measuring.ts';
import type { PageContext } from './page.ts';

/** What the router saves, how good it is, and what needs attention. */
export async function homePage({ parts, query, serverUrl, nowMs }: PageContext): Promise<Html> {
  const period = PERIODS.find((one) => String(one.days) === query.get('days')) ?? PERIODS[1];
  const { gateway, router, config } = parts;
  const figures = gateway && (await homeFigures(gateway.activity, period, nowMs));
  const proof = certified(router, config());
  const attention = await notices(parts, figures, nowMs);
  const isEmpty = figures === undefined || figures.requests === 0;
  // What clients asked for in their requests, or an earlier configuration did, may have been routed all the same.
  const measures = onlyMeasures(parts) && (figures === undefined || figures.keptCheap === 0);
  return html`<div class="home">
<div class="heading"><h1>${isEmpty ? 'Ready' : measures ? measuredHeadline(figures.savings, period) : headline(figures.savings, period)}</h1>${!isEmpty && periodLinks(period)}</div>
${isEmpty && (await firstSteps(parts, serverUrl))}
<div class="columns">
<div class="wide">${measures && measuringPanel(config())}${figures !== undefined && !isEmpty && (measures ? paidPanel(figures, period) : savingsPanel(figures, period))}${measures ? nothingLost() : qualityPanel(proof, nowMs)}</div>
<div class="narrow">${attentionPanel(attention, gateway !== undefined)}</div>
</div>
${figures !== undefined && !isEmpty && tiles(figures)}
${figures !== undefined && !isEmpty && statistics(figures, proof)}
${gateway !== undefined && !gateway.activity.isStored && html`<p class="muted">Counted since this server started, ${relative(gateway.activity.sinceMs, nowMs)}: it has no state. With <code>state: { kind: sqlite }</code> in the configuration the figures outlive a restart.</p>`}
</div>`;
}

function headline(savings: Savings | undefined, { name }: Period): Part {
  if (savings === undefined) return `What was routed in ${name}`;
  const saved = savings.strong - savings.paid;
  const share =
    savings.strong > 0
      ? html` <small>${percent(saved / savings.strong, 0)} of the bill, in ${name}</small>`
      : '';
  if (saved < 0) return html`${usd(-saved)} more than the strongest model <small>in ${name}</small>`;
  return html`${usd(saved)} saved${share}`;
}

/** Nothing can have been saved: everything went to the strongest model. */
function measuredHeadline(savings: Savings | undefined, { name }: Period): Part {
  if (savings === undefined) return `What was measured in ${name}`;
  return html`${usd(savings.paid)} paid <small>in ${name}; nothing is routed</small>`;
}

function periodLinks(current: Period): Html {
  return html`<nav class="periods" aria-label="Period"><ul>${PERIODS.map(
    ({ days }) =>
      html`<li><a href="/dashboard?days=${days}"${days === current.days && html` aria-current="true"`}>${days === 1 ? '24 hours' : `${days} days`}</a></li>`,
  )}</ul></nav>`;
}

function savingsPanel(figures: HomeFigures, period: Period): Html {
  const { savings, bars, requests } = figures;
  if (savings === undefined) {
    return html`<section class="panel" aria-labelledby="money"><h2 id="money">Money</h2>
<p>Nothing can be said about money yet: it takes routed requests whose models all have a price. <code>models.&lt;name&gt;.price</code> in the configuration gives one.</p>
${requestBars(bars, period)}</section>`;
  }
  const { paid, strong, random } = savings;
  const against = random - paid;
  return html`<section class="panel" aria-labelledby="money"><h2 id="money">What was paid, and what was saved</h2>
<dl class="sums">
<div><dt>Paid</dt><dd>${usd(paid)}</dd></div>
<div><dt>Always the strongest model</dt><dd>${usd(strong)} <small>estimate</small></dd></div>
<div><dt>A random choice with the same shares</dt><dd>${usd(random)} <small>estimate; ${against >= 0 ? `${usd(against)} more` : `${usd(-against)} less`} than paid</small></dd></div>
</dl>
${against < 0 && html`<p class="muted">A random choice costs less where hard requests have longer prompts or replies: it sends as many of them to the cheaper model, and loses more quality.</p>`}
${barChart(
  'Paid and saved',
  bars.map((bar) => moneyBar(bar, period)),
)}
<p class="key"><span class="swatch solid"></span> paid <span class="swatch rest"></span> saved against always the strongest model</p>
<p class="muted">Over ${counted(savings.requests, 'routed request')} whose cost is known, of ${counted(requests, 'request')} in all.</p>
</section>`;
}

/** Where everything goes to the strongest model: there is nothing to compare with. */
function paidPanel(figures: HomeFigures, period: Period): Html {
  const { savings, bars, requests } = figures;
  if (savings === undefined) return savingsPanel(figures, period);
  const drawn = bars.map((bar) => ({
    label: barLabel(bar.startMs, period),
    words: `${barName(bar.startMs, period)}: ${usd(bar.paid)} paid, ${counted(bar.requests, 'request')}`,
    solid: bar.paid,
    rest: 0,
  }));
  return html`<section class="panel" aria-labelledby="money"><h2 id="money">What was paid</h2>
${barChart('Paid', drawn)}
<p class="muted">Over ${counted(savings.requests, 'request')} whose cost is known, of ${counted(requests, 'request')} in all.</p>
</section>`;
}

function moneyBar(bar: Bar, period: Period) {
  const saved = Math.max(0, bar.strong - bar.paid);
  const words = `${barName(bar.startMs, period)}: ${usd(bar.paid)} paid, ${usd(saved)} saved, ${counted(bar.requests, 'request')}`;
  return { label: barLabel(bar.startMs, period), words, solid: bar.paid, rest: saved };
}

function requestBars(bars: readonly Bar[], period: Period): Html {
  const drawn = bars.map((bar) => ({
    label: barLabel(bar.startMs, period),
    words: `${barName(bar.startMs, period)}: ${counted(bar.requests, 'request')}`,
    solid: bar.requests,
    rest: 0,
  }));
  return html`${barChart('Requests', drawn)}<p class="key"><span class="swatch solid"></span> requests</p>`;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** Short, and only under as many bars as there is room for. */
function barLabel(startMs: number, { days }: Period): string {
  const date = new Date(startMs);
  if (days === 1)
    return date.getUTCHours() % 6 === 0 ? `${String(date.getUTCHours()).padStart(2, '0')}:00` : '';
  if (days === 7) return WEEKDAYS[date.getUTCDay()]!;
  return date.getUTCDay() === 1 ? date.toISOString().slice(5, 10) : '';
}

function barName(startMs: number, { days }: Period): string {
  const iso = new Date(startMs).toISOString();
  return days === 1 ? `${iso.slice(11, 16)} UTC` : `${WEEKDAYS[new Date(startMs).getUTCDay()]} ${day(iso)}`;
}

function nothingLost(): Html {
  return html`<section class="panel" aria-labelledby="quality"><h2 id="quality">Quality</h2>
<p>Loss is measured against always the strongest model. That is what replies now, so nothing can be lost. <a href="/dashboard/verdicts">What the gate proved of the router</a></p></section>`;
}

function qualityPanel({ standing, verdict, loss }: Certified, nowMs: number): Html {
  const heading = html`<h2 id="quality">Quality</h2>`;
  const limit = loss?.limits.max;
  const bound = loss?.bounds.upper;
  if (standing.kind === 'none' || loss === undefined || limit === undefined || typeof bound !== 'number') {
    const why =
      standing.kind === 'none' ? standing.why : 'The verdict does not say how much quality is lost.';
    return html`<section class="panel" aria-labelledby="quality">${heading}<p><strong>Not proved.</strong> ${why}</p></section>`;
  }
  const end = Math.max(limit, bound) * 1.25;
  const words = `At most ${score(bound)} of quality is lost; ${score(limit)} is allowed`;
  return html`<section class="panel" aria-labelledby="quality">${heading}
<p class="statement">${standingWords(standing.kind)} <strong>at most ${percent(bound)} of quality</strong> is lost against always the strongest model; its suite allows ${percent(limit)}.</p>
${loadLine(words, bound / end, limit / end)}
<p class="key"><span class="swatch solid"></span> lost at most, ${percent(bound, 2)} <span class="swatch limit"></span> allowed, ${percent(limit, 2)}</p>
<p class="muted">Proved on ${counted(loss.n, 'labelled case')} with ${unbroken(confidenceWords(verdict, loss))} confidence by the suite ${verdict?.suite.name ?? DASH}, ${
    'expires' in standing
      ? html`until <time datetime="${standing.expires}">${day(standing.expires)}</time> (${relative(Date.parse(standing.expires), nowMs)})`
      : ''
  }. <a href="/dashboard/verdicts">What was proved</a></p>
</section>`;
}

function standingWords(kind: Certified['standing']['kind']): string {
  if (kind === 'pass') return 'Proved:';
  if (kind === 'stale') return 'Proved, but of other models than are served:';
  if (kind === 'expired') return 'Was proved, and has expired:';
  return 'Was proved, and live requests speak against it:';
}

function attentionPanel(found: readonly Notice[], callsModels: boolean): Html {
  const heading = html`<h2 id="attention">Needs attention</h2>`;
  if (found.length === 0) {
    return html`<section class="panel calm" aria-labelledby="attention">${heading}<p><span class="sign good" aria-hidden="true">✓</span> Nothing. The proof holds${callsModels && ', providers reply, and no limit is near'}.</p></section>`;
  }
  return html`<section class="panel" aria-labelledby="attention">${heading}<ul class="notices">${found.map(noticeHtml)}</ul></section>`;
}

function noticeHtml({ kind, text, link }: Notice): Html {
  const [sign, word] = kind === 'fault' ? ['!', 'Fault'] : ['▲', 'Warning'];
  return html`<li class="${kind}"><span class="sign" aria-hidden="true">${sign}</span><div><span class="hidden">${word}: </span>${text}${link && html` <a href="${link.href}">${link.text}</a>`}</div></li>`;
}

const DELTA = 0.05;

function tiles(figures: HomeFigures): Html {
  const { keptCheap, escalated, requests, outcomes, added, total, promptCache } = figures;
  const routed = keptCheap + escalated;
  const failed = (outcomes.failed ?? 0) + figures.unanswered;
  const interval = routed === 0 ? undefined : clopperPearsonInterval(escalated, routed, DELTA);
  const refused = (outcomes.refused ?? 0) + (outcomes.limited ?? 0);
  return html`<ul class="tiles">
${tile('Requests', count(requests), `${counted(routed, 'of them was', 'of them were')} routed, the others named their model`)}
${tile(
  'Went to a stronger model',
  routed === 0 ? DASH : percent(escalated / routed),
  interval && `${percent(interval.low)} to ${percent(interval.high)} (95 % interval)`,
  routed > 0 && splitLine(`${percent(escalated / routed)} to a stronger model`, escalated / routed),
)}
${tile('Failed', count(failed), `${requests === 0 ? DASH : percent(failed / requests, 2)} of the requests; ${counted(refused, 'was', 'were')} refused`)}
${tile('Added by Plimsoll', duration(added?.p50), `half of the requests take less; 95 % less than ${duration(added?.p95)}`)}
${tile('Until the whole reply', duration(total?.p50), `half of the requests take less; 95 % less than ${duration(total?.p95)}`)}
${tile(
  'From prompt caches',
  promptCache === undefined ? DASH : percent(promptCache.cached / promptCache.tokens),
  promptCache === undefined
    ? 'no provider reported one'
    : `of ${count(promptCache.tokens)} tokens of prompts`,
)}
</ul>`;
}

function tile(name: string, value: string, more: Part, drawing?: Part): Html {
  return html`<li class="tile"><h2>${name}</h2><p class="value">${value}</p>${drawing}<p class="muted">${more}</p></li>`;
}
