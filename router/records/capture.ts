import type { Dialect } from '../catalog/index.ts';
import type { SafeError } from '../errors.ts';
import { type JsonObject, objectIn, textIn } from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';
import { openRedactor } from '../redaction/index.ts';
import type { Decision } from '../router.ts';
import type { Log, LogRecord } from '../state/index.ts';
import { type CaptureJob, type CaptureThreadData, openCaptureThread } from './capture-thread.ts';
import { CAPTURED, type CapturedDecision, type Stratum } from './captured.ts';
import { createRecordWriter, GATHER_MS, isRetried } from './record-writer.ts';
import { type RedactedFields, wordRedactionOf } from './redacted-words.ts';
import type { RequestFacts } from './request-facts.ts';
import { createSampler, type Sampler, stratumOf } from './sampling.ts';
import { totalCostUsd } from './savings.ts';

/** `capture` of the configuration. */
export interface CaptureOptions extends RedactedFields {
  /** Above 0, at most 1. */
  readonly share: number;
  /** Only requests to these; `auto` is the ladder itself. Undefined: all, also those that name their model. */
  readonly profiles?: readonly string[] | undefined;
  readonly include: 'prompt' | 'prompt+reply';
  /** Per record; a longer one is not kept. */
  readonly maxBytes: number;
}

/** What happened to the requests of conversations. */
export const CAPTURE_OUTCOMES = [
  'stored',
  'not-drawn',
  'other-profile', // not one of `profiles`
  'no-reply', // no model replied
  'not-text', // it has a picture, a sound or a file
  'too-large',
  'redaction-failed', // the operator's program, or the thread that redacts
  'paused', // the state is away
  'dropped', // too much waited, or it could not be stored
] as const;
export type CaptureOutcome = (typeof CAPTURE_OUTCOMES)[number];

/** What is known about a request when its model has been selected. */
export interface CaptureFacts {
  readonly dialect: Dialect;
  readonly body: JsonObject;
  readonly bodyText: string;
  readonly memory: MemoryShare;
  /** Undefined if the client named the model. */
  readonly decision: Decision | undefined;
  /** The ladder that routing chose from: its profile, else `auto`; undefined if the client named the model. */
  readonly profile: string | undefined;
  /** The profile's own share, 0 for none; undefined: that of the options. */
  readonly share?: number | undefined;
}

