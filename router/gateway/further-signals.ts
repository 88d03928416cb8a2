import { logprobSignals } from '../cascade/index.ts';
import type { CatalogModel } from '../catalog/index.ts';
import { replyContent } from '../dialects/index.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import type { FallbackResult, FallbackRun } from '../fallback/index.ts';
import { parseJson } from '../json/index.ts';
import type { SpentReply } from '../records/index.ts';
import type { ReplyCheck } from '../router.ts';
import type { Mutable, Reply } from '../types.ts';
import { cutOffReply } from './spent-replies.ts';

/** What else may be asked about a cheap reply. */
export interface FurtherSignalOptions {
  /** Replies of the cheap model to compare, the one that may go out included; undefined: that one alone. */
  readonly samples?: number | undefined;
  /** Says whether a reply is right; undefined: nobody does. */
  readonly verifier?: CatalogModel | undefined;
}

interface SignalRequest extends FurtherSignalOptions {
  readonly run: FallbackRun;
  readonly call: UnroutedCall;
  readonly check: Pick<ReplyCheck, 'uses'>;
  /** The cheap model that replied, its text, and the text that was scored. */
  readonly model: CatalogModel;
  readonly text: string;
  readonly prompt: string;
  readonly deadline: number;
}

export interface FurtherSignals {
  readonly signals: Pick<Reply, 'agreement' | 'verifier'>;
  /** The replies that were paid for them. */
  readonly spent: readonly SpentReply[];
  /** A signal is missing since the deadline came first. */
  readonly isCutOff: boolean;
}

/**
 * The signals that take further calls, which are made at once. Nobody is called for a signal that the judge does not use. One that fails is missing.
 */
export async function furtherSignals(request: SignalRequest): Promise<FurtherSignals> {
  const { check, samples = 1, verifier } = request;
  const [sampled, verified] = await Promise.all([
    Promise.all(Array.from({ length: check.uses.agreement ? samples - 1 : 0 }, () => sample(request))),
    check.uses.verifier && verifier !== undefined ? verification(request, verifier) : undefined,
  ]);
  const signals: Mutable<Pick<Reply, 'agreement' | 'verifier'>> = {};
  const texts = sampled.flatMap(({ text }) => (text === undefined ? [] : [text]));
  if (texts.length > 0) signals.agreement = agreement(request.text, texts);
  if (verified?.right !== undefined) signals.verifier = verified.right;
  const isLate = (calls: readonly { readonly isCutOff: boolean }[]) => calls.some(({ isCutOff }) => isCutOff);
  const verifying = verified ? [verified] : [];
  return {
    signals,
    spent: [...sampled, ...verifying].flatMap(({ spent }) => spent),
    isCutOff:
      (texts.length === 0 && isLate(sampled)) || (signals.verifier === undefined && isLate(verifying)),
  };
}

/** The share of the samples that say the same, but for case, white space and punctuation. */
function agreement(text: string, samples: readonly string[]): number {
  const own = words(text);
  return samples.filter((sampled) => words(sampled) === own).length / samples.length;
}

function words(text: string): string {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [text.trim()]
  ).join(' ');
}

async function sample({ run, call, model, deadline }: SignalRequest) {
  const { bodyText: _, ...rest } = call;
  const { stream_options: __, ...body } = call.body;
  const plain = { ...rest, body: { ...body, stream: false }, stream: false, mappings: new Map() };
  const result = await run.call(plain, [model], deadline, 'sample');
  const text = wholeText(result, call.dialect);
  return { text, spent: spentOn(result, plain, model), isCutOff: isCutOff(result) };
}

/** Enough for the word, and for models that think in a few words first. */
const VERIFIER_TOKENS = 16;

/** A prompt of one's own labelling must be the same, word for word: the judge learns what this one's replies are worth. */
function verifierPrompt(prompt: string, text: string): string {
  return `Another model was asked:\n\n${prompt}\n\nIt replied:\n\n${text}\n\nIs this reply correct and complete? Say Yes or No, and nothing else.`;
}

async function verification({ run, call, prompt, text, deadline }: SignalRequest, verifier: CatalogModel) {
  const messages = [{ role: 'user', content: verifierPrompt(prompt, text) }];
  const asking: UnroutedCall = {
    dialect: 'openai',
    operation: 'chat',
    body: { model: verifier.name, messages, max_tokens: VERIFIER_TOKENS },
    stream: false,
    unmappable: 'drop-all',
    mappings: new Map(),
    headers: {},
    logprobs: true,
    ...(call.memory && { memory: call.memory }),
    signal: call.signal,
  };
  const result = await run.call(asking, [verifier], deadline, 'verifier');
  const said = /^\P{L}*(yes|no)(?!\p{L})/iu.exec(wholeText(result, 'openai') ?? '')?.[1]?.toLowerCase();
  const right = said === undefined ? undefined : probabilityRight(said === 'yes', result);
  return { right, spent: spentOn(result, asking, verifier), isCutOff: isCutOff(result) };
}

/** By the probability of its first token, if that is known. */
function probabilityRight(saysYes: boolean, result: FallbackResult): number {
  const whole = result.kind === 'reply' ? result.outcome.body.whole : undefined;
  const [first] = (result.kind === 'reply' && whole && result.outcome.takeLogprobs?.(whole).logprobs) || [];
  const { meanLogprob = 0 } = logprobSignals([first]);
  return saysYes ? Math.exp(meanLogprob) : 1 - Math.exp(meanLogprob);
}

function wholeText(result: FallbackResult, dialect: UnroutedCall['dialect']): string | undefined {
  if (result.kind === 'failure' || result.outcome.body.whole === undefined) return undefined;
  return replyContent(dialect, parseJson(Buffer.from(result.outcome.body.whole).toString('utf8'))).text;
}

function isCutOff(result: FallbackResult): boolean {
  return result.kind === 'failure' && result.failure.reason === 'deadline';
}

function spentOn(result: FallbackResult, call: UnroutedCall, model: CatalogModel): SpentReply[] {
  if (result.kind === 'failure') return cutOffReply(call, result, [model]);
  return [{ model: result.model, usage: result.outcome.usage() }];
}
