import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

const share = z.number().min(0).max(1);

/** `review` of plimsoll.config.yaml: labelled cases that people grade on the dashboard. Without it they do only by `plimsoll review`. */
export const reviewSchema = z
  .strictObject({
    cases: z
      .array(z.string().min(1))
      .min(1)
      .describe('Files of labelled cases with the replies, as plimsoll label writes them.'),
    models: z
      .array(z.string().min(1))
      .min(2)
      .max(3)
      .describe('Names of the candidates in the cases, two or three, cheapest first.'),
    out: z
      .string()
      .min(1)
      .describe(
        'File of the grades, .jsonl. Whose the replies are is in <out>.key.json, which reviewers must not see. A review that was begun goes on.',
      ),
    n: z.int().min(1).max(10_000).default(400).describe('Cases to be reviewed, drawn at random.'),
    overlap: share.default(0.2).describe('Share of the cases that every reviewer grades.'),
    repeat: share
      .default(0.1)
      .describe("Share of a reviewer's cases that come again with the sides swapped."),
    scores: z.boolean().default(false).describe('Whether a reply may also get a score from 0 to 10.'),
  })
  .transform(camelCased)
  .describe(
    'Cases that people with the role operate grade on the page Labels of the dashboard, and so read; the same review as plimsoll review serve.',
  );

export type ReviewConfig = Readonly<z.infer<typeof reviewSchema>>;
