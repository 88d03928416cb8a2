import { PlimsollError } from '../errors.ts';
import { type Html, html } from '../markup.ts';
import { type People, type PeopleTask, type Person, statusOf } from '../people/index.ts';
import { conversationOf } from '../prompt/index.ts';
import { counted, DASH, duration, time } from './format.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { table } from './table.ts';

/** Requests that wait for people, or one of them with its conversation. Undefined if there is no such task. */
export async function peoplePage(context: PageContext): Promise<Html | undefined> {
  const { people } = context.parts.gateway ?? {};
  const [id] = context.steps;
  if (people === undefined || people.names().length === 0) return id === undefined ? nobodyHtml() : undefined;
  return id === undefined ? queueHtml(context, people) : taskHtml(context, people, id);
}

function nobodyHtml(): Html {
  return html`<div class="heading"><h1>People</h1></div>
<section class="panel"><h2>Nobody answers here</h2><p>With the part <code>people</code> in the configuration, requests can wait for persons, who answer them on this page:</p>
<div class="code"><pre tabindex="0"><code>people:
  support: { cost_per_minute_usd: 0.6, minutes: 4 }
rules:
  - { name: legal, when: { tag: legal }, use: human }</code></pre></div></section>`;
}

async function queueHtml(context: PageContext, people: People): Promise<Html> {
  const tasks = await people.waiting(personOf(context));
  const rows = tasks.map((task) => [
    html`<a href="/dashboard/people/${task.id}">${time(task.createdMs)}</a>`,
    task.people,
    holderOf(task, people),
    leftOf(task, people),
    task.tags.join(', ') || DASH,
  ]);
  return html`<div class="heading"><h1>People</h1><p class="muted">${counted(tasks.length, 'request waits', 'requests wait')}</p></div>
<p class="lead">The oldest first. Claim a request before you write, so that nobody else does.</p>
${table('Requests that wait', ['Asked', 'For', 'Claimed by', 'Time left', 'Tags'], rows)}`;
}

function holderOf(task: PeopleTask, people: People): string {
  return statusOf(task, people.now()) === 'claimed' ? task.claim!.by : DASH;
}

function leftOf({ deadlineMs }: PeopleTask, people: People): string {
  return duration(Math.max(0, deadlineMs - people.now()));
}

async function taskHtml(context: PageContext, people: People, id: string): Promise<Html | undefined> {
  const task = await people.task(id, personOf(context)).catch(unlessMissing);
  if (task === undefined) return undefined;
  const status = statusOf(task, people.now());
  const isOpen = status === 'waiting' || status === 'claimed';
  const turns = conversationOf(task.body, task.dialect);
  return html`<div class="heading"><div><p class="muted"><a href="/dashboard/people">People</a></p><h1>A request for ${task.people}</h1></div>
<p class="muted">${STATUS[status]}<br>asked ${time(task.createdMs)}, due ${time(task.deadlineMs)}</p></div>
<section class="panel" aria-labelledby="conversation"><h2 id="conversation">Conversation</h2>
<ol class="conversation">${turns.map(({ role, text }) => html`<li><h3>${role}</h3><p class="said">${text}</p></li>`)}</ol></section>
${isOpen ? answerHtml(context, task, people) : repliedHtml(task)}`;
}

const STATUS = {
  waiting: 'nobody has claimed it',
  claimed: 'claimed',
  answered: 'answered',
  late: 'the deadline has passed',
  withdrawn: 'the client has left',
} as const;

function repliedHtml({ reply }: PeopleTask): Html {
  if (reply === undefined)
    return html`<section class="panel"><h2>No reply</h2><p>Nobody waits for one any more.</p></section>`;
  return html`<section class="panel" aria-labelledby="reply"><h2 id="reply">Reply</h2><p class="said">${reply.text}</p><p class="muted">by ${reply.by}, ${time(reply.atMs)}</p></section>`;
}

function answerHtml(context: PageContext, task: PeopleTask, people: People): Html {
  const { name, formToken } = context.visitor;
  if (statusOf(task, people.now()) === 'claimed' && task.claim?.by !== name) {
    return html`<section class="panel"><h2>Somebody else has it</h2><p>${task.claim!.by} claimed this request until ${time(task.claim!.untilMs)}.</p></section>`;
  }
  const hidden = html`<input type="hidden" name="form" value="${formToken}"><input type="hidden" name="id" value="${task.id}">`;
  const isClaimed = statusOf(task, people.now()) === 'claimed';
  const button = (action: string, label: string) =>
    html`<form method="post" action="/dashboard/${action}">${hidden}<button class="quiet">${label}</button></form>`;
  return html`<section class="panel" aria-labelledby="answer"><h2 id="answer">Your reply</h2>
<div class="actions">${isClaimed ? html`<p class="muted">Claimed until ${time(task.claim!.untilMs)}.</p>${button('claim-task', 'Keep it longer')}${button('release-task', 'Give it back')}` : button('claim-task', 'Claim')}</div>
<form method="post" action="/dashboard/answer-task" class="answer">${hidden}
<label for="text">The client gets this text as it is</label>
<textarea id="text" name="text" rows="10" required></textarea>
<button>Send the reply</button></form></section>`;
}

function personOf({ visitor: { name, team } }: Pick<PageContext, 'visitor'>): Person {
  return { name, team };
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof PlimsollError && error.code === 'not-found') return undefined;
  throw error;
}

/** Back to the request; its address is made of its id alone. */
const toTask = (form: URLSearchParams) => `people/${encodeURIComponent(form.get('id') ?? '')}`;

function peopleOf({ parts: { gateway } }: PageContext): People {
  if (gateway?.people !== undefined) return gateway.people;
  throw new PlimsollError('not-found', 'Nobody answers requests here.');
}

export const claimTaskChange: DashboardChange = {
  path: 'claim-task',
  role: 'operate',
  isForAnybody: true,
  subject: 'id',
  back: toTask,
  async run(form, context) {
    await peopleOf(context).claim(form.get('id') ?? '', personOf(context));
    return { kind: 'note', text: 'The request is yours to answer.' };
  },
};

export const releaseTaskChange: DashboardChange = {
  path: 'release-task',
  role: 'operate',
  isForAnybody: true,
  subject: 'id',
  back: () => 'people',
  async run(form, context) {
    await peopleOf(context).release(form.get('id') ?? '', personOf(context));
    return { kind: 'note', text: 'The request waits for somebody else.' };
  },
};

export const answerTaskChange: DashboardChange = {
  path: 'answer-task',
  role: 'operate',
  isForAnybody: true,
  subject: 'id',
  longestForm: 1_048_576,
  back: () => 'people',
  async run(form, context) {
    const text = (form.get('text') ?? '').replaceAll('\r\n', '\n'); // as browsers send lines
    await peopleOf(context).answer(form.get('id') ?? '', text, personOf(context), 'page');
    return { kind: 'note', text: 'The reply is with the client.' };
  },
};
