import type { IncomingMessage } from 'node:http';
import { PlimsollError } from '../../router/errors.ts';
import {
  type Chosen,
  type ReviewDesk,
  readGrades,
  type Saved,
  type Screen,
} from '../../router/grading/index.ts';
import { html } from '../../router/markup.ts';
import { COMMAND } from '../../router/package.ts';
import { donePage, gradePage } from './grade-page.ts';
import { layout, messagePage } from './layout.ts';
import type { Sessions, Who } from './sessions.ts';
import { settlePage, summaryPage } from './summary-page.ts';

export interface RouteContext {
  readonly review: ReviewDesk;
  readonly out: string;
  readonly withScores: boolean;
  readonly sessions: Sessions;
  readonly linkFor: (who: Who) => string;
  readonly cookieName: string;
}

export interface PageResponse {
  readonly status: number;
  readonly body?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const LONGEST_BODY = 64 * 1024;

/** Every route but the files that browsers load. The caller has checked Host and Origin. */
export async function routeRequest(request: IncomingMessage, context: RouteContext): Promise<PageResponse> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here');
  const [, first = '', second = '', third = ''] = pathname.split('/');
  const who = context.sessions.find(cookieIn(request, context.cookieName));
  const isPost = request.method === 'POST';
  if (first === 'enter' && !isPost) return enter(second, who, context);
  if (who === undefined) return signInPage();
  if (first === '') return redirect(who.role === 'lead' ? '/summary' : '/grade');
  const form = isPost ? await readForm(request) : undefined;
  if (isPost && form === undefined) return page(413, 'Too long', 'This form is longer than a page sends.');
  if (who.role === 'lead') return leadRoute([first, second, third], form, context);
  return reviewerRoute([first, second], form, searchParams.has('undone'), who.name, context);
}

/** The cookie is for this site alone, so that a browser that comes from a link elsewhere sends it only from the next page on: this one leads there. */
function enter(token: string, who: Who | undefined, { sessions, cookieName }: RouteContext): PageResponse {
  const entered = sessions.enter(token);
  if (entered === undefined) {
    if (who !== undefined) return redirect('/');
    return page(
      403,
      'This link was used',
      'It works once. Whoever leads the review can make a new one on the summary page; a restart of the command prints new ones too.',
    );
  }
  const name = entered.who.role === 'lead' ? 'who leads the review' : entered.who.name;
  return {
    status: 200,
    body: layout({
      title: 'Signed in',
      forwardTo: '/',
      main: html`<div class="message"><h1>Signed in</h1><p>You are signed in as ${name}. <a href="/">Go on</a></p></div>`,
    }),
    headers: { 'set-cookie': `${cookieName}=${entered.cookie}; Path=/; HttpOnly; SameSite=Strict` },
  };
}

function signInPage(): PageResponse {
  return page(
    401,
    'Sign in',
    `Open the link that \`${COMMAND} review serve\` printed for you. After a restart of the command it prints new ones. What you have saved is kept.`,
  );
}

function reviewerRoute(
  [first, id]: readonly [string, string],
  form: URLSearchParams | undefined,
  undone: boolean,
  name: string,
  { review, withScores }: RouteContext,
): PageResponse {
  if (first === 'grade' && id === '' && form === undefined) return toScreen(review.next(name));
  if (first === 'done' && form === undefined) {
    const isOpen = review.queue(name).some((one) => review.entryOn(name, one) === undefined);
    return isOpen ? toScreen(review.next(name)) : { status: 200, body: donePage(review, name) };
  }
  if (first === 'undo' && form !== undefined) {
    const screen = review.undo(name, Number(form.get('line')));
    return screen === undefined ? toScreen(review.next(name)) : redirect(`/grade/${screen.id}?undone`);
  }
  if (first === 'summary') return page(403, 'Not yours', SUMMARY_IS_FOR_LEAD, name);
  const screen = first === 'grade' || first === 'skip' ? review.screen(name, id) : undefined;
  if (screen === undefined) return page(404, 'Not in your queue', NOT_IN_QUEUE, name);
  const shown: Shown = (status, options = {}) => ({
    status,
    body: gradePage(review, name, screen, { withScores, ...options }),
  });
  if (form === undefined) {
    return shown(200, undone ? { said: { text: 'Your last answer was taken back.', kind: 'note' } } : {});
  }
  // From a case that was skipped before on to the next such; else to the first such, once nothing else is left.
  const after = review.entryOn(name, screen) === undefined ? undefined : screen;
  const onward = () => {
    const next = review.next(name, after);
    return toScreen(next === screen ? undefined : next);
  };
  if (first === 'skip') {
    const skip = () => review.skip(name, screen, Number(form.get('revision')));
    return afterSaving(skip, onward, shown);
  }
  const read = readGrades(form, screen.items.length);
  if ('fault' in read) return shown(400, { said: { text: read.fault, kind: 'fault' }, chosen: read.chosen });
  return afterSaving(() => review.grade(name, screen, read.given), onward, shown, read.given);
}

