import { z } from 'zod';
import { FEEDBACK_KINDS, FEEDBACK_SIGNALS } from '../feedback-kinds.ts';

/** Characters. */
const MAX_COMMENT = 4_000;
const MAX_ANSWER = 32_000;
const MAX_ID = 200;

const id = z.string().min(1).max(MAX_ID).optional();

/** `POST /v1/feedback`. */
export const feedbackRequestSchema = z
  .strictObject({
    decision_id: id.describe('Of the reply, as in x-plimsoll-decision-id.'),
    request_id: id.describe('The same, by another name.'),
    token: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe('From x-plimsoll-feedback-token, in place of an API key and of the id.'),
    score: z.number().min(0).max(1).optional().describe('0 (useless) to 1 (perfect).'),
    thumbs: z.enum(['up', 'down']).optional().describe('In place of score: up is 1, down is 0.'),
    correct_answer: z.string().min(1).max(MAX_ANSWER).optional(),
    comment: z.string().min(1).max(MAX_COMMENT).optional(),
    signal: z
      .enum(FEEDBACK_SIGNALS)
      .optional()
      .describe('What the client saw its user do with the reply, or that a call of a tool failed.'),
  })
  .refine(({ decision_id, request_id, token }) => (decision_id ?? request_id ?? token) !== undefined, {
    path: ['decision_id'],
    error: 'is missing: give decision_id, request_id or token',
  })
  .refine(({ decision_id, request_id }) => decision_id === undefined || request_id === undefined, {
    path: ['request_id'],
    error: 'is the same as decision_id: give one of them',
  })
  .refine(({ score, thumbs }) => score === undefined || thumbs === undefined, {
    path: ['thumbs'],
    error: 'is a score: give one of score and thumbs',
  })
  .refine(
    ({ score, thumbs, correct_answer, comment, signal }) =>
      (score ?? thumbs ?? correct_answer ?? comment ?? signal) !== undefined,
    { path: ['score'], error: 'is missing: give score, thumbs, correct_answer, comment or signal' },
  );

export const feedbackResponseSchema = z.strictObject({
  decision_id: z.string(),
  recorded: z
    .array(z.enum(FEEDBACK_KINDS))
    .describe('What is stored of it. Of each kind the first counts: what is repeated changes nothing.'),
});
