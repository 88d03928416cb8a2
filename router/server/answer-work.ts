import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Abandonment } from './admission.ts';
import type { ServerContext } from './context.ts';
import { answerOf, type ErrorAnswer, OVERLOADED, TIMED_OUT } from './error-answer.ts';

/**
 * Does the work of one HTTP request within the limits, and sends what comes of it.
 * `param` is the field at fault where the work rejects without naming one.
 */
export async function answerWork(
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
  work: (waiting: Abandonment) => Promise<unknown>,
  param: string | null,
): Promise<void> {
  const { admission, send } = context;
  try {
    const admitted = await admission.run(work);
    if (admitted.outcome === 'done') send.json(request, response, admitted.value);
    else send.error(request, response, admitted.outcome === 'overloaded' ? OVERLOADED : TIMED_OUT);
  } catch (error) {
    send.error(request, response, reportedAnswer(context, error, param));
  }
}

/** The answer to an error; what is the server's fault is logged too. */
export function reportedAnswer(context: ServerContext, error: unknown, param: string | null): ErrorAnswer {
  const answer = answerOf(error, param);
  if (answer.status >= 500) context.report.failed(error);
  return answer;
}
