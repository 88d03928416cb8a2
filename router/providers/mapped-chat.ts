import {
  type AnswerContext,
  answerContext,
  anthropicAnswer,
  anthropicStream,
  begun,
  type CallOptions,
  endedUnfinished,
  openaiAnswer,
  openaiStream,
  type SdkModel,
  type SdkUsage,
  type StreamPart,
  UNKNOWN_USAGE,
  usageOf,
} from '../dialects/index.ts';
import { UpstreamBroken } from './broken.ts';
import type { ProviderLine } from './exchange-fetch.ts';
import { mappingOf } from './map-request.ts';
import { plainOutcome, streamBody } from './mapped-body.ts';
import type { MappedCall, SendMapped } from './mapped-call.ts';
import { sdkModel } from './sdk-model.ts';
import type { AttemptOutcome, UpstreamCall, Usage } from './types.ts';

interface Work {
  readonly call: UpstreamCall;
  readonly line: ProviderLine;
  readonly model: SdkModel;
  readonly options: CallOptions;
  readonly dropped: readonly string[];
  readonly context: AnswerContext;
}

/**
 * Maps a chat completion or a message, plain or streamed, for the SDK; nothing is sent.
 * @throws PlimsollError `invalid-input` that names the field, if the provider's API cannot carry it
 */
export async function prepareChat({ call, key, env }: MappedCall): Promise<SendMapped> {
  const { model: entry, signal } = call;
  const { options, includeUsage, completing, dropped } = await mappingOf(call, env);
  signal.throwIfAborted();
  const context = answerContext(call, includeUsage);
  return async (line) => {
    const model = await sdkModel(entry, { apiKey: key, env, fetch: completing(line.fetch) });
    const work = { call, line, model, options, dropped, context };
    return call.stream ? streamed(work) : plain(work);
  };
}

async function plain({ call, line, model, options, dropped, context }: Work): Promise<AttemptOutcome> {
  const result = await model.doGenerate(options);
  if (result.finishReason.unified === 'error') {
    throw new UpstreamBroken('unreadable', 'The model ended its reply with an error.');
  }
  const notes = line.notes();
  const counted = notes.usageUnknown ? { ...result, usage: UNKNOWN_USAGE } : result;
  const reply = call.dialect === 'openai' ? openaiAnswer : anthropicAnswer;
  return { ...plainOutcome(reply(counted, context, notes), usageOf(counted.usage)), dropped };
}

async function streamed({ call, line, model, options, dropped, context }: Work): Promise<AttemptOutcome> {
  const { stream } = await model.doStream(options);
  const { first, parts } = await begun(stream);
  if (first?.type === 'error') throw first.error;
  if (first === undefined || (first.type === 'finish' && endedUnfinished(first))) {
    throw new UpstreamBroken('unreadable', 'The stream holds no answer.');
  }
  let usage: Usage | undefined;
  const seen = watched(parts, line, (counted) => {
    usage = usageOf(counted);
  });
  const events = call.dialect === 'openai' ? openaiStream : anthropicStream;
  return {
    kind: 'answer',
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: streamBody(events(seen, context, line.notes), call, line),
    usage: () => usage,
    dropped,
  };
}

/** The same parts, with the counts at the end only if the provider named them. @param see is told of the counts */
async function* watched(
  parts: AsyncIterable<StreamPart>,
  line: ProviderLine,
  see: (usage: SdkUsage) => void,
): AsyncGenerator<StreamPart> {
  for await (const part of parts) {
    if (part.type !== 'finish') {
      yield part;
      continue;
    }
    if (line.broken() !== undefined) throw line.broken(); // an error after the reason to finish
    const usage = line.notes().usageUnknown ? UNKNOWN_USAGE : part.usage;
    see(usage);
    yield { ...part, usage };
  }
}
