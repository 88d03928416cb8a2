/** A longer lead before "Question:" is no instruction but a passage or examples, and belongs to the question. In UTF-16 units. */
const LONGEST_LEAD = 400;

/** "Question:" or "Problem:" at the start of a line, with what follows on it. */
const QUESTION_LABEL = /^[ \t]*(?:question|problem)[ \t]*:[ \t]*/im;

/** The start of a lettered option: "A. ", "A) ", "A: " or "(A) ". */
const OPTION_A = /^[ \t]*\(?A[.):][ \t]/gm;
const OPTION_B = /^[ \t]*\(?B[.):][ \t]/gm;

/** A last line that only asks for the answer or says how to write it. */
const ANSWER_LABEL = /(?:^|\n)[ \t]*(?:answer|choices|options|solution|step-by-step reasoning)[ \t]*:?$/i;
const ANSWER_FORM = /\n[^\n]{0,200}\bfinal answer\b[^\n]{0,200}$/i;

/** Wrappings end in one or two such lines; the bound keeps the work linear for a text that is made of them. */
const MOST_ANSWER_LINES = 4;

/**
 * What is left of a prompt when its wrapping is gone: the short instruction before "Question:", the lettered options, and last
 * lines such as "Answer:" or "Put your final answer in a box." Options are dropped because benchmarks reorder, add and reword
 * them for the same question. A step that would leave nothing is skipped.
 */
export function questionStem(text: string): string {
  const unlabelled = withoutLead(text.replaceAll('\r\n', '\n').trim());
  return withoutAnswerLines(withoutOptions(withoutAnswerLines(unlabelled)));
}

function withoutLead(text: string): string {
  const label = QUESTION_LABEL.exec(text);
  if (label === null || label.index > LONGEST_LEAD) return text;
  return text.slice(label.index + label[0].length).trim() || text;
}

/** Cuts at the last "A" line that a "B" line follows, and takes all to the end: instructions may follow the options. */
function withoutOptions(text: string): string {
  const lastB = [...text.matchAll(OPTION_B)].at(-1)?.index ?? -1;
  const start = [...text.matchAll(OPTION_A)].findLast(({ index }) => index < lastB)?.index;
  return start === undefined ? text : text.slice(0, start).trim() || text;
}

function withoutAnswerLines(text: string): string {
  let rest = text;
  for (let line = 0; line < MOST_ANSWER_LINES; line++) {
    const shorter = rest.replace(ANSWER_FORM, '').replace(ANSWER_LABEL, '').trimEnd();
    if (shorter === '' || shorter === rest) return rest;
    rest = shorter;
  }
  return rest;
}
