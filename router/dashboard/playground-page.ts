import { PlimsollError } from '../errors.ts';
import { type Html, html, type Part } from '../markup.ts';
import { CAPTURED, type CapturedRequest, capturedFrom } from '../records/index.ts';
import type { PageContext } from './page.ts';
import { LONGEST_PROMPT } from './playground-changes.ts';
import { explainedHtml } from './playground-explained.ts';
import { askHtml, repliesHtml } from './playground-replies.ts';
import type { Attempt, Run } from './playground-runs.ts';

/** A form for a prompt; or what was decided on one, and replied to it. Undefined if there is no such prompt in this session. */
export async function playgroundPage(context: PageContext): Promise<Html | undefined> {
  const [id, ...more] = context.steps;
  if (more.length > 0) return undefined;
  if (id !== undefined) {
    const run = context.runs.find(context.visitor.formToken, id, context.nowMs);
    return run && runHtml(context, run);
  }
  const from = context.query.get('from');
  if (from === null) return formHtml(context);
  const replayed = await replayOf(context, from);
  return replayed && formHtml(context, replayed);
}

type Words = Omit<Attempt, 'explained'>;

function formHtml({ parts, visitor }: PageContext, given?: Words): Html {
  const profiles = [...parts.router.profiles.keys()];
  return html`<div class="heading"><h1>Playground</h1></div>
<p class="lead">What is decided on a prompt and why; then, if you want, what each candidate replies.</p>
<section class="panel"><form method="post" action="/dashboard/decide-prompt" class="fields answer">
<input type="hidden" name="form" value="${visitor.formToken}">
${given?.captured !== undefined && html`<input type="hidden" name="captured" value="${given.captured}">`}
<label for="prompt">Prompt</label><textarea id="prompt" name="prompt" rows="8" required maxlength="${LONGEST_PROMPT}">
${given?.prompt}</textarea>
<label for="system">System text, if any</label><textarea id="system" name="system" rows="3" maxlength="${LONGEST_PROMPT}">
${given?.system}</textarea>
${profiles.length > 0 && html`<label for="profile">Profile</label><select id="profile" name="profile"><option value="">none</option>${profiles.map((name) => html`<option${name === given?.profile && html` selected`}>${name}</option>`)}</select>`}
<p class="muted">This decides, and calls no model. The text stays in the memory of this server for an hour, for your session alone. It is kept only if you grade replies.</p>
<div><button class="primary">Decide</button></div>
</form></section>`;
}

function runHtml(context: PageContext, run: Run): Html {
  const { prompt, system, profile, explained } = run;
  return html`<div class="heading"><h1>Playground</h1><p><a class="button" href="/dashboard/playground">Another prompt</a></p></div>
<div class="stack">
<section class="panel" aria-labelledby="prompt"><h2 id="prompt">Prompt</h2>${system !== '' && html`<h3>System text</h3><p class="said">${system}</p><h3>Prompt</h3>`}<p class="said">${prompt}</p>
${profile !== undefined && html`<p class="muted">Profile ${profile}</p>`}</section>
${explainedHtml(explained)}
${run.replies.length === 0 ? askHtml(context, run) : repliesHtml(context, run)}
</div>`;
}

/** Why a captured request cannot be tried again, in a sentence; undefined if it can. */
function whyNotReplayed({ messages, tools }: CapturedRequest['request']): string | undefined {
  if (tools !== undefined) return 'It offers tools, and the playground has none.';
  if (messages.length > 1) return `It has ${messages.length} messages, and the playground takes one prompt.`;
  return typeof messages[0]?.content === 'string' ? undefined : 'Its prompt is not one text.';
}

/** Whether captured requests may be tried again: their words are then on a page. */
export function mayReplay({ parts }: Pick<PageContext, 'parts'>): boolean {
  return parts.config().capture?.replay === true && parts.gateway?.state !== undefined;
}

/**
 * The words of a captured request, as they were redacted. Undefined if it was not captured, or they may not be shown.
 * @throws PlimsollError `invalid-input` if the playground cannot take it
 */
async function replayOf(context: PageContext, decisionId: string): Promise<Words | undefined> {
  const record = mayReplay(context)
    ? await context.parts.gateway?.state?.log.get(CAPTURED, decisionId)
    : undefined;
  const captured = record && capturedFrom(record);
  if (captured === undefined) return undefined;
  const { messages, system = '' } = captured.request;
  const why = whyNotReplayed(captured.request);
  if (why !== undefined)
    throw new PlimsollError('invalid-input', `This request cannot be tried again. ${why}`);
  return {
    prompt: String(messages[0]!.content),
    system,
    profile: captured.stratum.task,
    captured: decisionId,
  };
}

/** Leads to the playground with the words of a captured request; nothing if they may not be shown. */
export async function replayLink(context: PageContext, decisionId: string): Promise<Part> {
  if (!mayReplay(context)) return undefined;
  const record = await context.parts.gateway?.state?.log.get(CAPTURED, decisionId);
  return (
    record !== undefined &&
    html`<p><a class="button" href="/dashboard/playground?from=${encodeURIComponent(decisionId)}">Try it in the playground</a></p>`
  );
}
