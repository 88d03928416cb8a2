import { z } from 'zod';
import { CHOICE_REASONS, POLICY_VERDICTS, UNGATED_REASONS } from '../policy/index.ts';
import { MAX_TAGS, TAG, TAG_RULE } from '../request-tags.ts';

const contentPart = z
  .looseObject({ type: z.string(), text: z.string().exactOptional() })
  .describe(
    'A part of a message. Texts are read; images, files, tool calls and their results are passed over.',
  );

export const message = z
  .looseObject({
    role: z.string().min(1),
    content: z.union([z.string(), z.array(contentPart), z.null()]).exactOptional(),
  })
  .describe('A turn of a conversation, in the shape of OpenAI or Anthropic. Further fields are allowed.');

const EXACTLY_ONE = { oneOf: [{ required: ['prompt'] }, { required: ['messages'] }] };

/** The body of POST /v1/route: a prompt or messages, exactly one of the two. */
export function routeRequestSchema(maxMessages: number) {
  return z
    .strictObject({
      prompt: z.string().exactOptional().describe('What the person asked.'),
      messages: z.array(message).min(1).max(maxMessages).exactOptional(),
      policy: z.string().min(1).max(200).exactOptional().describe('Policy that decides; /readyz lists them.'),
      tags: z
        .array(z.string().regex(TAG, TAG_RULE))
        .max(MAX_TAGS)
        .exactOptional()
        .describe(
          'Names for the request, added to those of the header x-plimsoll-tags. Case does not count.',
        ),
      task: z
        .string()
        .regex(TAG, TAG_RULE)
        .exactOptional()
        .describe('Which task it is; in place of the header x-plimsoll-task.'),
      profile: z
        .string()
        .min(1)
        .max(200)
        .exactOptional()
        .describe('The profile that it is for; the header, path and API key may say none or the same.'),
      explain: z.boolean().exactOptional().describe('Add the sum behind each score.'),
    })
    .refine((body) => (body.prompt === undefined) !== (body.messages === undefined), {
      error: 'give exactly one of prompt and messages',
      path: ['prompt'],
    })
    .meta(EXACTLY_ONE);
}

export type RouteRequest = z.infer<ReturnType<typeof routeRequestSchema>>;

/** The body of POST /v1/route/batch. Items are checked one by one, so that one that is wrong fails alone. */
export function batchRequestSchema<Item extends z.ZodType>(item: Item, maxBatch: number) {
  return z.strictObject({
    requests: z.array(item).min(1).max(maxBatch),
    policy: z.string().min(1).max(200).exactOptional().describe('For the items that name none themselves.'),
  });
}

/** OpenAI's error envelope, which clients of such APIs can read. */
export const errorEnvelopeSchema = z
  .strictObject({
    error: z.strictObject({
      message: z.string().describe('A sentence for a person: what is wrong, and how to fix it.'),
      type: z.enum(['invalid_request_error', 'server_error']),
      param: z.string().nullable().describe('The field at fault, e.g. messages.0.role.'),
      code: z.string().describe('What is wrong, for a program. docs/API.md lists the codes.'),
    }),
  })
  .describe('What every refused request is answered with.');

const probability = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const artifact = z.strictObject({ name: z.string(), sha256 });

const policyVerdict = z
  .enum(POLICY_VERDICTS)
  .describe(
    'PASS: the gate passed what decided. expired: its PASS ran out. stale: its PASS is of other models. none: nothing is promised.',
  );
const ungatedReason = z
  .enum(UNGATED_REASONS)
  .nullable()
  .describe('Why the verdict is not PASS; null if it is.');

