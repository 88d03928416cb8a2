import { z } from 'zod';

/** Part `decision_log` of plimsoll.config.yaml. Without it nothing is written. */
export const decisionLogSchema = z
  .strictObject({
    file: z.string().min(1).describe('JSON Lines, one request each. Its folder must be there.'),
    include_prompt: z
      .boolean()
      .default(false)
      .describe('Write what people asked into the log. Off: no word of a prompt is stored.'),
    max_bytes: z
      .int()
      .min(4_096)
      .max(2 ** 40)
      .default(64 * 2 ** 20)
      .describe('A file that would grow larger is put aside as <file>.1, and <file>.1 as <file>.2.'),
    keep: z.int().min(0).max(1_000).default(8).describe('How many files that were put aside are kept.'),
  })
  .describe('What was decided, served and spent, request by request.');

export type DecisionLogConfig = Readonly<z.infer<typeof decisionLogSchema>>;
