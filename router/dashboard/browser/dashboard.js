/** What every page does besides its links and forms, all of which work without it: the colours by hand, and copying. */

const THEME = 'plimsoll_theme';
const YEAR_S = 31_536_000;

const themeSwitch = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-theme-switch]'));
const darkWish = matchMedia('(prefers-color-scheme: dark)');

if (themeSwitch) {
  themeSwitch.hidden = false;
  themeSwitch.addEventListener('click', switchTheme);
  darkWish.addEventListener('change', nameSwitch);
  nameSwitch();
}
for (const button of document.querySelectorAll('[data-copy]')) {
  if (!(button instanceof HTMLButtonElement) || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', () => copyNextTo(button));
}
document.addEventListener('submit', sendOnce); // after what stands on a page itself, which may refuse to send it

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? darkWish.matches : theme === 'dark';
}

/** It says what it leads to. */
function nameSwitch() {
  if (themeSwitch) themeSwitch.textContent = isDark() ? 'Light' : 'Dark';
}

function switchTheme() {
  const theme = isDark() ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the server draws the next page in it, and the Cookie Store API is not everywhere
  document.cookie = `${THEME}=${theme}; Path=/; Max-Age=${YEAR_S}; SameSite=Strict`;
  nameSwitch();
}

/** @param {HTMLButtonElement} button */
async function copyNextTo(button) {
  const text = button.parentElement?.querySelector('code')?.textContent ?? '';
  await navigator.clipboard.writeText(text);
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2_000);
}

/** A second press sends nothing. @param {SubmitEvent} event */
function sendOnce(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method === 'dialog') return;
  if (form.dataset['sent'] === 'yes') event.preventDefault();
  form.dataset['sent'] = 'yes';
}
// A page that comes back from the browser's memory may be sent again.
addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset['sent'];
});
