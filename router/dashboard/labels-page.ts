import type { Config } from '../config/index.ts';
import {
  agreementHtml,
  type Contradiction,
  coefficientText,
  type LabelSurvey,
  type ReviewDesk,
  reviewersHtml,
  shareText,
} from '../grading/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';
import { count, counted, DASH, percent, score, usd } from './format.ts';
import { keptLabelsHtml } from './labels-kept.ts';
import { labelCaseHtml, labelQueueHtml } from './labels-review.ts';
import { sourceName } from './labels-sources.ts';
import type { PageContext } from './page.ts';
import type { FoundReview } from './review-holder.ts';
import { mayDo } from './sessions.ts';
import { facts, table } from './table.ts';

/** Who labelled how many replies, and how far they agree; below it the queue of the visitor, and single cases. Undefined if there is nothing there. */
export async function labelsPage(context: PageContext): Promise<Html | undefined> {
  const { steps, parts } = context;
  const found = await parts.review.find();
  const [first, second, ...more] = steps;
  if (more.length > 0) return undefined;
  if (first === undefined) {
    const shown =
      found.kind === 'open' ? reviewHtml(context, found.review, found.options) : closedHtml(found);
    return html`<div class="heading"><h1>Labels</h1>${found.kind === 'open' && gradeLink(context, found.review)}</div>
<p class="lead">Who said how good replies are, how far they agree, and where they contradict one another.</p>
<div class="stack">${shown}${await keptLabelsHtml(context)}</div>`;
  }
  if (first !== 'review' && first !== 'case') return undefined;
  if (found.kind !== 'open')
    return html`<div class="heading"><p class="muted"><a href="/dashboard/labels">Labels</a></p></div>
<h1>There is nothing to grade</h1>
<div class="stack">${closedHtml(found)}</div>`;
  if (first === 'review') return labelQueueHtml(context, found, second);
  return labelCaseHtml(context, found, second);
}

/** What is wrong, and what to do about it. */
function closedHtml(found: Exclude<FoundReview, { kind: 'open' }>): Html {
  if (found.kind === 'none') return nothingHtml();
  return html`<p class="notice fault" role="alert">The cases to grade cannot be opened. ${found.why}</p>
<p>They are opened again whenever one of these pages is loaded: correct what it says, then <a href="">load this page again</a>. What was graded before is kept in its file.</p>`;
}

function nothingHtml(): Html {
  return html`<section class="panel" aria-labelledby="none"><h2 id="none">There are no cases to grade</h2>
<p>This server knows no labelled cases. <code>${COMMAND} label</code> asks each model, grades the replies by rules or by a judge, and writes them to a file (docs/LABELLING.md). Name the file here, and people grade a random part of it on this page, without seeing which model replied:</p>
<div class="code"><pre tabindex="0"><code>review:
  cases: [cases.jsonl]
  models: [openai/gpt-4o-mini, openai/gpt-4o]   # as the cases name them, cheapest first
  out: grades.jsonl</code></pre></div>
<p class="muted">Who has the role operate can then read the prompts and replies of these cases.</p></section>`;
}

function gradeLink(context: PageContext, review: ReviewDesk): Part {
  if (!mayDo(context.visitor, 'operate')) return undefined;
  const name = isGrading(context, review) ? 'Go on grading' : 'Grade replies';
  return html`<p><a class="button" href="/dashboard/labels/review">${name}</a></p>`;
}

/** Whether the visitor has a queue with something left to grade: who knows the grades of others is no longer independent of them. */
export function isGrading({ visitor: { name } }: Pick<PageContext, 'visitor'>, review: ReviewDesk): boolean {
  return review.queue(name).some((one) => review.entryOn(name, one)?.kind !== 'grade');
}

function reviewHtml(context: PageContext, review: ReviewDesk, options: NonNullable<Config['review']>): Html {
  const graded = review.gradedCases;
  return html`<section class="panel" aria-labelledby="sources"><h2 id="sources">Where the labels come from</h2>${surveyHtml(review.survey)}</section>
<section class="panel" aria-labelledby="reviewers"><h2 id="reviewers">People</h2>
<p>${count(graded)} of ${counted(review.cases.length, 'case')} graded by somebody; these were drawn at random from ${counted(review.survey.reviewable, 'case')} with a reply of each model.</p>
${review.reviewers.length === 0 ? html`<p class="muted">Nobody has a queue at the moment.</p>` : reviewersHtml(review, table)}</section>
${isGrading(context, review) ? hiddenHtml(context) : judgementsHtml(context, review)}
<section class="panel" aria-labelledby="use"><h2 id="use">Labels for training and the gate</h2>
<p>This makes labels of people of the grades: the mean of the reviewers, and where a disagreement was settled, the settlement.</p>
<div class="code"><pre tabindex="0"><code>${readCommand(options)}</code></pre><button type="button" class="quiet" data-copy hidden>Copy</button></div></section>`;
}

function readCommand({ cases, out }: NonNullable<Config['review']>): string {
  return `${COMMAND} review read --cases ${cases.map(shellWord).join(' ')} --key ${shellWord(`${out}.key.json`)} --reviews ${shellWord(out)} --out reviewed.jsonl`;
}

function surveyHtml({ cases, reviewable, withoutReplies, counts, spent, calls }: LabelSurvey): Html {
  const rows = counts.map(({ source, model, labels, meanQuality }) => [
    sourceName(source),
    model,
    count(labels),
    score(meanQuality),
  ]);
  return html`${table('Labels by source and model', ['From', 'Model', 'Labels', 'Mean quality'], rows)}
${facts([
  ['Cases in the files', count(cases)],
  ['With a reply of each model, so that people can grade them', count(reviewable)],
  ['Labelled, but without the texts of the replies: nobody can grade these', count(withoutReplies)],
  [
    'Paid for the replies, as the cases say',
    spent.known === 0
      ? 'not known'
      : html`${usd(spent.usd)} <small>for ${count(spent.known)} of ${counted(spent.outcomes, 'reply', 'replies')}</small>`,
  ],
])}
${callsHtml(calls)}
<p class="muted">As the files were when they were opened.</p>`;
}

