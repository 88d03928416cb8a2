import { z } from 'zod';
import { fieldIn, parseJson } from '../../../router/json/index.ts';
import { JUDGE_PURPOSE } from '../call-model.ts';
import { type Grade, type Grader, type GraderTools, missing, type ReplySample } from '../graders/grader.ts';
import { type JudgeMessage, pairwisePrompt, repeatedForm, rubricPrompt } from './judge-prompts.ts';
import { flipped, type JudgeTally, type Verdict } from './judge-report.ts';
import { modelFamily } from './model-family.ts';

export const judgeSchema = z.strictObject({
  type: z.literal('judge'),
  style: z
    .enum(['pairwise', 'rubric'])
    .default('pairwise')
    .describe(
      "pairwise: against the strongest candidate's reply, in both orders; rubric: each reply on a scale from 1 to 5.",
    ),
  rubric: z.string().min(1).max(20_000).optional().describe('What counts, in your words.'),
  votes: z.int().min(1).max(15).default(1).describe('How often the judge is asked; the mean counts.'),
  max_tokens: z
    .int()
    .min(8)
    .max(100_000)
    .default(256)
    .describe('Of a reply of the judge; one that reasons needs more.'),
});
export type JudgeOptions = z.output<typeof judgeSchema>;

/** `<provider>/<model>`, and who counts what it does. */
export interface Judge {
  readonly model: string;
  readonly tally: JudgeTally;
}

/**
 * A language model grades the replies, at temperature 0. Pairwise: 1 if the reply is better than that of the strongest candidate whichever stands
 * first, 0 if it is worse, .5 else; the strongest candidate's own is .5. So a quality loss of .5 is a reply that always loses. Rubric: (score - 1) / 4.
 *
 * @see Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, arXiv 2306.05685: swapped positions, biases of judges
 */
export function judgeGrader(options: JudgeOptions, judge: Judge): Grader {
  return {
    type: 'judge',
    needsReference: false,
    grade: (sample, tools) =>
      options.style === 'pairwise'
        ? gradePair(sample, tools, options, judge)
        : gradeByRubric(sample, tools, options, judge),
  };
}

const TIE = 0.5;

async function gradePair(
  sample: ReplySample,
  tools: GraderTools,
  options: JudgeOptions,
  judge: Judge,
): Promise<Grade> {
  const { reply, strongReply, isStrongest } = sample;
  if (isStrongest) return judged(TIE);
  if (strongReply === undefined)
    return missing('there is no reply of the strongest candidate to compare with');
  if (reply.trim() === strongReply.trim()) return judged(TIE);
  const votes = await Promise.all(
    Array.from({ length: options.votes }, async (_, vote) => {
      const ask = (order: string, a: string, b: string) =>
        askInForm(
          pairwisePrompt(sample, a, b, options.rubric),
          `${order} ${vote}`,
          verdictIn,
          sample,
          tools,
          options,
          judge,
        );
      const [asA, asB] = await Promise.all([
        ask('first', reply, strongReply),
        ask('second', strongReply, reply),
      ]);
      if ('why' in asA) return asA;
      if ('why' in asB) return asB;
      const [first, second] = [asA.verdict, asB.verdict];
      const quality = flipped(first) !== second || first === 'tie' ? TIE : Number(first === 'A');
      judge.tally.paired({
        asA: first,
        asB: second,
        length: reply.length,
        strongLength: strongReply.length,
        quality,
        ownFamily: isOwn(sample, judge),
      });
      return quality;
    }),
  );
  return meanOfVotes(votes, judge);
}

async function gradeByRubric(
  sample: ReplySample,
  tools: GraderTools,
  options: JudgeOptions,
  judge: Judge,
): Promise<Grade> {
  const votes = await Promise.all(
    Array.from({ length: options.votes }, async (_, vote) => {
      const messages = rubricPrompt(sample, sample.reply, options.rubric);
      const score = await askInForm(messages, `rubric ${vote}`, scoreIn, sample, tools, options, judge);
      if ('why' in score) return score;
      const quality = (score.verdict - 1) / 4;
      judge.tally.scored(sample.reply.length, quality, isOwn(sample, judge));
      return quality;
    }),
  );
  return meanOfVotes(votes, judge);
}

/** Why the judge gave no verdict. */
interface NoVerdict {
  readonly why: string;
}

function meanOfVotes(votes: readonly (number | NoVerdict)[], judge: Judge): Grade {
  const given = votes.filter((vote) => typeof vote === 'number');
  const failed = votes.find((vote) => typeof vote !== 'number');
  if (failed === undefined) return judged(given.reduce((sum, one) => sum + one, 0) / given.length);
  judge.tally.lacked();
  return missing(failed.why);
}

function judged(quality: number): Grade {
  return { kind: 'graded', quality, source: 'judge' };
}

function isOwn({ model }: ReplySample, judge: Judge): boolean {
  return modelFamily(model) === modelFamily(judge.model);
}

/** @returns why there is no verdict if the judge answers neither time in the form, or not at all */
async function askInForm<T>(
  messages: readonly JudgeMessage[],
  purpose: string,
  read: (text: string) => T | undefined,
  sample: ReplySample,
  { ask }: GraderTools,
  { style, max_tokens }: JudgeOptions,
  judge: Judge,
): Promise<{ readonly verdict: T } | NoVerdict> {
  const call = (asked: readonly JudgeMessage[], again: string) =>
    ask({
      model: judge.model,
      caseId: sample.caseId,
      purpose: `${JUDGE_PURPOSE}${sample.candidate} ${purpose}${again}`,
      body: { messages: asked, temperature: 0, max_tokens },
      logprobs: false,
    });
  const first = await call(messages, '');
  if ('why' in first) return noReply(first.why);
  const verdict = read(first.text);
  judge.tally.called(verdict !== undefined);
  if (verdict !== undefined) return { verdict };
  const second = await call(repeatedForm(messages, first.text, style), ', form repeated');
  if ('why' in second) return noReply(second.why);
  const repeated = read(second.text);
  judge.tally.called(repeated !== undefined);
  if (repeated !== undefined) return { verdict: repeated };
  return { why: 'the judge replied twice without a verdict in the form that it was asked for' };
}

function noReply(why: string): NoVerdict {
  return { why: `the judge did not reply: ${why}` };
}

const VERDICTS: Readonly<Record<string, Verdict>> = { a: 'A', b: 'B', tie: 'tie' };

function verdictIn(text: string): Verdict | undefined {
  const verdict = fieldIn(lastObject(text), 'verdict');
  return typeof verdict === 'string' ? VERDICTS[verdict.trim().toLowerCase()] : undefined;
}

function scoreIn(text: string): number | undefined {
  const score = fieldIn(lastObject(text), 'score');
  return Number.isInteger(score) && Number(score) >= 1 && Number(score) <= 5 ? Number(score) : undefined;
}

/** The last flat JSON object of a text: a judge may think aloud before it. */
function lastObject(text: string): unknown {
  const open = text.lastIndexOf('{');
  const close = text.indexOf('}', open);
  return open === -1 || close === -1 ? undefined : parseJson(text.slice(open, close + 1));
}
