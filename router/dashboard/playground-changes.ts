import { isHuman, requirementsOf } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { Gateway } from '../gateway/index.ts';
import { scoredText } from '../prompt/index.ts';
import { type GradedReply, keepGrades } from '../records/index.ts';
import type { Explained, Router } from '../router.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { askCandidate, messagesOf, PLAYGROUND_TAG } from './playground-ask.ts';
import { AskedReply } from './playground-reply.ts';
import type { Attempt, Run } from './playground-runs.ts';

/** Characters of a prompt, and of a system text. */
export const LONGEST_PROMPT = 100_000;
/** Room for the longest prompt and system text, encoded as a form. */
const LONGEST_FORM = 2_097_152;

/** Tokens that a reply may have, to choose from. */
export const MAX_TOKENS = [256, 1_024, 4_096] as const;

const toRun = (form: URLSearchParams) => `playground/${encodeURIComponent(form.get('run') ?? '')}`;

export const decidePromptChange: DashboardChange = {
  path: 'decide-prompt',
  role: 'operate',
  isUnlisted: true,
  longestForm: LONGEST_FORM,
  back: 'playground',
  async run(form, { parts: { router }, visitor, runs, nowMs }) {
    const prompt = textOf(form, 'prompt');
    if (prompt.trim() === '') throw invalid('Nothing was decided: the prompt is empty.');
    const system = textOf(form, 'system');
    const profile = form.get('profile') || undefined;
    if (profile !== undefined && !router.profiles.has(profile)) {
      throw invalid('Nothing was decided: there is no such profile any more. Load the page again.');
    }
    const tried = { prompt, system, profile, captured: form.get('captured') || undefined };
    const explained = await explain(tried, router, visitor.keyId);
    const { id } = runs.add(visitor.formToken!, { ...tried, explained }, nowMs);
    return { kind: 'note', text: 'Decided. No model was called.', at: `playground/${id}` };
  },
};

/** The decision that a request with these words gets, with what made its score. */
function explain(
  tried: Omit<Attempt, 'explained'>,
  router: Router,
  keyId: string | undefined,
): Promise<Explained> {
  const messages = messagesOf(tried);
  const { profile } = tried;
  const traits = {
    model: undefined,
    isExplicit: false,
    task: undefined,
    tags: [PLAYGROUND_TAG],
    keyId,
    headers: {},
    text: () => scoredText({ messages }),
    needs: () => requirementsOf({ messages }, 'openai'),
  };
  // The watch compares the traffic with the certified requests, and this is none of it.
  const asked = { isRepeated: true, ...(profile !== undefined && { profile }) };
  return router.explain({ messages }, router.ruled(traits, asked));
}

export const askCandidatesChange: DashboardChange = {
  path: 'ask-candidates',
  role: 'operate',
  subject: 'run',
  back: toRun,
  async run(form, context) {
    const { parts, visitor } = context;
    const gateway = gatewayOf(context);
    const run = runOf(form, context);
    if (run.replies.length > 0) throw new PlimsollError('conflict', 'The candidates were asked already.');
    const maxTokens = MAX_TOKENS.find((one) => String(one) === form.get('max_tokens'));
    if (maxTokens === undefined) {
      throw invalid(`No model was called: a reply has at most ${MAX_TOKENS.join(', ')} tokens.`);
    }
    const wanted = form.getAll('candidate');
    const replies = candidatesOf(run, parts.router)
      .filter(({ candidate }) => wanted.includes(candidate))
      .map(({ candidate, model }) => new AskedReply(candidate, model));
    if (replies.length === 0) throw invalid('No model was called: choose at least one candidate.');
    run.replies = replies;
    const { router, budget } = parts;
    for (const reply of replies)
      void askCandidate(reply, run, maxTokens, visitor, { gateway, router, budget });
    return { kind: 'note', text: `Asked ${replies.map(({ model }) => model).join(', ')}.` };
  },
};

/** The rungs of the profile, without people: those are not asked for the sake of a trial. */
export function candidatesOf({ profile }: Pick<Run, 'profile'>, router: Router) {
  const rungs = profile === undefined ? router.ladder : (router.profiles.get(profile)?.rungs ?? []);
  return rungs.filter(({ model }) => !isHuman(model));
}

