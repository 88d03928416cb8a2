import { z } from 'zod';
import { LEAST_POSSIBLE_LOGPROB } from '../../router/cascade/index.ts';
import { LABEL_SOURCES, type Outcome, type Reply } from '../../router/types.ts';
import {
  BadRow,
  DEFAULT_RULES,
  type NumberRules,
  parseNumbers,
  parseQuality,
  parseRow,
} from '../case-files/index.ts';

const amount = z.number().min(0).nullish();

/** The amounts of an outcome. Its quality is in a field of the caller's choice and checked separately. */
const amountsSchema = z.looseObject({
  input_tokens: amount,
  output_tokens: amount,
  cost_usd: amount,
  latency_ms: amount,
  label_source: z.enum(LABEL_SOURCES, { error: `must be one of ${LABEL_SOURCES.join(', ')}` }).nullish(),
});

/** The field that holds an outcome's label unless the caller names another. */
export const DEFAULT_QUALITY_FIELD = 'quality';
/** Beside a label of people: what the judge had said. */
export const JUDGED_QUALITY = 'judged_quality';

/**
 * What a model did. Undefined if the outcome has no label, which is null or a field of the caller's choice that is not there; without the
 * default field `quality` an outcome is a bad row, since it has no meaning.
 *
 * @param path of the outcome in the row, for the rejected row
 * @throws BadRow: a quality off the scale or not a number; a count, cost or latency that is negative or not a number; a reply with faults
 */
export function parseOutcome(
  fields: object,
  qualityField: string,
  path: string,
  rules: NumberRules = DEFAULT_RULES,
): Outcome | undefined {
  const quality = parseLabel(fields, qualityField, path, rules);
  if (quality === undefined) return undefined;
  const amounts = parseRow(amountsSchema, rules.quoted ? parseNumbers(fields, rules) : fields, path);
  const { input_tokens, output_tokens, cost_usd, latency_ms, label_source: source } = amounts;
  const judged = labelOf(fields, JUDGED_QUALITY) ?? undefined;
  const judgedQuality =
    judged === undefined ? undefined : parseQuality(judged, rules, `${path}.${JUDGED_QUALITY}`);
  if (judgedQuality !== undefined && source === 'judge') {
    throw new BadRow(
      `stands beside a label of people: what the judge had said before. The source of this one is "judge"; leave one of the two out, or correct label_source`,
      `${path}.${JUDGED_QUALITY}`,
    );
  }
  const reply = parseReply(fields, path, rules);
  return {
    quality,
    ...(source != null && source !== 'unknown' && { labelSource: source }),
    ...(judgedQuality !== undefined && { judgedQuality }),
    ...(input_tokens != null && { inputTokens: input_tokens }),
    ...(output_tokens != null && { outputTokens: output_tokens }),
    ...(cost_usd != null && { costUsd: cost_usd }),
    ...(latency_ms != null && { latencyMs: latency_ms }),
    ...(reply && { reply }),
  };
}

/**
 * The reply of an outcome that has no label: a request that a cascade escalates needs none, and its reply shows that it is escalated.
 * @throws BadRow as parseOutcome, of a reply with faults
 */
export function parseUnlabelledReply(
  fields: object,
  qualityField: string,
  path: string,
  rules: NumberRules = DEFAULT_RULES,
): Reply | undefined {
  return labelOf(fields, qualityField) == null ? parseReply(fields, path, rules) : undefined;
}

function labelOf(fields: object, qualityField: string): unknown {
  return Object.hasOwn(fields, qualityField) ? fields[qualityField as keyof typeof fields] : undefined;
}

function parseLabel(
  fields: object,
  qualityField: string,
  path: string,
  rules: NumberRules,
): number | undefined {
  const value = labelOf(fields, qualityField);
  const place = `${path}.${qualityField}`;
  if (value === null) return undefined; // nobody labelled it
  if (value !== undefined) return parseQuality(value, rules, place);
  if (qualityField === DEFAULT_QUALITY_FIELD) throw new BadRow('missing; give a number from 0 to 1', place);
  return undefined;
}

/** What is not known is null: minus infinity, or a number like it, says nothing that can be learned from. */
function logprobFrom(least: number) {
  const error = ({ input }: { readonly input?: unknown }) =>
    `must be a number from ${least} to 0, the natural logarithm of a probability; null if it is not known${typeof input === 'number' ? `; is ${input}` : ''}`;
  return z.number({ error }).min(least, { error }).max(0, { error }).nullish();
}

const tokenLogprob = logprobFrom(LEAST_POSSIBLE_LOGPROB.token);

export const share = z
  .number({ error: 'must be a number from 0 to 1; null if it is not known' })
  .min(0, { error: ({ input }) => `must be a number from 0 to 1, is ${input}` })
  .max(1, { error: ({ input }) => `must be a number from 0 to 1, is ${input}` })
  .nullish();

export const text = z.string({ error: 'must be a text; null if it is not known' }).nullish();

export const REPLY_FIELDS = ['answer', 'confidence_logprob', 'signals'] as const;

/** What an outcome may say about the reply. A signal that does not exist is refused: misspelt, it would be missing in silence. */
const replySchema = z.looseObject({
  answer: text,
  confidence_logprob: logprobFrom(LEAST_POSSIBLE_LOGPROB.reply),
  signals: z
    .strictObject(
      {
        mean_logprob: tokenLogprob,
        min_logprob: tokenLogprob,
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
 * @throws BadRow: a logarithm that no probability has, a share outside 0..1, a text that is none, an unknown signal
 */
export function parseReply(
  fields: object,
  path: string,
  rules: NumberRules = DEFAULT_RULES,
): Reply | undefined {
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

/** The models of a cascade whose replies are judged: all but the strongest. @param models cheapest first */
export function checkedModels(models: readonly string[]): readonly string[] {
  return models.slice(0, -1);
}
