import { type Html, html } from '../markup.ts';
import { COMMAND } from '../package.ts';
import type { DashboardParts } from './dashboard-parts.ts';
import { counted, DASH, score } from './format.ts';
import { table } from './table.ts';

/** What to do on a server that nobody has used yet. */
export async function firstSteps(parts: DashboardParts, serverUrl: string): Promise<Html> {
  const { router, gateway } = parts;
  const key = gateway?.access === undefined ? '' : " \\\n  -H 'authorization: Bearer <your key>'";
  const ladder = router.ladder.map(({ candidate, model }) => `${candidate}: ${model}`).join(', ');
  const serves = html`<p>The router <strong>${router.artifact.name}</strong> serves, over the models <strong>${ladder}</strong>. ${usedWords(router, gateway !== undefined)}</p>`;
  if (gateway === undefined) {
    return html`<section class="panel first" aria-labelledby="first"><h2 id="first">What this is</h2>
<p>Plimsoll sends each request to the cheapest model that is expected to answer it well enough. A classifier in this process decides, before any model is called.</p>${serves}
${await sampleDecisions(router)}</section>
<section class="panel first" aria-labelledby="replies"><h2 id="replies">Get routed replies</h2>
<p>This server decides, and calls no model: it has no providers.</p>
<h3>Without a key: a demonstration</h3>
<p>Run this in another terminal. It serves beside this one, plays an hour of made-up traffic in a minute, and prints a link to its dashboard and a request of your own to copy. Models and replies are made up.</p>
${command(`${COMMAND} demo`)}
<h3>With your own models</h3>
<p>Set a key, such as <code>OPENAI_API_KEY</code>, run this, and start the server again. It asks a few questions, and begins with measuring: everything goes to your strong model as before. This page then has the request to send.</p>
${command(`${COMMAND} init`)}
<h3>Or ask for a decision alone</h3>
${command(`curl ${serverUrl}/v1/route \\\n  -H 'content-type: application/json' \\\n  -d '{"prompt":"What is the capital of France?"}'`)}
</section>`;
  }
  return html`<section class="panel first" aria-labelledby="first"><h2 id="first">Send the first request</h2>${serves}
${command(`curl ${serverUrl}/v1/chat/completions${key} \\\n  -H 'content-type: application/json' \\\n  -d '{"model":"auto","messages":[{"role":"user","content":"Translate good morning into French."}]}'`)}
<p>Or point any client of OpenAI, Anthropic or Google at <code>${serverUrl}</code>, with the model <code>auto</code>. It is counted here a second later.</p>
</section>`;
}

/** Made up: easy ones, hard ones, and other languages than English. */
const SAMPLES = [
  'What is the capital of France?',
  'Translate "good morning" into Italian.',
  'Wie spät ist es in Tokio, wenn es in Berlin 9 Uhr ist?',
  'Find the race condition in a lock-free queue that drops one message in a million.',
  'Derive the partition function of a one-dimensional Ising chain with periodic boundary.',
  'Explique étape par étape comment migrer une base de 40 To sans interruption.',
] as const;

/** The samples, decided by the router that serves, now; they count nowhere. Nothing if it fails on one. */
async function sampleDecisions(router: DashboardParts['router']): Promise<Html | undefined> {
  try {
    const decided = await Promise.all(SAMPLES.map((prompt) => router.explain({ prompt })));
    const threshold = decided[0]?.decision.threshold;
    const rows = decided.map(({ decision: { model, predictedLoss } }, i) => [
      SAMPLES[i]!,
      model,
      predictedLoss === null ? DASH : score(predictedLoss),
    ]);
    return html`<p><strong>Demonstration.</strong> These requests are made up; the router decided them just now. The predicted loss is the quality that the cheaper model is expected to lose. Above the threshold${typeof threshold === 'number' && ` of ${score(threshold)}`} the stronger model is taken.</p>
${table('Made-up requests, for demonstration', ['Request', 'Goes to', 'Predicted loss'], rows)}`;
  } catch {
    return undefined; // the page is there all the same; what fails is among what needs attention
  }
}

/** A server that only decides keeps no counts by hour: it knows how much it has decided since its start. */
function usedWords(router: DashboardParts['router'], callsModels: boolean): string {
  const { decisions } = router.health();
  if (callsModels) return 'Nothing was asked of it yet in this period.';
  return decisions === 0
    ? 'Nothing was asked of it yet.'
    : `It has made ${counted(decisions, 'decision')} since it started.`;
}

function command(text: string): Html {
  return html`<div class="code"><pre tabindex="0"><code>${text}</code></pre><button type="button" class="quiet" data-copy hidden>Copy</button></div>`;
}
