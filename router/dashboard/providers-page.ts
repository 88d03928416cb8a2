import type { Gateway } from '../gateway/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { standingsOf } from './attention.ts';
import { standingsTable } from './budgets-page.ts';
import { count, DASH, duration, usd } from './format.ts';
import { homeFigures, PERIODS } from './home-figures.ts';
import type { PageContext } from './page.ts';
import { table } from './table.ts';

/** Who replies: whether models can be called, how soon they reply, and how much they replied. */
export async function providersPage({ parts, nowMs }: PageContext): Promise<Html> {
  const { gateway, router } = parts;
  const heading = html`<div class="heading"><h1>Providers</h1></div>`;
  if (gateway === undefined) {
    return html`${heading}<section class="panel"><p>This server decides and calls no model: it has no providers.</p></section>`;
  }
  const { troubles, instances } = gateway.health();
  const figures = await homeFigures(gateway.activity, PERIODS[1], nowMs);
  const replies = new Map(figures.models.map((one) => [one.model, one]));
  const ladders = [router.ladder, ...[...router.profiles.values()].map(({ rungs }) => rungs)];
  const names = new Set([
    ...ladders.flatMap((rungs) => rungs.map(({ model }) => model)),
    ...replies.keys(),
    ...gateway.breakerStates().keys(),
  ]);
  const rows = [...names].sort().map((name) => modelRow(name, names, gateway, replies.get(name)));
  return html`${heading}
${troubles.length > 0 && html`<section class="panel"><h2>What is wrong</h2><ul class="notices">${troubles.map((text) => html`<li class="fault"><span class="sign" aria-hidden="true">!</span><div>${text}</div></li>`)}</ul></section>`}
<div class="panel flush">${table(
    'Models',
    ['Model', 'State', 'First token, p50', 'p95', 'Whole reply, p50', 'p95', 'Replies in 7 days', 'Paid'],
    rows,
  )}</div>
<p class="muted">Times are those of the last minutes at this server: half of the weight of a measurement is gone after ten. A model whose circuit breaker is open is not called until it may have recovered. Replies and costs of a model with several deployments are in its own row.</p>
${await quotasHtml(parts, nowMs)}
${
  instances !== undefined &&
  html`<section class="panel"><h2>Instances</h2>${table(
    'Instances',
    ['Instance', 'Version', 'Artifact', 'Configuration'],
    instances.map((one) => [one.host, one.version, one.artifact.slice(0, 12), one.config.slice(0, 12)]),
  )}</section>`
}`;
}

/** The limits of providers, models and deployments: the quotas that somebody has there. */
async function quotasHtml(parts: PageContext['parts'], nowMs: number): Promise<Html> {
  const heading = html`<h2 id="quotas">Quotas</h2>`;
  const standings = (await standingsOf(parts, nowMs)).filter(({ scope }) => isQuota(scope));
  if (standings.length > 0) {
    return html`<section class="panel" aria-labelledby="quotas">${heading}${standingsTable('Quotas', standings, nowMs)}
<p class="muted">The limits of the configuration for providers, models and deployments; those of keys and teams are on the page <a href="/dashboard/budgets">Budgets</a>.</p></section>`;
  }
  return html`<section class="panel" aria-labelledby="quotas">${heading}<p>None is known, or none has been used yet. What a provider lets you use is a limit of the configuration; no request is sent there beyond it:</p>
<div class="code"><pre tabindex="0"><code>limits:
  - for: { provider: openai }
    windows: [{ 1m: 500 requests }, { 1m: 200000 tokens }]</code></pre></div></section>`;
}

/** @param scope such as `provider=openai`; one of a key, too, is a budget of that key */
function isQuota(scope: string): boolean {
  return scope.split(' ').every((part) => /^(?:provider|model|deployment)=/.test(part));
}

/** The names of a model's deployments: each begins with the model's (`placeName`). */
function placesOf(model: string, names: ReadonlySet<string>): string[] {
  return [...names].filter((one) => one.startsWith(`${model} `));
}

function isPlace(name: string, names: ReadonlySet<string>): boolean {
  const end = name.indexOf(' ');
  return end > 0 && names.has(name.slice(0, end));
}

type State = 'closed' | 'open' | 'half-open';

/** A model with deployments replies if one of them does; it has no circuit breaker of its own. */
export function stateOf(
  model: string,
  names: ReadonlySet<string>,
  states: ReadonlyMap<string, State>,
): State | undefined {
  const found = placesOf(model, names).flatMap((place) => states.get(place) ?? []);
  return states.get(model) ?? (['closed', 'half-open', 'open'] as const).find((one) => found.includes(one));
}

function modelRow(
  model: string,
  names: ReadonlySet<string>,
  gateway: Gateway,
  replied: { readonly replies: number; readonly spent: number } | undefined,
): Part[] {
  const { firstToken, wholeReply } = gateway.latency.measured(model);
  return [
    model,
    stateHtml(stateOf(model, names, gateway.breakerStates())),
    duration(firstToken?.p50),
    duration(firstToken?.p95),
    duration(wholeReply?.p50),
    duration(wholeReply?.p95),
    // Replies are counted by model, not by deployment.
    isPlace(model, names) ? DASH : count(replied?.replies ?? 0),
    isPlace(model, names) ? DASH : usd(replied?.spent ?? 0),
  ];
}

function stateHtml(state: State | undefined): Part {
  if (state === undefined) return html`<span class="muted">${DASH} not called yet</span>`;
  if (state === 'closed')
    return html`<span class="good nowrap"><span class="sign" aria-hidden="true">✓</span> replies</span>`;
  if (state === 'open')
    return html`<span class="fault nowrap"><span class="sign" aria-hidden="true">!</span> fails, not called</span>`;
  return html`<span class="warning nowrap"><span class="sign" aria-hidden="true">▲</span> is tried again</span>`;
}
