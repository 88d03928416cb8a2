import { type Html, html, type Part } from '../markup.ts';
import type { Agreement, Coefficient, Interval, ReviewDesk, Share } from './review-desk.ts';

const DASH = '–';

/** How the page makes a table; the first column names the row. */
type Table = (name: string, heading: readonly string[], rows: readonly (readonly Part[])[]) => Html;

/** How far each reviewer is, and how they grade. */
export function reviewersHtml(review: ReviewDesk, table: Table): Html {
  const rows = review.reviewers.map((name) => {
    const { graded, skipped, total } = review.progress(name);
    const { changed, firstBest, unclear } = review.habits(name);
    return [
      name,
      `${graded} of ${total}`,
      skipped,
      shareText(unclear),
      shareText(changed),
      shareText(firstBest),
    ];
  });
  return html`${table(
    'Reviewers',
    ['Reviewer', 'Graded', 'Put off', 'Cannot tell', 'Changed after the swap', 'Reply A best'],
    rows,
  )}
<p class="muted">Shares are of replies (cannot tell), of cases that came twice (changed), and of cases with one best reply (reply A best: about a half of two if the side does not matter). In brackets the exact 95 % interval.</p>`;
}

/** How far reviewers agree with one another. */
export function agreementHtml({ pairs, alpha }: Agreement, table: Table): Html {
  if (alpha.items === 0) {
    return html`<p>No case has grades of two reviewers yet.</p>`;
  }
  const rows = pairs.filter(({ kappa }) => kappa.items > 0);
  return html`${table(
    'Agreement of each two reviewers',
    ['Reviewers', 'Cases', 'Replies', 'Equal on all replies', 'Cohen’s kappa'],
    rows.map(({ reviewers, kappa, equal }) => [
      reviewers.join(' and '),
      kappa.cases,
      kappa.items,
      equal === undefined
        ? DASH
        : shareText({ count: equal.cases, n: kappa.cases, interval: equal.interval }),
      coefficientText(kappa),
    ]),
  )}
<p><strong>Krippendorff’s alpha</strong> of all reviewers: ${coefficientText(alpha)}, on ${alpha.items} replies of ${alpha.cases} cases.</p>
<details><summary>What these figures say</summary>
<p>Both are 1 if reviewers always agree and 0 if they agree no more often than chance would make them. Krippendorff asks for .8, and takes .667 to .8 for tentative conclusions. With few cases, or where nearly all replies are good, they move much: read the interval, and the share of cases on which all grades are equal.</p>
<p>In brackets are 95 % intervals, of kappa and alpha by a bootstrap over cases. There is none for fewer than 10 cases, and none while nobody disagrees. “Cannot tell” is no rating and is left out.</p></details>`;
}

/** `9 of 10 (55.5 % to 99.7 %)`. */
export function shareText({ count, n, interval }: Share): string {
  if (n === 0) return DASH;
  return `${count} of ${n}${interval === undefined ? '' : ` (${rangeText(interval, (rate) => `${(100 * rate).toFixed(1)} %`)})`}`;
}

/** `0.64 (0.31 to 0.88)`. */
export function coefficientText({ value, interval }: Coefficient): string {
  if (value === undefined) return DASH;
  const show = (one: number) => one.toFixed(2).replace('-', '−');
  return `${show(value)}${interval === undefined ? '' : ` (${rangeText(interval, show)})`}`;
}

function rangeText({ low, high }: Interval, show: (value: number) => string): string {
  return `${show(low)} to ${show(high)}`;
}
