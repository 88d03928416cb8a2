import type { Condition, VerdictWord } from '../artifact/index.ts';
import { type Html, html } from '../markup.ts';
import { conditionName, conditionSentence } from './condition-sentence.ts';
import type { Evidence } from './evidence.ts';
import { boundsPicture, qualityPicture, sharesPicture } from './pictures.ts';
import { type AnyVerdict, readEvidence } from './summary.ts';

/** Distinguishes the verdicts by shape, without colour. */
export const VERDICT_SIGNS: Readonly<Record<VerdictWord, string>> = {
  PASS: '✓',
  INCONCLUSIVE: '?',
  FAIL: '✗',
};

const PROOFS: Readonly<Record<NonNullable<Condition['proof']>, string>> = {
  walk: 'promised',
  'other-cases': 'on other cases',
  none: 'described',
};

/**
 * The pictures and conditions of a verdict, the same in a report and in the dashboard: markup without style or script, for a page that has
 * `verdict-report.css`. A verdict whose figures have the shape of another version has its conditions alone.
 */
export function verdictSections(verdict: AnyVerdict): Html {
  const evidence = readEvidence(verdict);
  return html`<div class="verdict-report">${evidence && picturesHtml(verdict, evidence)}${boundsPicture(verdict)}
<section><h2>The conditions</h2><ol class="condition-sentences">${verdict.conditions.map((one) => conditionHtml(one, verdict))}</ol>
<p class="explained">With <strong>95 % confidence</strong>: of all such tests of bad routers at most one in twenty ends in such a promise. <strong>Promised</strong> holds for requests like the test requests. <strong>Described</strong> says how it was on the requests that the threshold was chosen by. A <strong>point</strong> is a hundredth of the quality scale. A <strong>harmless edit</strong> changes case, white space or wording, and not what is asked.</p></section></div>`;
}

function picturesHtml(verdict: AnyVerdict, evidence: Evidence): Html {
  return html`${qualityPicture(verdict, evidence)}${sharesPicture(evidence)}`;
}

function conditionHtml(condition: Condition, verdict: AnyVerdict): Html {
  const { verdict: word, n, proof } = condition;
  const kind = proof === undefined ? '' : `, ${PROOFS[proof]}`;
  return html`<li><p><strong>${conditionName(condition)}</strong> <span class="word ${word.toLowerCase()}"><span aria-hidden="true">${VERDICT_SIGNS[word]}</span> ${word}</span></p><p>${unbroken(conditionSentence(condition, verdict))} <span class="muted">${n.toLocaleString('en-US')} ${n === 1 ? 'case' : 'cases'}${kind}</span></p></li>`;
}

/** A number and its percent sign stay on one line. */
export function unbroken(text: string): string {
  return text.replaceAll(' %', '\u00a0%');
}
