import type { Grade } from './graders/grader.ts';
import type { GradedReply } from './journal.ts';

/** As it stands in a file of cases. */
export type LabelledOutcome = ReturnType<typeof outcomeOf>;

/** A reply without a label keeps what is known about it: quality null. */
export function outcomeOf(reply: GradedReply, grade: Grade, gradersSha256: string) {
  const { input_tokens, output_tokens, cost_usd, latency_ms, confidence_logprob } = reply;
  const { mean_logprob, min_logprob, finish_reason } = reply;
  const signals = {
    ...(mean_logprob !== undefined && { mean_logprob }),
    ...(min_logprob !== undefined && { min_logprob }),
    ...(finish_reason !== undefined && { finish_reason }),
  };
  return {
    quality: grade.kind === 'graded' ? grade.quality : null,
    ...(grade.kind === 'graded' && { label_source: grade.source, labelled_by: gradersSha256.slice(0, 16) }),
    ...(input_tokens !== undefined && { input_tokens }),
    ...(output_tokens !== undefined && { output_tokens }),
    ...(cost_usd !== undefined && { cost_usd }),
    ...(latency_ms !== undefined && { latency_ms }),
    answer: reply.text,
    ...(confidence_logprob !== undefined && { confidence_logprob }),
    ...(Object.keys(signals).length > 0 && { signals }),
  };
}
