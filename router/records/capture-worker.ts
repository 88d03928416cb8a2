import { parentPort, workerData } from 'node:worker_threads';
import { textSignals } from '../cascade/index.ts';
import { neutralRequest, type ReplyContent, replyContent, streamContent } from '../dialects/index.ts';
import { SseReader } from '../exchange/index.ts';
import { isObject, type JsonObject, parseJson } from '../json/index.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';
import type { CaptureJob, CaptureResult, CaptureThreadData } from './capture-thread.ts';
import { type CapturedReply, type CapturedRequest, capturedRecord } from './captured.ts';
import { openWordRedaction } from './redacted-words.ts';
import { stratumOf } from './sampling.ts';

/** The program of the thread that reads, redacts and writes down what was drawn. Nothing of a text leaves it but in a result. */
const { withReply, maxBytes, ...options } = workerData as CaptureThreadData;
const port = parentPort!;
const redaction = await openWordRedaction(options);

port.on('message', async (given: CaptureJob) => {
  port.postMessage(await captured(given));
});

async function captured(given: CaptureJob): Promise<CaptureResult> {
  const { job } = given;
  try {
    const body = parseJson(given.bodyText);
    const request = isObject(body) ? neutralRequest(body, given.dialect) : undefined;
    if (request === undefined || !isObject(body)) return { job, fault: 'not-text' };
    const prompt = promptOf(body, given);
    const reply = given.reply && { ...given.reply, ...wordsOf(given, prompt ?? '') };
    const words = { request, text: reply?.text, toolCalls: reply?.toolCalls };
    const { text, toolCalls, ...redacted } = await redaction.redact(words);
    const whole: CapturedRequest = {
      ...given.known,
      stratum: given.stratum ?? stratumFor(given, prompt),
      request: redacted.request,
      ...(reply && { reply: withWords(reply, text, toolCalls) }),
    };
    const record = capturedRecord(whole);
    if (record.body.length + record.text.length > maxBytes) return { job, fault: 'too-large' };
    return { job, ...record };
  } catch {
    return { job, fault: 'redaction-failed' }; // whatever it was: no text that was not redacted goes on
  }
}

function promptOf(body: JsonObject, { dialect }: CaptureJob): string | undefined {
  return scoredText({ messages: requestMessages(body, dialect) });
}

function stratumFor({ known, task }: CaptureJob, text: string | undefined) {
  return stratumOf({ text, task, predictedLoss: known.decision.score });
}

type Words = Pick<CapturedReply, 'text' | 'toolCalls' | 'finishReason' | 'signals'>;

/** The signals are of the text before it was redacted, as a judge would see it. */
function wordsOf({ bytes, dialect, stream }: CaptureJob, prompt: string): Words {
  if (bytes === undefined) return {};
  const { text, calls, finishReason } = contentOf(Buffer.from(bytes), dialect, stream);
  const signals = text === undefined ? [] : Object.entries(textSignals(prompt, text));
  return {
    ...(finishReason !== undefined && { finishReason }),
    ...(signals.length > 0 && { signals: Object.fromEntries(signals.filter(isKnown)) }),
    ...(withReply && text !== undefined && { text }),
    ...(withReply && calls.length > 0 && { toolCalls: calls }),
  };
}

function contentOf(bytes: Buffer, dialect: CaptureJob['dialect'], stream: boolean): ReplyContent {
  if (!stream) return replyContent(dialect, parseJson(bytes.toString('utf8')));
  const events = new SseReader().push(bytes).map(({ data }) => parseJson(data));
  return streamContent(dialect, events);
}

function isKnown(signal: [string, number | undefined]): signal is [string, number] {
  return signal[1] !== undefined;
}

function withWords(
  reply: CapturedReply,
  text: string | undefined,
  toolCalls: CapturedReply['toolCalls'],
): CapturedReply {
  return { ...reply, ...(text !== undefined && { text }), ...(toolCalls && { toolCalls }) };
}
