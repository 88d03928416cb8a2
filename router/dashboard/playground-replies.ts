import { costUsd, estimateTokens } from '../catalog/index.ts';
import type { Gateway } from '../gateway/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { count, duration, usd } from './format.ts';
import type { PageContext } from './page.ts';
import { candidatesOf, MAX_TOKENS } from './playground-changes.ts';
import type { AskedReply } from './playground-reply.ts';
import type { Run } from './playground-runs.ts';

/** The form that asks the candidates, with what that may cost and by which limits. */
export function askHtml({ parts, visitor }: PageContext, run: Run): Html {
  const heading = html`<h2 id="ask">What the candidates reply</h2>`;
  const { gateway, router } = parts;
  if (gateway === undefined) {
    return html`<section class="panel" aria-labelledby="ask">${heading}<p>This server decides, and calls no models.</p></section>`;
  }
  const candidates = candidatesOf(run, router);
  return html`<section class="panel" aria-labelledby="ask">${heading}
<form method="post" action="/dashboard/ask-candidates" class="fields">
<input type="hidden" name="form" value="${visitor.formToken}"><input type="hidden" name="run" value="${run.id}">
${candidates.map(
  ({ candidate, model }) =>
    html`<label class="check"><input type="checkbox" name="candidate" value="${candidate}" checked> <span>${candidate}: ${model}<br><small class="muted">${mostWords(gateway, model, run)}</small></span></label>`,
)}
<label for="max_tokens">Tokens of a reply, at most</label><select id="max_tokens" name="max_tokens">${MAX_TOKENS.map((most) => html`<option value="${most}"${most === DEFAULT_MAX_TOKENS && html` selected`}>${count(most)}</option>`)}</select>
<p class="muted">${limitWords(parts.config().limits.length > 0, visitor.keyId)} The calls have the tag <code>playground</code>.</p>
<div><button class="primary">Ask them</button></div></form></section>`;
}

const DEFAULT_MAX_TOKENS = 1_024;

function mostWords(gateway: Gateway, model: string, { prompt, system }: Run): string {
  const listed = gateway.names().listed.find((one) => one.model?.name === model);
  const inputTokens = estimateTokens(prompt) + estimateTokens(system);
  const most = costUsd(listed?.model?.price, { inputTokens, outputTokens: DEFAULT_MAX_TOKENS });
  if (most === undefined) return 'its price is not known';
  return `about ${usd(most)} with ${count(DEFAULT_MAX_TOKENS)} tokens of reply`;
}

function limitWords(isLimited: boolean, keyId: string | undefined): string {
  const whose =
    keyId === undefined
      ? 'This costs money. You came by a link, which is no API key: of the limits those of all requests, tags, models and providers hold, and none of a key or a team.'
      : `This costs money, and is counted as all requests of your API key ${keyId}, by the limits that hold for it.`;
  return isLimited ? whose : `${whose} The configuration has no limits.`;
}

/** The replies side by side, as far as they have come, and the form that grades them. */
export function repliesHtml(context: PageContext, run: Run): Html {
  const isOver = run.replies.every((one) => one.isOver);
  const canGrade = isOver && run.replies.some((one) => one.isWhole);
  const isKept = context.parts.gateway?.state !== undefined;
  return html`<section aria-labelledby="replies"${!isOver && html` data-run="/dashboard/playground-events?run=${run.id}"`}>
<h2 id="replies">What the candidates reply</h2>
${!isOver && html`<p data-load-again><a href="/dashboard/playground/${run.id}">Load again, to see what has come since</a></p>`}
<div class="cards replies">${run.replies.map((reply, at) => replyHtml(reply, at, canGrade && isKept ? (run.grades[at] ?? '') : undefined))}</div>
${isGraded(run) && html`<p class="muted">You graded these replies. <code>${COMMAND} state export --stream graded</code> writes what was graded as labelled cases. You can change your grades as long as this page is here: the last ones count.</p>`}
${canGrade && (isKept ? gradeForm(context, run) : html`<p class="muted">Grades cannot be kept: the configuration has no <code>state</code>.</p>`)}
</section>`;
}

/** @param grade what was said about it so far, `good`, `bad` or nothing; undefined if it cannot be graded */
function replyHtml(reply: AskedReply, at: number, grade: string | undefined): Html {
  const { candidate, model, text, fault, isCut } = reply;
  return html`<article class="panel" aria-labelledby="reply-${at}"><h3 id="reply-${at}">${candidate}: ${model}</h3>
<p class="muted" data-figures="${at}">${replyFigures(reply)}</p>
<p class="said" data-reply="${at}">${text}</p>
${fault !== undefined && html`<p class="notice fault">${fault}</p>`}
${isCut && html`<p class="muted">The reply was longer than is shown here, and was cut off. It cannot be graded.</p>`}
${
  grade !== undefined &&
  reply.isWhole &&
  html`<fieldset class="grades"><legend>The reply of ${model} is</legend>${GRADES.map(
    ([value, words]) =>
      html`<label><input type="radio" form="grades" name="grade-${at}" value="${value}"${value === grade && html` checked`}> ${words}</label>`,
  )}</fieldset>`
}</article>`;
}

const GRADES = [
  ['good', 'good enough'],
  ['bad', 'not good enough'],
  ['', 'not graded'],
] as const;

/** What the reply came to so far, as text. */
export function replyFigures(reply: AskedReply): string {
  const { state, firstTokenMs, totalMs, inputTokens, outputTokens, costUsd: paid } = reply;
  if (state === 'waiting') return 'Waiting for the first token';
  const first = firstTokenMs === undefined ? [] : [`first token after ${duration(firstTokenMs)}`];
  if (state === 'streaming') return ['Replying', ...first].join(', ');
  const whole = totalMs === undefined ? [] : [`all after ${duration(totalMs)}`];
  const tokens =
    outputTokens === undefined ? [] : [`${count(inputTokens)} tokens in, ${count(outputTokens)} out`];
  return [usd(paid), ...tokens, ...first, ...whole].join(', ');
}

function isGraded({ grades }: Run): boolean {
  return grades.some((grade) => grade !== '');
}

function gradeForm({ visitor }: PageContext, run: Run): Part {
  return html`<form id="grades" method="post" action="/dashboard/grade-replies" class="panel">
<input type="hidden" name="form" value="${visitor.formToken}"><input type="hidden" name="run" value="${run.id}">
${
  isGraded(run)
    ? html`<p>Other grades take the place of yours, and <em>not graded</em> for all withdraws them: then no labelled case is made of these replies. What was written before stays in the state, and counts no more.</p>`
    : html`<p>A grade makes a labelled case of the prompt: prompt, system text and the replies that you grade are then kept in the state, with personal data replaced as in captured requests. Without one nothing is kept.</p>`
}
<button class="primary">${isGraded(run) ? 'Change the grades' : 'Keep the grades'}</button></form>`;
}
