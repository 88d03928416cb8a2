import { confinesToContext, saysHowToAnswer, withoutInstructions } from './instructions.ts';
import { isClearCommand, isLongContext } from './standalone-question.ts';
import { isTurn, type Label, labelsIn } from './template-labels.ts';
import { paragraphs } from './text-blocks.ts';

/**
 * `Answer using only the context below.`, then context that nothing sets apart, and the question: under a label, in the last paragraph or
 * line, or in the instruction itself. `Read the passage and answer` does not do: there the passage may be the task.
 */
export function questionUnderInstruction(text: string, labels: readonly Label[]): string | undefined {
  return questionAfterInstruction(text, labels) ?? questionInClosing(text);
}

function questionAfterInstruction(text: string, labels: readonly Label[]): string | undefined {
  const paragraphEnd = text.indexOf('\n\n');
  const isShort = paragraphEnd >= 0 && paragraphEnd <= LONGEST_OPENING;
  const lineEnd = text.indexOf('\n');
  if (!isShort && lineEnd > LONGEST_OPENING) return undefined;
  if (!saysHowToAnswer(text.slice(0, isShort ? paragraphEnd : lineEnd))) return undefined; // most texts do not
  return (
    (isShort ? questionUnderOpening(text, labels, paragraphEnd, paragraphs) : undefined) ??
    questionUnderOpening(text, labels, lineEnd, lines)
  );
}

function questionUnderOpening(
  text: string,
  labels: readonly Label[],
  end: number,
  partsOf: (text: string) => readonly string[],
): string | undefined {
  const opening = text.slice(0, end).trim();
  if (!confinesToContext(opening)) return undefined;
  const asked = withoutInstructions(opening);
  if (asked !== '')
    return asked !== opening && /[?？]$/.test(asked) && isLongContext(text, opening.length)
      ? asked
      : undefined;
  const labelled = labels.findLast(({ kind, lineStart }) => kind === 'question' && lineStart > end);
  if (labelled !== undefined) {
    const next = labels.find(({ lineStart }) => lineStart > labelled.lineStart);
    return text.slice(labelled.bodyStart, next?.lineStart).trim();
  }
  const further = partsOf(text.slice(end));
  const last = further.at(-1) ?? '';
  if (further.length < 2 || !(IS_ONE_QUESTION.test(last) || isClearCommand(last))) return undefined;
  const speaker = labelsIn(last).find(isTurn);
  return last.slice(speaker?.bodyStart).trim();
}

/** Context, then `Based on the context above, when …?`. */
function questionInClosing(text: string): string | undefined {
  const closing = text.slice(text.trimEnd().lastIndexOf('\n\n') + 1).trim();
  if (closing.length > LONGEST_OPENING || !/[?？]$/.test(closing)) return undefined; // most texts
  if (!saysHowToAnswer(closing) || !confinesToContext(closing)) return undefined;
  const asked = withoutInstructions(closing);
  return asked !== closing && asked !== '' && isLongContext(text, closing.length) ? asked : undefined;
}

/** One sentence that asks. What says something first may go on from what is above it. */
const IS_ONE_QUESTION = /^(?:[^.!?。！？]|[.!?](?!\s))*[?？]$/;

/** What is longer, in UTF-16 units, is more than an instruction. */
const LONGEST_OPENING = 400;

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
