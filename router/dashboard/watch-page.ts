import { type Html, html } from '../markup.ts';
import type { WatchStatus } from '../monitoring/index.ts';
import { loadLine } from './charts.ts';
import { count, percent, score } from './format.ts';
import type { PageContext } from './page.ts';
import { table } from './table.ts';

/** What is served, compared with what the gate certified. */
export function watchPage({ parts }: PageContext): Html {
  const { router, config } = parts;
  const heading = html`<div class="heading"><h1>Watch</h1></div>
<p class="lead">The proof is about requests like those that were labelled. The watch says whether today’s still are.</p>`;
  const { watch } = router;
  if (watch === undefined) {
    return html`${heading}<section class="panel"><p>Nothing is watched. <code>watch: {}</code> in the configuration turns it on: it compares live requests with the certified ones, without a label, and stores no text.</p></section>`;
  }
  const { drift, shares, audits } = watch.status();
  const confidence = config().watch?.confidence ?? 0.99;
  const troubles = watch.troubles();
  return html`${heading}
${
  troubles.length === 0
    ? html`<p class="notice note"><span class="good"><span class="sign" aria-hidden="true">✓</span></span> No alarm so far.</p>`
    : html`<section class="panel"><h2>Alarms</h2><ul class="notices">${troubles.map((text) => html`<li class="fault"><span class="sign" aria-hidden="true">!</span><div>${text}</div></li>`)}</ul></section>`
}
<div class="cards">${driftPanel(drift, confidence)}${sharesPanel(shares, confidence, router.ladder)}${auditsPanel(audits, confidence)}</div>`;
}

/** Larger evidence says no more to anybody. */
const MOST_TIMES = 1_000_000;

/** The evidence on a logarithmic line, with the mark where it raises an alarm: valid however often one looks. */
function evidence(logEvidence: number, confidence: number): Html {
  const alarm = -Math.log(1 - confidence);
  const end = Math.max(alarm * 1.5, logEvidence);
  const times = Math.round(Math.exp(Math.min(Math.max(0, logEvidence), Math.log(MOST_TIMES))));
  const shown = times < MOST_TIMES ? count(times) : `more than ${count(MOST_TIMES)}`;
  const words = `Evidence ${shown} to 1; the alarm is at ${count(Math.round(Math.exp(alarm)))} to 1`;
  return html`${loadLine(words, Math.max(0, logEvidence) / end, alarm / end)}<p class="muted">${words}.</p>`;
}

function unwatched(name: string, why: string): Html {
  return html`<section class="panel"><h2>${name}</h2><p class="muted">${why}</p></section>`;
}

function driftPanel(drift: WatchStatus['drift'], confidence: number): Html {
  if (drift === undefined) return unwatched('Requests', 'The verdict does not say what requests it is of.');
  const rows = drift.features.slice(0, 10).map(({ name, psi }) => [name, psi.toFixed(2), psiWords(psi)]);
  return html`<section class="panel"><h2>Are requests like the certified ones?</h2>
<p class="statement">${drift.isAlarmed ? 'No longer.' : 'As far as can be told, yes.'}</p>
${evidence(drift.logEvidence, confidence)}<p class="muted">After ${count(drift.n)} requests.</p>
<details><summary>What moved the most</summary>${table('Features', ['Feature', 'PSI', 'So it'], rows)}</details></section>`;
}

function psiWords(psi: number): string {
  if (psi < 0.1) return 'stable';
  return psi > 0.25 ? 'a shift' : 'moves';
}

function sharesPanel(
  shares: WatchStatus['shares'],
  confidence: number,
  ladder: PageContext['parts']['router']['ladder'],
): Html {
  if (shares === undefined) return unwatched('Shares', 'The verdict does not say how requests were shared.');
  const rows = shares.shares.map((share, rung) => [ladder[rung]?.model ?? `rung ${rung}`, percent(share)]);
  return html`<section class="panel"><h2>Do they go where they went?</h2>
<p class="statement">${shares.fault === undefined ? 'As far as can be told, yes.' : 'No longer.'}</p>
${evidence(shares.logEvidence, confidence)}<p class="muted">After ${count(shares.n)} requests.</p>
${rows.length > 0 && table('Shares', ['Model', 'Share'], rows)}</section>`;
}

function auditsPanel(audits: WatchStatus['audits'], confidence: number): Html {
  if (audits === undefined) return unwatched('Audits', 'Only a PASS can be contradicted by audits.');
  const { n, limit, meanLoss, logEvidence, contradictions, threshold } = audits;
  return html`<section class="panel"><h2>Do graded requests agree?</h2>
<p class="statement">${contradictions > 0 ? 'They speak against the proof.' : n === 0 ? 'None were graded yet.' : 'As far as can be told, yes.'}</p>
${evidence(logEvidence, confidence)}<p class="muted">${count(n)} requests that stayed cheap were graded${meanLoss !== undefined && `; they lost ${score(meanLoss)} on average`}. They may lose ${score(limit)}. The threshold in force is ${threshold === undefined ? 'none: all go to the strongest model' : score(threshold)}.</p></section>`;
}