/** A request that was drawn. Its reply is held as it goes out, within a bound. */
export interface DrawnRequest {
  hold(reply: Uint8Array): void;
  /** The same bytes, held as they pass. */
  watch(reply: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** To be called once, when the last byte is sent. Never throws and never waits. */
  end(facts: RequestFacts): void;
}

export interface Capture {
  /** Draws a request, or not. */
  draw(facts: CaptureFacts): DrawnRequest | undefined;
  counts(): Readonly<Record<CaptureOutcome, number>>;
  /** The last write failed. */
  failing(): boolean;
  /** Stores what was drawn; what takes longer than ten seconds is dropped. */
  close(): Promise<void>;
}

interface CaptureParts {
  readonly options: CaptureOptions;
  readonly log: Log;
  /** Called when writing begins to fail, and again only after it went well in between. */
  readonly onFailure: (trouble: SafeError) => void;
}

/** Bytes that may wait for the database. */
const MAX_WAITING_BYTES = 16 * 2 ** 20;
/** For a reply that is held: longer ones are kept without their words. */
const MAX_REPLY_BYTES = 2 ** 20;

/**
 * Keeps a sample of the requests and replies, redacted, in the stream `captured` of the state.
 * @throws PlimsollError `invalid-config` if the list of names cannot be read or a country is unknown
 */
export async function openCapture({ options, log, onFailure }: CaptureParts): Promise<Capture> {
  const { profiles, maxBytes } = options;
  const counts = Object.fromEntries(CAPTURE_OUTCOMES.map((outcome) => [outcome, 0])) as Record<
    CaptureOutcome,
    number
  >;
  /** One for all that have the options' share, and one for each profile with a share of its own. */
  const samplers = new Map<string, Sampler>();
  const writer = createRecordWriter<LogRecord>(
    {
      bytesOf: ({ body, text }) => body.length + (text?.length ?? 0),
      append: (batch) => log.append(CAPTURED, batch),
      mayRetry: isRetried,
      async close() {},
    },
    { onFailure, maxWaitingBytes: MAX_WAITING_BYTES, gatherMs: GATHER_MS },
  );
  const thread = openCaptureThread(await threadData(options), (fault) => counts[fault]++);

  function captured(drawn: Drawn, facts: RequestFacts, held: Held): void {
    if (facts.status !== 200 || facts.served === undefined) {
      counts['no-reply']++;
      return;
    }
    if (drawn.bodyText.length > maxBytes) {
      counts['too-large']++;
      return;
    }
    const { id, startedAt, keyId, user, session } = facts;
    const record = { id, timeMs: startedAt.getTime(), keyId, user, session: session?.name };
    thread.add(jobOf(drawn, facts, held), (words) => writer.write({ ...record, ...words }));
  }

  function draw(facts: CaptureFacts): DrawnRequest | undefined {
    const outcome = outcomeOf(facts);
    if (outcome !== undefined) {
      counts[outcome]++;
      return undefined;
    }
    const task = taskOf(facts);
    const { share = options.share } = facts;
    // If all are kept no stratum is needed now, and the thread finds it.
    const stratum = share === 1 ? undefined : stratumFor(facts, task);
    const probability = stratum === undefined ? 1 : samplerFor(facts).draw(stratum);
    if (probability === undefined) {
      counts['not-drawn']++;
      return undefined;
    }
    const drawn = { ...facts, task, stratum, probability };
    const held = new Held(facts.memory);
    return {
      hold: (reply) => held.add(reply),
      watch: (reply) => held.watch(reply),
      end: (ended) => captured(drawn, ended, held),
    };
  }

  function samplerFor({ profile, share }: CaptureFacts): Sampler {
    const name = share === undefined ? '' : `${share} ${profile}`;
    const known = samplers.get(name);
    if (known !== undefined) return known;
    const sampler = createSampler(share ?? options.share);
    samplers.set(name, sampler);
    return sampler;
  }

  function outcomeOf({ profile, share }: CaptureFacts): CaptureOutcome | undefined {
    if (share === 0) return 'other-profile';
    if (profiles !== undefined && (profile === undefined || !profiles.includes(profile)))
      return 'other-profile';
    return writer.failing() ? 'paused' : undefined;
  }

  return {
    draw,
    counts() {
      const { written, dropped } = writer.counts();
      return { ...counts, stored: written, dropped: counts.dropped + dropped };
    },
    failing: writer.failing,
    async close() {
      await thread.close();
      await writer.close();
    },
  };
}

interface Drawn extends CaptureFacts {
  readonly task: string | undefined;
  readonly stratum: Stratum | undefined;
  readonly probability: number;
}

/** What clients say about a task; other texts are ignored, so that nobody's words become a name. */
const TASK = /^[A-Za-z][\w./-]{0,63}$/;

function taskOf({ body, profile }: CaptureFacts): string | undefined {
  const task = textIn(objectIn(body, 'metadata'), 'task');
  if (task !== undefined && TASK.test(task)) return task;
  return profile === 'auto' ? undefined : profile;
}

function stratumFor({ body, dialect, decision }: CaptureFacts, task: string | undefined): Stratum {
  const text = scoredText({ messages: requestMessages(body, dialect) });
  return stratumOf({ text, task, predictedLoss: decision?.predictedLoss ?? undefined });
}

function jobOf(drawn: Drawn, facts: RequestFacts, held: Held): Omit<CaptureJob, 'job'> {
  const { dialect, bodyText, task, stratum, probability } = drawn;
  const { id, startedAt, keyId, session, ended, stream } = facts;
  return {
    dialect,
    bodyText,
    task,
    stratum,
    stream,
    known: {
      id,
      timeMs: startedAt.getTime(),
      ...(keyId !== undefined && { keyId }),
      ...(session && { group: session.id }),
      samplingProbability: probability,
      decision: decisionOf(facts),
    },
    reply: ended === 'whole' ? replyOf(facts) : undefined,
    bytes: ended === 'whole' ? held.bytes() : undefined,
  };
}

function decisionOf({ selected, served, reason, decision }: RequestFacts): CapturedDecision {
  return {
    model: (selected ?? served)?.name ?? '',
    ...(decision?.predictedLoss != null && { score: decision.predictedLoss }),
    ...(decision?.threshold != null && { threshold: decision.threshold }),
    reason,
    ...(decision?.artifact && { artifact: decision.artifact.sha256 }),
  };
}

function replyOf({
  served,
  usage,
  costUsd,
  check,
  durationMs,
}: RequestFacts): NonNullable<CaptureJob['reply']> {
  const cost = totalCostUsd(costUsd, check);
  return {
    model: served?.name ?? '',
    ...(usage && { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }),
    ...(cost !== undefined && { costUsd: cost }),
    latencyMs: Math.round(durationMs * 1_000) / 1_000,
  };
}

/** The bytes of a reply, counted in the memory of its request. */
class Held {
  readonly #memory: MemoryShare;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #isTooLong = false;

  constructor(memory: MemoryShare) {
    this.#memory = memory;
  }

  add(chunk: Uint8Array): void {
    if (this.#isTooLong) return;
    if (this.#size + chunk.length > MAX_REPLY_BYTES || !this.#memory.add(chunk.length)) {
      this.#isTooLong = true;
      this.#chunks = [];
      return;
    }
    this.#size += chunk.length;
    this.#chunks.push(chunk);
  }

  async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.add(chunk);
      yield chunk;
    }
  }

  /** Undefined if there are none, or it was too long. */
  bytes(): Uint8Array | undefined {
    const [only, ...more] = this.#chunks;
    return more.length === 0 ? only : Buffer.concat(this.#chunks);
  }
}

async function threadData(options: CaptureOptions): Promise<CaptureThreadData> {
  const redaction = wordRedactionOf(options);
  await openRedactor(redaction.redaction); // a wrong country is one of the start, not of the thread
  return { ...redaction, withReply: options.include === 'prompt+reply', maxBytes: options.maxBytes };
}
