/**
 * Keys for grading. Everything here also works without it: each key presses a link, a button or a radio button of the page, which
 * says by `data-key` what its key is.
 */

const KEYS_ON = 'plimsoll-review-keys';
/** A second press of the key that led here is no wish of its own. */
const DOUBLE_PRESS_MS = 350;

const help = /** @type {HTMLDialogElement | null} */ (document.querySelector('#help'));
const helpButton = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-help]'));
const keysSwitch = /** @type {HTMLInputElement | null} */ (document.querySelector('[data-keys-on]'));
const bar = /** @type {HTMLFormElement | null} */ (document.querySelector('[data-grades]'));
const said = document.querySelector('[data-said]');
const note = /** @type {HTMLDetailsElement | null} */ (document.querySelector('details.note'));

if (localStorage.getItem(KEYS_ON) === 'off') turnKeys(false);
if (helpButton) helpButton.hidden = false;
helpButton?.addEventListener('click', () => help?.showModal());
keysSwitch?.addEventListener('change', () => turnKeys(keysSwitch.checked));
document.addEventListener('keydown', pressed);
bar?.addEventListener('submit', requireGrades);
for (const form of document.forms) sendOnce(form); // after what may refuse to send it
note?.querySelector('summary')?.addEventListener('click', toggleNote);
keepClearOfBar();

/** @param {boolean} on */
function turnKeys(on) {
  localStorage.setItem(KEYS_ON, on ? 'on' : 'off');
  document.documentElement.dataset['keys'] = on ? 'on' : 'off';
  if (keysSwitch) keysSwitch.checked = on;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {Element} */ (event.target);
  if (event.key === 'Escape' && target instanceof HTMLTextAreaElement) return leaveNote();
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || help?.open) return;
  if (document.documentElement.dataset['keys'] === 'off' || isWriting(target)) return;
  const key = keyOf(event);
  if (key === 'Enter' && target.matches('a, button, summary')) return; // it has a meaning there
  if ((key === 'u' || key === 's') && performance.now() < DOUBLE_PRESS_MS) return;
  if (key === 'n' && note) {
    note.open = true;
    note.querySelector('textarea')?.focus();
  } else if (key === 'r') unfoldRequest();
  else if (!pressElement(key)) return;
  event.preventDefault();
}

/** Digits by their place, which is the same on all keyboards. @param {KeyboardEvent} event */
function keyOf({ code, key }) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  return digit ?? (key.length === 1 ? key.toLowerCase() : key);
}

/** @param {Element} target */
function isWriting(target) {
  return target.matches('textarea, select, input:not([type=radio], [type=checkbox])');
}

/** @param {string} key */
function pressElement(key) {
  const element = /** @type {HTMLElement | null} */ (
    document.querySelector(`[data-key="${CSS.escape(key)}"]`)
  );
  if (!element) return false;
  element.click();
  if (element instanceof HTMLInputElement) say(`${nameOf(element)} is chosen.`);
  return true;
}

/** A reply and its grade, as their labels name them. @param {HTMLInputElement} radio */
function nameOf(radio) {
  const legend = radio.closest('fieldset')?.querySelector('legend')?.textContent;
  return `${legend}: ${radio.closest('label')?.querySelector('.long')?.textContent}`;
}

/** @param {string} text */
function say(text) {
  if (said) said.textContent = text;
}

function unfoldRequest() {
  const folded = /** @type {HTMLDetailsElement | null} */ (
    document.querySelector('.request .folded details, .request details')
  );
  if (folded) folded.open = !folded.open;
}

/** At once: the browser's own event for it comes when the person may have gone on. @param {Event} event */
function toggleNote(event) {
  event.preventDefault();
  if (!note) return;
  note.open = !note.open;
  if (note.open) note.querySelector('textarea')?.focus();
}

/** To the grades, from which Enter saves. */
function leaveNote() {
  const radio = bar?.querySelector('input:checked') ?? bar?.querySelector('input[type=radio]');
  /** @type {HTMLElement | null | undefined} */ (radio)?.focus();
}

/** A form that is on its way is not sent again. @param {HTMLFormElement} form */
function sendOnce(form) {
  let sent = false;
  form.addEventListener('submit', (event) => {
    if (sent) event.preventDefault();
    else sent = !event.defaultPrevented && form.method !== 'dialog';
  });
  addEventListener('pageshow', () => (sent = false));
}

/** @param {SubmitEvent} event */
function requireGrades(event) {
  const open = [...(bar?.querySelectorAll('fieldset') ?? [])].find(
    (one) => !one.querySelector('input:checked'),
  );
  if (!open) return;
  event.preventDefault();
  say(`${open.querySelector('legend')?.textContent} has no grade yet. Grade it, or skip the case.`);
  open.querySelector('input')?.focus();
}

/** What gets the focus must not be behind the bar (WCAG 2.2, 2.4.11). */
function keepClearOfBar() {
  if (!bar) return;
  new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingBottom = `${bar.offsetHeight + 16}px`;
  }).observe(bar);
}
