/** Puts requests on top of the list as they come. Without it the list is that of when the page was loaded. */

/** @typedef {Readonly<Record<string, string>>} Row */

const table = /** @type {HTMLTableElement | null} */ (document.querySelector('[data-live]'));
const state = document.querySelector('[data-live-state]');
const pauseButton = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-live-pause]'));
const emptyNote = /** @type {HTMLElement | null} */ (document.querySelector('[data-live-empty]'));
const most = Number(table?.dataset['liveMost'] ?? 0);

/** What came while the list stands still. @type {Row[]} */
let waiting = [];
let paused = false;
let skipped = 0;

if (table && pauseButton) follow(table.dataset['live'] ?? '');

/** @param {string} url */
function follow(url) {
  const events = new EventSource(url);
  events.addEventListener('open', say);
  events.addEventListener('message', ({ data }) => {
    const message = /** @type {{ rows: Row[], skipped: number }} */ (JSON.parse(data));
    skipped += message.skipped;
    waiting = [...waiting, ...message.rows].slice(-most);
    if (!paused) show();
    say();
  });
  events.addEventListener('error', () => {
    if (!state) return;
    const isOver = events.readyState === EventSource.CLOSED; // the server refused: it has too many readers, or nobody is signed in
    state.textContent = isOver
      ? 'Not connected. Too many pages may follow already, or you were signed out: load the page again.'
      : 'Not connected. It is tried again; if you were signed out, load the page.';
  });
  if (!pauseButton) return;
  pauseButton.hidden = false;
  pauseButton.addEventListener('click', () => {
    paused = !paused;
    pauseButton.textContent = paused ? 'Go on' : 'Pause';
    pauseButton.setAttribute('aria-pressed', String(paused));
    if (!paused) show();
    say();
  });
}

function show() {
  const body = table?.tBodies[0];
  if (!body) return;
  for (const row of waiting) body.prepend(rowOf(row));
  waiting = [];
  while (body.rows.length > most) body.lastElementChild?.remove();
  if (emptyNote) emptyNote.hidden = body.rows.length > 0;
}

/** Screen readers are told when it changes, not of each request. */
function say() {
  const missed = skipped === 0 ? '' : ` ${skipped} more came too fast to show.`;
  const text = paused ? `Paused, ${waiting.length} waiting.${missed}` : `Live.${missed}`;
  if (state && state.textContent !== text) state.textContent = text;
}

/** In the order of the columns, which the server sends them in. @param {Row} row */
function rowOf({ id, time, ...cells }) {
  const line = document.createElement('tr');
  const head = document.createElement('th');
  const link = document.createElement('a');
  head.scope = 'row';
  link.href = `/dashboard/live/${encodeURIComponent(id ?? '')}`;
  link.textContent = time ?? '';
  head.append(link);
  line.append(head);
  for (const text of Object.values(cells)) line.insertCell().textContent = text;
  return line;
}
