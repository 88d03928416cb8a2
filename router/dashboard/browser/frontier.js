/** Moves the chosen point of the frontier by slider, by number and on the chart itself. Without it the form asks the server. */

/** @typedef {{ threshold: number, share: string, x: number, y: number, bound: number, words: Record<string, string> }} Point */

const panel = /** @type {HTMLElement | null} */ (document.querySelector('[data-frontier]'));
if (panel) start(panel);

/** @param {HTMLElement} root */
function start(root) {
  const points = /** @type {Point[]} */ (JSON.parse(root.dataset['frontier'] ?? '[]'));
  const slide = /** @type {HTMLElement | null} */ (root.querySelector('[data-slide]'));
  const slider = /** @type {HTMLInputElement | null} */ (root.querySelector('[data-point]'));
  const share = /** @type {HTMLInputElement | null} */ (root.querySelector('[data-share]'));
  const chart = /** @type {SVGSVGElement | null} */ (root.querySelector('svg.quality-chart'));
  if (!slide || !slider || !share || !chart || points.length === 0) return;
  const last = points.length - 1;
  slide.hidden = false;

  /** @param {number} at @param {boolean} [keepsNumber] while somebody types it */
  function show(at, keepsNumber) {
    const point = points[at];
    if (!point || !slider || !share || !chart) return;
    slider.value = String(last - at);
    slider.setAttribute('aria-valuetext', point.words['escalated'] ?? '');
    if (!keepsNumber) share.value = point.share;
    chart.querySelector('[data-chosen]')?.setAttribute('transform', `translate(${point.x} ${point.y})`);
    chart.querySelector('[data-bound]')?.setAttribute('y2', String(point.bound));
    for (const fact of root.querySelectorAll('[data-fact]')) {
      const name = /** @type {HTMLElement} */ (fact).dataset['fact'] ?? '';
      fact.textContent = point.words[name] ?? '';
    }
    const field = /** @type {HTMLInputElement | null} */ (root.querySelector('[name="threshold"]'));
    if (field) field.value = String(point.threshold);
  }

  /** @param {(point: Point) => number} distance */
  function nearest(distance) {
    return points.reduce(
      (best, point, i) => (distance(point) < distance(/** @type {Point} */ (points[best])) ? i : best),
      0,
    );
  }

  slider.addEventListener('input', () => show(last - Number(slider.value)));
  share.addEventListener('input', () => {
    const wanted = Number(share.value);
    if (share.value !== '')
      show(
        nearest((point) => Math.abs(Number(point.share) - wanted)),
        true,
      );
  });

  /** @param {PointerEvent} event */
  function follow(event) {
    const matrix = chart?.getScreenCTM();
    if (!matrix) return;
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    show(nearest((point) => Math.abs(point.x - x)));
  }
  chart.addEventListener('pointerdown', (event) => {
    chart.setPointerCapture(event.pointerId);
    follow(event);
  });
  chart.addEventListener('pointermove', (event) => {
    if (chart.hasPointerCapture(event.pointerId)) follow(event);
  });
}
