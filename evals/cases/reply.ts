import { z } from 'zod';
import type { Reply } from '../../router/types.ts';
import { type NumberRules, parseNumbers } from './quality-scale.ts';
import { parseRow } from './rejects.ts';

/** Without a lower end, but finite: what is not known is null, and minus infinity says nothing that can be learned from. */
const logprob = z
  .number({
    error:
      'must be a finite number of at most 0, the natural logarithm of a probability; null if it is not known',
  })
  .max(0, { error: ({ input }) => `must be at most 0, the natural logarithm of a probability; is ${input}` })
  .nullish();

const share = z
  .number({ error: 'must be a number from 0 to 1; null if it is not known' })
  .min(0, { error: ({ input }) => `must be a number from 0 to 1, is ${input}` })
  .max(1, { error: ({ input }) => `must be a number from 0 to 1, is ${input}` })
  .nullish();

const text = z.string({ error: 'must be a text; null if it is not known' }).nullish();

/** What an outcome may say of the reply. A signal that does not exist is refused: misspelt, it would be missing in silence. */
const replySchema = z.looseObject({
  answer: text,
  confidence_logprob: logprob,
  signals: z
    .strictObject(
      {
        mean_logprob: logprob,
        min_logprob: logprob,
        finish_reason: text,
        agreement: share,
        verifier: share,
      },
      { error: ({ code }) => (code === 'unrecognized_keys' ? undefined : 'must be an object of signals') },
    )
    .nullish(),
});

/**
 * The reply of an outcome; undefined if it says nothing of it.
 * @param path of the outcome in the row, for the rejected row
 * @throws BadRow: a logarithm that is not finite or above 0, a share outside 0..1, a text that is none, an unknown signal
 */
export function parseReply(fields: object, path: string, rules: NumberRules): Reply | undefined {
  const { answer, confidence_logprob, signals } = parseRow(
    replySchema,
    rules.quoted ? parseNumbers(fields, rules) : fields,
    path,
  );
  const { mean_logprob, min_logprob, finish_reason, agreement, verifier } = signals ?? {};
  const reply: Reply = {
    ...(answer != null && { text: answer }),
    ...(confidence_logprob != null && { confidenceLogprob: confidence_logprob }),
    ...(mean_logprob != null && { meanLogprob: mean_logprob }),
    ...(min_logprob != null && { minLogprob: min_logprob }),
    ...(finish_reason != null && { finishReason: finish_reason }),
    ...(agreement != null && { agreement }),
    ...(verifier != null && { verifier }),
  };
  return Object.keys(reply).length > 0 ? reply : undefined;
}