/** What a grade is worth: as on the page of `plimsoll review`. */
const QUALITIES: Readonly<Record<string, number>> = { good: 1, bad: 0 };

export const gradeRepliesChange: DashboardChange = {
  path: 'grade-replies',
  role: 'operate',
  subject: 'run',
  back: toRun,
  async run(form, context) {
    const run = runOf(form, context);
    const { visitor, nowMs, parts } = context;
    const log = parts.gateway?.state?.log;
    if (log === undefined) throw new PlimsollError('not-found', 'Nothing was kept: the server has no state.');
    const given = run.replies.map((_, at) => gradeIn(form, at));
    const partial = run.replies.find((reply, at) => given[at] !== '' && !reply.isWhole);
    if (partial !== undefined)
      throw invalid(`Nothing was kept: the reply of ${partial.model} is not whole, and cannot be graded.`);
    const replies = run.replies.flatMap((reply, at) => gradedReply(reply, given[at]!));
    const isChange = run.grades.some((one) => one !== '');
    if (replies.length === 0 && !isChange) throw invalid('Nothing was kept: grade at least one whole reply.');
    const request = {
      ...(run.system !== '' && { system: run.system }),
      messages: replies.length === 0 ? [] : [{ role: 'user', content: run.prompt }],
    };
    const { keyId, name: grader } = visitor;
    try {
      await keepGrades(
        log,
        { id: run.id, timeMs: nowMs, keyId, grader, captured: run.captured, request, replies },
        parts.config().capture,
      );
    } catch (error) {
      if (error instanceof PlimsollError) throw error;
      throw new PlimsollError('io', 'Nothing was kept: capture.redact_command did not redact the texts.');
    }
    run.grades = given;
    if (replies.length === 0)
      return { kind: 'note', text: 'Your grades are withdrawn: no labelled case is made of these replies.' };
    const count = replies.length === 1 ? 'The grade is' : `The grades of ${replies.length} replies are`;
    return {
      kind: 'note',
      text: `${count} kept, ${isChange ? 'in place of what you said before' : 'with the prompt'}.`,
    };
  },
};

/** `good`, `bad`, or nothing. */
function gradeIn(form: URLSearchParams, at: number): string {
  const grade = form.get(`grade-${at}`) ?? '';
  return Object.hasOwn(QUALITIES, grade) ? grade : '';
}

function gradedReply(reply: AskedReply, grade: string): GradedReply[] {
  const quality = QUALITIES[grade];
  if (quality === undefined) return [];
  const { model, text, inputTokens, outputTokens, costUsd, totalMs: latencyMs, finishReason } = reply;
  return [{ model, quality, text, inputTokens, outputTokens, costUsd, latencyMs, finishReason }];
}

function gatewayOf({ parts: { gateway, isDraining } }: PageContext): Gateway {
  if (gateway === undefined) throw new PlimsollError('not-found', 'This server calls no models.');
  if (isDraining()) throw new PlimsollError('closed', 'No model was called: the server is about to stop.');
  return gateway;
}

function runOf(form: URLSearchParams, { runs, visitor, nowMs }: PageContext): Run {
  const run = runs.find(visitor.formToken, form.get('run') ?? '', nowMs);
  if (run !== undefined) return run;
  throw new PlimsollError('not-found', 'Nothing was done: this prompt is not held any more. Enter it again.');
}

/** As it was written: browsers send lines with \r\n. @throws PlimsollError `too-large` */
function textOf(form: URLSearchParams, field: 'prompt' | 'system'): string {
  const text = (form.get(field) ?? '').replaceAll('\r\n', '\n');
  if (text.length <= LONGEST_PROMPT) return text;
  throw new PlimsollError(
    'too-large',
    `Nothing was decided: the ${field} has ${text.length} characters, and at most ${LONGEST_PROMPT} are taken.`,
  );
}

function invalid(message: string): PlimsollError {
  return new PlimsollError('invalid-input', message);
}