const SUMMARY_IS_FOR_LEAD =
  'The summary is for whoever leads the review: who knows the grades of others is no longer independent of them.';
const NOT_IN_QUEUE = 'This case is not in your queue. In one browser one person is signed in, the last one.';

function toScreen(screen: Screen | undefined): PageResponse {
  return redirect(screen === undefined ? '/done' : `/grade/${screen.id}`);
}

/** The page of the same case again. */
type Shown = (
  status: number,
  options?: { readonly said?: { text: string; kind: 'note' | 'fault' }; readonly chosen?: Chosen },
) => PageResponse;

function leadRoute(
  [first, second, third]: readonly [string, string, string],
  form: URLSearchParams | undefined,
  { review, out, withScores, linkFor }: RouteContext,
): PageResponse {
  if (first !== 'summary')
    return page(
      403,
      'Not yours',
      'You lead this review in this browser. To grade, open a reviewer’s link in another browser or a private window.',
      'lead',
    );
  if (second === '' && form === undefined) return { status: 200, body: summaryPage(review, { files: out }) };
  if (second === 'link' && form !== undefined) {
    const name = form.get('reviewer') ?? '';
    if (!review.reviewers.includes(name))
      return page(400, 'No such reviewer', 'Choose one of the reviewers.', 'lead');
    const link = { name, url: linkFor({ role: 'reviewer', name }) };
    return { status: 200, body: summaryPage(review, { files: out, link }) };
  }
  const id = second === 'case' && /^\d{1,9}$/.test(third) ? review.cases[Number(third) - 1] : undefined;
  if (id === undefined) return page(404, 'Not here', 'There is no such page.', 'lead');
  const shown: Shown = (status, options = {}) => ({
    status,
    body: settlePage(review, id, { withScores, ...options }),
  });
  if (form === undefined) return shown(200);
  const read = readGrades(form, review.itemsToSettle(id).length);
  if ('fault' in read) return shown(400, { said: { text: read.fault, kind: 'fault' }, chosen: read.chosen });
  const settle = () => review.settle(id, read.given);
  return afterSaving(settle, () => redirect('/summary'), shown, read.given);
}

const STALE =
  'This case was answered in another tab or window since this one was opened. Nothing of this tab was saved: what counts is shown below, and you can change it here.';

const REVEALED =
  'You have seen on the dashboard what others said of this case, so that your grade would not be independent of theirs.';

/** On if it is saved; else the same page, which says why it is not. @param chosen what was not saved then, to be sent again */
function afterSaving(
  save: () => Saved,
  onward: () => PageResponse,
  shown: Shown,
  chosen?: Chosen,
): PageResponse {
  let saved: Saved;
  try {
    saved = save();
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'io') throw error;
    const text = `Not saved: ${error.message} What you chose is still here: save it again then.`;
    return shown(500, { said: { text, kind: 'fault' }, ...(chosen && { chosen }) });
  }
  if (saved === 'revealed') return page(409, 'Not saved', REVEALED);
  return saved === 'stale' ? shown(409, { said: { text: STALE, kind: 'fault' } }) : onward();
}

/** Undefined if it is too long: the rest of it is read, so that the browser reads the response. */
function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  let text = '';
  return new Promise((resolve, reject) => {
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      if (text.length <= LONGEST_BODY) text += chunk;
    });
    request.on('end', () => resolve(text.length > LONGEST_BODY ? undefined : new URLSearchParams(text)));
    request.on('error', reject);
  });
}

function cookieIn({ headers }: IncomingMessage, name: string): string | undefined {
  for (const pair of (headers.cookie ?? '').split('; ')) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return undefined;
}

function redirect(location: string): PageResponse {
  return { status: 303, headers: { location } };
}

function page(status: number, title: string, line: string, who?: string): PageResponse {
  return { status, body: messagePage(title, [line], who) };
}
