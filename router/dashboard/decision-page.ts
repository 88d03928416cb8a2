import { NANO } from '../catalog/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { type WorkRecord, workRecordFrom } from '../people/index.ts';
import { type DecisionRecord, decisionRecordSchema } from '../records/index.ts';
import { DECISIONS, PEOPLE_WORK } from '../state/index.ts';
import { spanChart } from './charts.ts';
import { count, DASH, duration, percent, score, time, usd } from './format.ts';
import { recordOf } from './live-rows.ts';
import type { PageContext } from './page.ts';
import { replayLink } from './playground-page.ts';
import { reasonSentence, verdictSentence } from './reasons.ts';
import { mayDo } from './sessions.ts';
import { facts, table } from './table.ts';

/** One request: why its model was chosen, what was tried, and what it cost. Undefined if there is no record of it. */
export async function decisionPage(context: PageContext, id: string): Promise<Html | undefined> {
  const record = await findRecord(context.parts, id);
  if (record === undefined) return undefined;
  const { session, served, selected } = record;
  const work = await workOn(context.parts, record);
  return html`<div class="heading"><div><p class="muted"><a href="/dashboard/live">Live</a></p><h1>${served ?? selected ?? 'No model'}</h1></div>
<p class="muted"><code>${record.id}</code><br>${time(Date.parse(record.time))}</p></div>
${mayDo(context.visitor, 'operate') && (await replayLink(context, record.id))}
<div class="columns"><div class="stack">
<section class="panel" aria-labelledby="why"><h2 id="why">Why</h2><p class="statement">${reasonSentence(record.reason)}</p>${whyHtml(record)}</section>
<section class="panel" aria-labelledby="attempts"><h2 id="attempts">What was tried</h2>${attemptsHtml(record)}</section>
</div><div class="stack">
<section class="panel" aria-labelledby="cost"><h2 id="cost">Cost and time</h2>${facts([
    ['Paid', usd(record.cost_usd)],
    ...workFacts(work, record),
    ['Always the strongest model', html`${usd(record.baseline_cost_usd)} <small>estimate</small>`],
    ['A random choice', html`${usd(record.random_cost_usd)} <small>estimate</small>`],
    ['Tokens of the prompt', tokens(record.usage?.input_tokens)],
    ['of them from a cache', tokens(record.usage?.cached_input_tokens)],
    ['Tokens of the reply', tokens(record.usage?.output_tokens)],
    ['Added by Plimsoll', duration(record.overhead_ms)],
    ['Until the first byte', duration(record.first_byte_ms)],
    ['Until the whole reply', duration(record.duration_ms)],
  ])}</section>
<section class="panel" aria-labelledby="request"><h2 id="request">The request</h2>${facts([
    ['Status', `${record.status}, ${record.ended}`],
    ['API', `${record.dialect}, ${record.operation}${record.stream ? ', streamed' : ''}`],
    ['Asked for', record.requested_model || DASH],
    ['Profile', record.profile ?? DASH],
    ['Key', record.key_id ?? DASH],
    ['Tags', record.tags?.join(', ') ?? DASH],
    [
      'Session',
      session === undefined
        ? DASH
        : html`<a href="/dashboard/live?session=${session.id}">${session.id.slice(0, 12)}</a>${session.transition !== undefined && `, ${session.transition}`}`,
    ],
    ['Response cache', record.cache?.outcome ?? DASH],
    ['Fields left out', record.dropped?.join(', ') ?? DASH],
  ])}</section>
</div></div>`;
}

/** What people came to on it; undefined if they have not, or it was not handed to them. */
async function workOn({ gateway }: PageContext['parts'], { people_task: task }: DecisionRecord) {
  const stored = task === undefined ? undefined : await gateway?.state?.log.get(PEOPLE_WORK, task);
  return stored && workRecordFrom(stored.body);
}

const WORK_OUTCOMES = {
  answered: 'replied',
  late: 'did not reply in time',
  withdrawn: 'were not needed any more',
};

function workFacts(work: WorkRecord | undefined, { people_task: task }: DecisionRecord): [string, Part][] {
  if (task === undefined) return [];
  if (work === undefined) return [['People', 'have it']];
  return [
    ['People', WORK_OUTCOMES[work.outcome]],
    ['Paid to people', usd(work.cost_nano_usd / NANO)],
    ['Until they ended', duration(work.waited_ms)],
  ];
}

async function findRecord(
  { gateway }: PageContext['parts'],
  id: string,
): Promise<DecisionRecord | undefined> {
  const recent = gateway?.activity.recent().find((facts) => facts.id === id);
  if (recent !== undefined) return recordOf(recent);
  const stored = await gateway?.state?.log.get(DECISIONS, id);
  if (stored === undefined) return undefined;
  return decisionRecordSchema.safeParse(JSON.parse(stored.body)).data;
}

function tokens(value: number | null | undefined): string {
  return count(value);
}

function whyHtml(record: DecisionRecord): Html {
  const { predicted_loss: loss, threshold, scores, policy, rule, verdict } = record;
  const rows = Object.entries(scores ?? {}).map(([candidate, value]) => [candidate, percent(value)]);
  return html`${
    loss !== undefined &&
    threshold !== undefined &&
    html`<p>The cheaper model is expected to lose ${score(loss)}; up to ${score(threshold)} it is chosen.</p>`
  }
${rows.length > 0 && table('Scores', ['Candidate', 'Expected to reply well'], rows)}
${facts([
  ['May claim', html`<strong>${verdict ?? DASH}</strong> ${verdictSentence(record)}`],
  ['Policy', policy === undefined ? DASH : `${policy.name}, version ${policy.version}`],
  ['Rule', rule ?? DASH],
  ['The policy alone would have chosen', record.policy_choice ?? DASH],
])}${cascadeHtml(record)}`;
}

function cascadeHtml({ cascade }: DecisionRecord): Part {
  if (cascade === undefined) return undefined;
  const looks = [...(cascade.earlier ?? []), cascade];
  const rows = looks.map(({ model, reply_loss: loss, escalated }) => [
    model,
    score(loss),
    escalated ?? 'went out',
  ]);
  return html`<h3>Replies that were judged</h3>${table('Replies that were judged', ['Model', 'Expected loss', 'Outcome'], rows)}`;
}

/** One after the other, as they were made; a hedge ran beside the attempt before it. */
function attemptsHtml({ attempts }: DecisionRecord): Html {
  if (attempts.length === 0) return html`<p>No model was called.</p>`;
  let at = 0;
  const spans = attempts.map(({ model, kind, outcome, status, ms, waited_ms: waited = 0 }) => {
    const fromMs = at + waited;
    at = fromMs + ms;
    const what = `${outcome}${status === undefined ? '' : ` (${status})`}`;
    return {
      label: model,
      words: `${kind}, ${what}, ${duration(ms)}`,
      fromMs,
      ms,
      isGood: outcome === 'answer',
    };
  });
  return html`${spanChart('Attempts', spans)}`;
}