const explanation = z
  .strictObject({
    logit: z.number().describe('intercept + all contributions; the score is its logistic function.'),
    intercept: z.number().describe('The logit of the average training text.'),
    features: z.array(z.strictObject({ feature: z.string(), value: z.number(), contribution: z.number() })),
    word_pieces: z
      .array(z.strictObject({ piece: z.string(), count: z.int().positive(), contribution: z.number() }))
      .describe('Largest contribution first. Empty where the encoder does not tell pieces apart.'),
    word_pairs: z
      .array(z.strictObject({ pair: z.string(), contribution: z.number() }))
      .describe('Neighbouring word pieces, largest contribution first. Empty where word_pieces is.'),
    embedding: z
      .number()
      .exactOptional()
      .describe('Contribution of the embedding as a whole, instead of word pieces.'),
    neighbours: z
      .strictObject({
        vote: probability.describe('Mean quality of the 100 nearest labelled cases.'),
        contribution: z.number(),
        similar: z
          .boolean()
          .exactOptional()
          .describe(
            'False: nothing similar was labelled, the nearest case lies below least_similarity. Both are left out if the artifact knows no such limit.',
          ),
        least_similarity: z.number().exactOptional().describe('Cosine.'),
        nearest: z.array(
          z.strictObject({
            key: z
              .string()
              .describe('Of the question; of several cases that vote as one, of the nearest to their mean.'),
            cases: z.number().positive(),
            similarity: z.number().describe('Cosine.'),
            quality: probability.describe("The candidate's mean quality on them."),
          }),
        ),
      })
      .exactOptional()
      .describe('Where labelled cases vote: their part of the sum, and the nearest of them.'),
  })
  .describe('The exact sum behind the score of one candidate.');

export const decisionSchema = z
  .strictObject({
    id: z.string(),
    model: z.string().describe('The model to call.'),
    candidate: z.string().describe('The rung of the ladder.'),
    escalated: z.boolean().describe('A stronger rung than the cheapest was chosen.'),
    scores: z
      .record(z.string(), probability)
      .nullable()
      .describe(
        'Candidate -> probability that its answer is good. Null where no classifier ran, or it failed.',
      ),
    predicted_loss: z
      .number()
      .min(-1)
      .max(1)
      .nullable()
      .describe("The strongest candidate's score minus the cheapest one's."),
    expected_loss: z
      .number()
      .min(-1)
      .max(1)
      .exactOptional()
      .describe(
        'What labelled cases of such a predicted loss lost on average, by a straight line. Left out if the artifact has none, or no classifier ran.',
      ),
    predicted_task: z
      .strictObject({ task: z.string(), probability: z.number().min(0).max(1) })
      .exactOptional()
      .describe('What the text is likely to ask for. Left out unless `tasks` is on, and without a text.'),
    threshold: z
      .number()
      .min(-1)
      .max(1)
      .nullable()
      .describe('The one that was used: the largest predicted loss that is not escalated.'),
    reason: z.enum(CHOICE_REASONS),
    rule: z
      .string()
      .exactOptional()
      .describe('The rule of the configuration that fired, whether or not it changed the choice.'),
    policy: z.strictObject({ name: z.string(), version: z.int().positive(), sha256 }),
    artifact,
    profile: z.string().exactOptional().describe('The profile that the request was for; left out if none.'),
    stale: z.boolean().describe('Learned on other models than are served: the scores are a guess.'),
    verdict: policyVerdict,
    ungated_reason: ungatedReason,
    latency_ms: z.number().min(0).describe('Time to decide, without HTTP.'),
    explanation: z
      .record(z.string(), explanation)
      .nullable()
      .exactOptional()
      .describe('Only if it was asked for. Null if there was no text to score, or the classifier failed.'),
  })
  .describe('A routing decision. It holds no word of the prompt, unless an explanation was asked for.');

export const batchResponseSchema = z.strictObject({
  decisions: z
    .array(z.union([decisionSchema, errorEnvelopeSchema]))
    .describe('In the order of the requests; an error in the place of an item that could not be decided.'),
});

export const healthSchema = z.strictObject({
  status: z.literal('ok'),
  version: z.string(),
  uptime_s: z.number().min(0),
});

export const standingSchema = z
  .strictObject({
    status: z.enum(POLICY_VERDICTS),
    suite: z.string().nullable(),
    issued: z.iso.datetime().nullable(),
    expires: z.iso.datetime().nullable(),
    why: z.string().nullable().describe('Why it is no PASS; null where it is one.'),
  })
  .describe("What the gate's verdict on the artifact's own policy is worth, over one ladder.");