/** What `label` paid, for replies and for the judge, which the cases do not say. */
function callsHtml({ journals, of, byCaller, lostUsd, faults }: LabelSurvey['calls']): Html {
  const heading = html`<h3>What the labels cost</h3>`;
  const faulty = faults.map((fault) => html`<p class="notice fault">${fault}</p>`);
  if (journals === 0) {
    if (faults.length > 0) return html`${heading}${faulty}`;
    return html`${heading}<p>Not known: there is no journal of <code>plimsoll label</code> (<code>&lt;cases&gt;.journal</code>) beside ${of === 1 ? 'the file' : 'the files'} of cases.</p>`;
  }
  const total = byCaller.reduce((sum, { usd: paid }) => sum + paid, 0);
  const rows = byCaller
    .toSorted((a, b) => Number(a.isOfJudge) - Number(b.isOfJudge))
    .map((one) => [
      one.isOfJudge ? 'The judge' : 'Replies to grade',
      one.model,
      count(one.calls),
      usd(one.usd),
    ]);
  return html`${heading}${faulty}${table('What the labels cost', ['For', 'Model', 'Replies', 'Paid'], rows)}
<p class="muted">${usd(total)} in all, by ${journals === of ? '' : `${count(journals)} of `}${counted(of, 'journal')} of <code>plimsoll label</code>. A reply without a reported usage counts as the most that it can have cost.${lostUsd > 0 && ` Further ${usd(lostUsd)} at most were spent on calls whose reply was lost, or has not come yet.`} Journals of earlier versions count the judge among the replies.</p>`;
}

function hiddenHtml({ visitor }: PageContext): Html {
  return html`<section class="panel" aria-labelledby="hidden"><h2 id="hidden">Agreement</h2>
<p>Shown once your queue is done: who knows what others say is no longer independent of them.</p>
<form method="post" action="/dashboard/leave-review"><input type="hidden" name="form" value="${visitor.formToken}"><button class="quiet">Leave the queue, and look</button></form></section>`;
}

function judgementsHtml(context: PageContext, review: ReviewDesk): Html {
  return html`<section class="panel" aria-labelledby="agreement"><h2 id="agreement">Agreement among people</h2>${agreementHtml(review.agreement(), table)}</section>
<section class="panel" aria-labelledby="others"><h2 id="others">People and other labels</h2>${comparisonHtml(review)}</section>
<section class="panel" aria-labelledby="contradictions"><h2 id="contradictions">Contradictions</h2>${contradictionsHtml(context, review)}</section>`;
}

function comparisonHtml(review: ReviewDesk): Html {
  const comparisons = review.comparisons();
  if (comparisons.length === 0)
    return html`<p>People have graded no case yet on which a judge or a grader labelled the same replies.</p>`;
  const strongest = review.candidates.at(-1);
  const rows = comparisons.map(({ source, model, same, kappa, meanDifference }) => [
    sourceName(source),
    model,
    count(same.n),
    shareText(same),
    percent(same.n === 0 ? undefined : same.count / same.n),
    coefficientText(kappa),
    score(meanDifference),
  ]);
  return html`${table(
    'Agreement of people with other labels',
    ['With', 'Model', 'Cases', 'Say the same', 'Share', 'Cohen’s kappa', 'Mean difference'],
    rows,
  )}
<p class="muted">Of each case: is the reply of ${strongest} better, is the other one, or neither? “Say the same” is of these three words, with the exact 95 % interval. The mean difference is what the model loses against ${strongest} by people, less what it loses by the other label: above 0 the other label is too kind to it. What that costs at the gate says <code>${COMMAND} review read</code>.</p>`;
}

/** More than these are no list to work through. */
const MOST_SHOWN = 50;

function contradictionsHtml(context: PageContext, review: ReviewDesk): Html {
  const all = review.contradictions();
  if (all.length === 0)
    return html`<p>None so far: cases on which reviewers differ, on which people and other labels do not find the same reply better, or of which nobody could tell, are listed here.</p>`;
  const open = all.filter(({ isSettled }) => !isSettled).length;
  const rows = all.slice(0, MOST_SHOWN).map((one) => contradictionRow(context, review, one));
  return html`<p>${counted(all.length, 'case')}, ${count(open)} open. The strongest first.${all.length > MOST_SHOWN && ` The first ${MOST_SHOWN} are shown.`}</p>
${table('Cases with contradictions', ['Case', 'Reviewers apart', 'People and other labels apart', 'State'], rows)}
<p class="muted">Reviewers apart: by how much the most distant two differ on one reply, 0 to 1. People and other labels: by how much they differ on what a model loses against the strongest, 0 to 2; a dash if they find the same reply better.</p>`;
}

function contradictionRow({ visitor }: PageContext, review: ReviewDesk, one: Contradiction): Part[] {
  const at = review.cases.indexOf(one.case) + 1;
  const name = `Case ${at}`;
  const state = one.isSettled ? 'settled' : one.isUndecided ? 'open: nobody could tell' : 'open';
  return [
    mayDo(visitor, 'operate') ? html`<a href="/dashboard/labels/case/${at}">${name}</a>` : name,
    one.betweenPeople === undefined ? DASH : one.betweenPeople.toFixed(2),
    one.fromOthers === undefined ? DASH : one.fromOthers.toFixed(2),
    state,
  ];
}
