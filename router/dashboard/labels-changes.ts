import { PlimsollError } from '../errors.ts';
import { type ReviewDesk, readGrades, type Saved, type Screen } from '../grading/index.ts';
import { counted } from './format.ts';
import { caseAt, QUEUE_END } from './labels-review.ts';
import type { DashboardChange, PageContext } from './page.ts';
import type { Outcome } from './sessions.ts';

/** Room for the longest note, encoded as a form. */
const LONGEST_FORM = 65_536;
const QUEUE = 'labels/review';

async function reviewOf({ parts }: PageContext): Promise<ReviewDesk> {
  const found = await parts.review.find();
  if (found.kind === 'open') return found.review;
  const why = found.kind === 'none' ? 'there are no cases to grade' : found.why;
  throw new PlimsollError('not-found', `Nothing was saved: ${why}`);
}

function screenOf(review: ReviewDesk, form: URLSearchParams, { visitor }: PageContext): Screen {
  const screen = review.screen(visitor.name, form.get('screen') ?? '');
  if (screen !== undefined) return screen;
  throw new PlimsollError('not-found', 'Nothing was saved: this case is not in your queue.');
}

function caseOf(review: ReviewDesk, form: URLSearchParams): string {
  const id = caseAt(review, form.get('case'));
  if (id !== undefined) return id;
  throw new PlimsollError('not-found', 'Nothing was saved: there is no such case.');
}

const STALE =
  'This case was answered in another tab or window since this one was opened. Nothing of this tab was saved: what counts is shown below, and you can change it here.';
const REVEALED =
  'Nothing was saved: you have seen what others said of this case, so that your grade would not be independent.';

/** Where a form leads once it is saved; back to the same page, with what was chosen, if it is not. */
function saved(
  save: () => Saved,
  {
    onSaved,
    again,
    sent,
  }: { readonly onSaved: () => Outcome; readonly again: string; readonly sent?: URLSearchParams },
): Outcome {
  try {
    const outcome = save();
    if (outcome === 'stale') return { kind: 'fault', text: STALE, at: again };
    return outcome === 'revealed' ? { kind: 'fault', text: REVEALED, at: QUEUE } : onSaved();
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'io') throw error;
    const text = `Not saved: ${error.message} What you chose is still here: save it again then.`;
    return { kind: 'fault', text, at: again, sent };
  }
}

export const beginReviewChange: DashboardChange = {
  path: 'begin-review',
  role: 'operate',
  back: QUEUE,
  async run(_form, context) {
    (await reviewOf(context)).join(context.visitor.name);
    return quiet('Somebody began to grade.');
  },
};

export const leaveReviewChange: DashboardChange = {
  path: 'leave-review',
  role: 'operate',
  back: 'labels',
  async run(_form, context) {
    (await reviewOf(context)).leave(context.visitor.name);
    return { kind: 'note', text: 'You have left the queue. What you graded is kept.' };
  },
};

export const takeOverCasesChange: DashboardChange = {
  path: 'take-over-cases',
  role: 'operate',
  back: QUEUE,
  async run(_form, context) {
    const added = (await reviewOf(context)).takeOver(context.visitor.name);
    return { kind: 'note', text: `${counted(added, 'case')} more in your queue.` };
  },
};

/**
 * What is shown after a screen, to be asked once it is saved. From a case that was skipped before on to the next such; else to the first such,
 * once nothing else is left.
 */
function onward(review: ReviewDesk, name: string, screen: Screen): () => string {
  const after = review.entryOn(name, screen) === undefined ? undefined : screen;
  return () => {
    const next = review.next(name, after);
    return next === undefined || next === screen ? `${QUEUE}/${QUEUE_END}` : `${QUEUE}/${next.id}`;
  };
}

export const gradeCaseChange: DashboardChange = {
  path: 'grade-case',
  role: 'operate',
  isUnlisted: true, // the file of grades has it
  longestForm: LONGEST_FORM,
  back: QUEUE,
  async run(form, context) {
    const { name } = context.visitor;
    const review = await reviewOf(context);
    const screen = screenOf(review, form, context);
    const again = `${QUEUE}/${screen.id}`;
    const read = readGrades(form, screen.items.length);
    if ('fault' in read) return { kind: 'fault', text: read.fault, at: again, sent: form };
    const next = onward(review, name, screen);
    const save = () => review.grade(name, screen, read.given);
    return saved(save, { onSaved: () => quiet('A case was graded.', next()), again, sent: form });
  },
};

export const skipCaseChange: DashboardChange = {
  path: 'skip-case',
  role: 'operate',
  isUnlisted: true, // the file of grades has it
  back: QUEUE,
  async run(form, context) {
    const { name } = context.visitor;
    const review = await reviewOf(context);
    const screen = screenOf(review, form, context);
    const next = onward(review, name, screen);
    const save = () => review.skip(name, screen, Number(form.get('revision')));
    return saved(save, {
      onSaved: () => quiet('A case was skipped.', next()),
      again: `${QUEUE}/${screen.id}`,
    });
  },
};

export const undoGradeChange: DashboardChange = {
  path: 'undo-grade',
  role: 'operate',
  isUnlisted: true, // the file of grades has it
  back: QUEUE,
  async run(form, context) {
    const review = await reviewOf(context);
    const screen = review.undo(context.visitor.name, Number(form.get('line')));
    if (screen === undefined)
      return { kind: 'note', text: 'Nothing was taken back: it was no longer your last answer.' };
    return { kind: 'note', text: 'Your last answer was taken back.', at: `${QUEUE}/${screen.id}` };
  },
};

const toCase = (form: URLSearchParams) => `labels/case/${encodeURIComponent(form.get('case') ?? '')}`;

export const revealCaseChange: DashboardChange = {
  path: 'reveal-case',
  role: 'operate',
  isUnlisted: true, // the file of grades has it
  back: 'labels',
  async run(form, context) {
    const review = await reviewOf(context);
    review.reveal(context.visitor.name, caseOf(review, form));
    return quiet('What was said of a case was shown.', toCase(form));
  },
};

export const settleCaseChange: DashboardChange = {
  path: 'settle-case',
  role: 'operate',
  isUnlisted: true, // the file of grades has it
  longestForm: LONGEST_FORM,
  back: 'labels',
  async run(form, context) {
    const review = await reviewOf(context);
    const id = caseOf(review, form);
    const again = toCase(form);
    if (!review.hasSeen(context.visitor.name, id)) {
      return { kind: 'fault', text: 'Nothing was saved: look at what was said first.', at: again };
    }
    const read = readGrades(form, review.itemsToSettle(id).length);
    if ('fault' in read) return { kind: 'fault', text: read.fault, at: again, sent: form };
    const onSaved = () => ({ kind: 'note', text: `Case ${form.get('case')} is settled.` }) as const;
    return saved(() => review.settle(id, read.given), { onSaved, again, sent: form });
  },
};

/** The page that follows shows by itself that it was done. */
function quiet(text: string, at?: string): Outcome {
  return { kind: 'note', text, isQuiet: true, at };
}
