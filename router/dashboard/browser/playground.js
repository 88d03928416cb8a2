/** Shows replies as they come; without it the page is loaded again by its link. */

const runElement = /** @type {HTMLElement | null} */ (document.querySelector('[data-run]'));
if (runElement) follow(runElement.dataset['run'] ?? '');

/** @param {string} url */
function follow(url) {
  const events = new EventSource(url);
  const again = /** @type {HTMLElement | null} */ (document.querySelector('[data-load-again]'));
  if (again) again.hidden = true;
  events.addEventListener('message', ({ data }) => {
    const { at, from, text, figures } =
      /** @type {{ at: number, from: number, text: string, figures: string }} */ (JSON.parse(data));
    const shown = document.querySelector(`[data-reply="${at}"]`);
    const numbers = document.querySelector(`[data-figures="${at}"]`);
    if (shown) shown.textContent = (shown.textContent ?? '').slice(0, from) + text;
    if (numbers) numbers.textContent = figures;
  });
  // The whole page has the final figures, and the form for grades.
  events.addEventListener('over', () => {
    events.close();
    location.reload();
  });
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED && again) again.hidden = false;
  });
}
