import { PlimsollError } from '../errors.ts';
import { type Html, html } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { FEEDBACK, GRADED, readGraded } from '../records/index.ts';
import { count, counted } from './format.ts';
import type { PageContext } from './page.ts';
import { table } from './table.ts';

/** Records read from each stream, so that the page stays quick. */
const MOST_READ = 1_000;

/** Labels that the server itself has kept in its state: grades of the playground, and feedback. Counts alone. */
export async function keptLabelsHtml({ parts }: PageContext): Promise<Html> {
  const heading = html`<h2 id="kept">Kept by this server</h2>`;
  const log = parts.gateway?.state?.log;
  if (log === undefined) {
    return html`<section class="panel" aria-labelledby="kept">${heading}<p>Nothing: the server has no state, where grades of the playground and feedback would be.</p></section>`;
  }
  try {
    const feedback = await log.read(FEEDBACK, { afterSeq: 0, limit: MOST_READ });
    const { requests, replies } = await gradedIn(log);
    const rows = [
      ['Grades of the playground', upTo(requests), counted(replies, 'reply', 'replies'), GRADED],
      ['Feedback of clients and users', upTo(feedback.length), 'each on one reply', FEEDBACK],
    ].map(([what, number, of, stream]) => [
      what,
      number,
      of,
      html`<code>${COMMAND} state export --stream ${stream}</code>`,
    ]);
    return html`<section class="panel" aria-labelledby="kept">${heading}
${table('Labels in the state', ['Labels', 'Records', 'Of', 'As a file'], rows)}
<p class="muted">Of grades of the playground people chose the prompts, so they are no sample of the traffic. They are not blind, and in none of the figures above.</p></section>`;
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code === 'internal') throw error;
    return html`<section class="panel" aria-labelledby="kept">${heading}<p>They cannot be counted: ${error.message}</p></section>`;
  }
}

/** The last grade of each person on each request. */
async function gradedIn(log: Parameters<typeof readGraded>[0]) {
  let [requests, replies] = [0, 0];
  for await (const one of readGraded(log)) {
    requests++;
    replies += one.replies.length;
    if (requests === MOST_READ) break;
  }
  return { requests, replies };
}

function upTo(records: number): string {
  return records < MOST_READ ? count(records) : `${count(MOST_READ)} or more`;
}