const servedRung = z.strictObject({
  candidate: z.string(),
  model: z.string(),
  learned_from: z.string(),
  for: z.array(z.string()).optional().describe('The tasks of a specialist; left out if it competes for all.'),
});

const watchStatus = z.strictObject({
  drift: z
    .strictObject({
      requests: z.int().min(0),
      alarm: z.boolean(),
      e_value: z.number().min(0).describe('Evidence of a change; an alarm at 1 / (1 - confidence).'),
      moved: z
        .array(z.strictObject({ feature: z.string(), psi: z.number(), e_value: z.number().min(0) }))
        .describe('The three features that moved the most, with the population stability index.'),
    })
    .optional(),
  shares: z
    .strictObject({
      requests: z.int().min(0).describe('Those that the policy sent where it chose, among all rungs.'),
      rungs: z.array(z.number()).describe('Share of each rung, cheapest first.'),
      alarm: z
        .enum(['escalation', 'collapse'])
        .nullable()
        .describe("The escalation rate left the suite's band, or one rung gets nearly everything."),
      e_value: z.number().min(0),
    })
    .optional(),
  audits: z
    .strictObject({
      n: z.int().min(0),
      mean_loss: z.number().nullable(),
      limit: z.number().describe('Mean loss of a request that stays cheap, up to which the PASS holds.'),
      e_value: z.number().min(0),
      contradictions: z.int().min(0),
      threshold: z
        .number()
        .nullable()
        .describe('The one in force; null if everything goes to the strongest candidate.'),
    })
    .optional(),
});

export const readinessSchema = z.strictObject({
  status: z
    .enum(['ready', 'degraded', 'no-provider-key', 'draining', 'golden-failed'])
    .describe(
      'ready and degraded come with 200: requests may be sent here. degraded: they are served, and somebody has to fix what troubles says. no-provider-key: no model can be called.',
    ),
  troubles: z.array(z.string()).describe('What is wrong though it serves, a sentence each.'),
  artifact,
  ladder: z.array(servedRung),
  stale: z.boolean(),
  policies: z.array(z.string()),
  default_policy: z.string(),
  decisions: z.int().min(0),
  classifier_failures: z.int().min(0),
  last_failure: z.strictObject({ at: z.iso.datetime(), message: z.string() }).nullable(),
  verdict: standingSchema,
  profiles: z
    .record(
      z.string(),
      z.strictObject({
        artifact,
        ladder: z.array(servedRung),
        stale: z.boolean(),
        policy: z.string().describe('Of requests that name none.'),
        margin: z.number().optional().describe('Largest quality loss that its verdict may allow.'),
        verdict: standingSchema,
      }),
    )
    .describe('Artifact and ladder of each profile, and what its verdict is worth.'),
  artifacts: z
    .array(
      z.strictObject({
        name: z.string(),
        sha256,
        profiles: z.array(z.string()).describe('Those that it decides for.'),
        load_ms: z.int().min(0),
        memory_bytes: z
          .int()
          .min(0)
          .describe('By how much the memory of the process grew while it was opened.'),
        watch: watchStatus.optional().describe('What it serves, compared with what the gate certified.'),
      }),
    )
    .optional()
    .describe('What is loaded; left out if there is one artifact.'),
  reload: z
    .strictObject({ at: z.iso.datetime(), ok: z.boolean(), message: z.string() })
    .nullable()
    .describe('The last reload; where it failed, what served before serves on. Null before the first.'),
  watch: watchStatus
    .optional()
    .describe('What is served, compared with what the gate certified; left out unless watch is configured.'),
  instances: z
    .array(
      z.strictObject({ host: z.string(), version: z.string(), artifact: z.string(), config: z.string() }),
    )
    .optional()
    .describe('What the instances behind one address serve, by sha256; left out if there is one.'),
});

export const indexSchema = z.strictObject({
  name: z.literal('plimsoll'),
  version: z.string(),
  routes: z.array(z.strictObject({ method: z.string(), path: z.string(), summary: z.string() })),
  documentation: z.string(),
});
