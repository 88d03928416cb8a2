import { z } from 'zod';
import { routedText } from '../../router/prompt/index.ts';
import { TASK_LABELS, type TaskLabel } from '../../router/tasks/index.ts';
import { languageCode, nonEmptyText, readStrictRows, readTierCases, type TierCase } from '../cases/index.ts';

/** A text, and what it asks for in the judgement of its author. */
export interface TaskText {
  readonly id: string;
  /** ISO 639, such as en. */
  readonly language: string;
  /** The routed text. */
  readonly text: string;
  readonly task: TaskLabel;
}

const rowSchema = z.strictObject({
  id: nonEmptyText,
  task: z.enum(TASK_LABELS),
  language: languageCode,
  prompt: nonEmptyText,
});

/**
 * Reads texts with their tasks (JSON Lines; training-data/README.md describes the rows).
 * @throws PlimsollError 'invalid-input': a row that does not fit, an id twice, no row at all; 'not-found', 'io': the file
 */
export function readTaskTexts(file: string): TaskText[] {
  return readStrictRows(file, rowSchema, ({ prompt, ...row }) => ({ ...row, text: routedText({ prompt }) }));
}

/** The everyday cases that have one of the tasks, or clearly none; the others could be called either way. */
const TASK_OF_TIER_TASK: Partial<Record<TierCase['task'], TaskLabel>> = {
  extraction: 'extraction',
  classification: 'classification',
  moderation: 'classification',
  summarisation: 'summary',
  rewriting: 'rewriting',
  proofreading: 'rewriting',
  translation: 'translation',
  chat: 'chat',
  comparison: 'chat',
  definition: 'chat',
  'factual-question': 'chat',
  'how-to': 'chat',
  recommendation: 'chat',
  'question-on-context': 'question-on-context',
  'code-generation': 'code-writing',
  'code-debugging': 'code-writing',
  'test-writing': 'code-writing',
  regex: 'code-writing',
  shell: 'code-writing',
  'code-review': 'code-review',
  'code-explanation': 'code-review',
  sql: 'sql',
  maths: 'maths',
  'unit-conversion': 'maths',
  planning: 'planning',
  'creative-writing': 'other',
  brainstorming: 'other',
  email: 'other',
};

/** The everyday cases of a file whose task is one that the classifier knows. @throws PlimsollError as readTaskTexts */
export function taskTextsOfTierCases(file: string): TaskText[] {
  return readTierCases(file).flatMap(({ id, language, text, task: tierTask }) => {
    const task = TASK_OF_TIER_TASK[tierTask];
    return task === undefined ? [] : [{ id, language, text, task }];
  });
}
