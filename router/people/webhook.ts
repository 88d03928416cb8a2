import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { PlimsollError } from '../errors.ts';
import { isObject, parseJson } from '../json/index.ts';
import type { DeskOptions, PeopleTask } from './task.ts';

/** Messages may be so old, or from a clock so far ahead (https://www.standardwebhooks.com: "within some allowable tolerance"). */
const TOLERANCE_MS = 5 * 60_000;
const TIMEOUT_MS = 10_000;
/** Between the tries to tell of a task. */
const WAITS_MS: readonly number[] = [1_000, 5_000, 25_000];
/** Tries at work at once; of what comes beyond, nobody is told. */
const MAX_AT_WORK = 100;

/** A signed message with a reply. */
export interface SignedReply {
  readonly id: string;
  readonly taskId: string;
  readonly text: string;
  /** For so long another message with this id is a replay. */
  readonly replayMs: number;
}

/** Messages out, of new tasks, and in, with replies: both in the form of Standard Webhooks. */
export interface Webhooks {
  /** @throws PlimsollError `invalid-config` */
  configure(desks: Readonly<Record<string, DeskOptions>>): void;
  /** Returns at once. What cannot be delivered is reported, and waits in the queue all the same. */
  tell(task: PeopleTask): void;
  /** @throws PlimsollError `forbidden` if it is not signed by the desk's secret, or too old; `invalid-input` */
  verify(people: string, headers: Readonly<Record<string, unknown>>, body: string): SignedReply;
  close(): void;
}

interface Endpoint {
  readonly url: string | undefined;
  readonly secret: Buffer;
}

export function openWebhooks(
  onUndelivered: (people: string, why: string) => void,
  now: () => number,
  waitsMs = WAITS_MS,
): Webhooks {
  let endpoints = new Map<string, Endpoint>();
  const closing = new AbortController();
  let atWork = 0;

  async function deliver({ people }: PeopleTask, id: string, body: string): Promise<void> {
    let why = '';
    for (const waitMs of [0, ...waitsMs]) {
      await sleep(waitMs, closing.signal);
      const { url, secret } = endpoints.get(people) ?? {};
      if (closing.signal.aborted || url === undefined || secret === undefined) return;
      const timestamp = Math.floor(now() / 1_000);
      const headers = {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signature(secret, id, timestamp, body),
      };
      const failed = await post(url, headers, body);
      if (failed === undefined) return;
      why = failed;
    }
    onUndelivered(people, why);
  }

  return {
    configure(desks) {
      endpoints = new Map(
        Object.entries(desks).flatMap(([name, { webhook }]) =>
          webhook === undefined ? [] : [[name, endpointOf(`people.${name}.webhook`, webhook)] as const],
        ),
      );
    },
    tell(task) {
      if (endpoints.get(task.people)?.url === undefined) return;
      if (atWork >= MAX_AT_WORK) return onUndelivered(task.people, `${MAX_AT_WORK} others are on their way`);
      atWork++;
      // No text: whoever is told fetches the task with a key.
      const data = {
        task_id: task.id,
        people: task.people,
        deadline_at: new Date(task.deadlineMs).toISOString(),
      };
      const body = JSON.stringify({
        type: 'people.task.created',
        timestamp: new Date(task.createdMs).toISOString(),
        data,
      });
      void deliver(task, `msg_${randomUUID()}`, body).finally(() => atWork--);
    },
    verify(people, headers, body) {
      const endpoint = endpoints.get(people);
      const [id, at, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => {
        const value = headers[name];
        return typeof value === 'string' ? value : '';
      });
      const timestamp = Number(at);
      const isSigned =
        endpoint !== undefined &&
        isMessageId(id!) &&
        isSignedBy(endpoint.secret, id!, timestamp, body, signatures!);
      if (!isSigned)
        throw forbidden('The signature of this message is not that of the secret that is shared.');
      const ageMs = now() - timestamp * 1_000;
      if (Math.abs(ageMs) > TOLERANCE_MS)
        throw forbidden('webhook-timestamp is more than five minutes away from the time here.');
      return { id: id!, ...replyIn(body), replayMs: 2 * TOLERANCE_MS };
    },
    close: () => closing.abort(),
  };
}

/** `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>` (https://www.standardwebhooks.com). @param timestamp in seconds */
export function signature(secret: Buffer, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** If there are several signatures, as while a secret is rotated, one has to fit. */
function isSignedBy(
  secret: Buffer,
  id: string,
  timestamp: number,
  body: string,
  signatures: string,
): boolean {
  if (!Number.isSafeInteger(timestamp)) return false;
  const wanted = Buffer.from(signature(secret, id, timestamp, body));
  return signatures.split(' ').some((one) => {
    const given = Buffer.from(one);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

/** No dot, which parts what is signed. */
function isMessageId(id: string): boolean {
  return /^[\w:-]{1,200}$/.test(id);
}

function replyIn(body: string): { readonly taskId: string; readonly text: string } {
  const json = parseJson(body);
  const data = isObject(json) && isObject(json['data']) ? json['data'] : json;
  if (!isObject(data)) throw wrong('The body must be a JSON object: {"task_id": "task_…", "text": "…"}.');
  const { task_id: taskId, text } = data;
  if (typeof taskId !== 'string') throw wrong('task_id must be the id of a task.', 'task_id');
  if (typeof text !== 'string') throw wrong('text must be a string.', 'text');
  return { taskId, text };
}

const SECRET = /^whsec_([A-Za-z0-9+/]+=*)$/;
/** The specification: "between 24 bytes (192 bits) and 64 bytes (512 bits)". */
const [MIN_SECRET_BYTES, MAX_SECRET_BYTES] = [24, 64];

function endpointOf(field: string, { urlEnv, secretEnv }: NonNullable<DeskOptions['webhook']>): Endpoint {
  const encoded = SECRET.exec(process.env[secretEnv] ?? '')?.[1];
  const secret = Buffer.from(encoded ?? '', 'base64');
  if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw new PlimsollError(
      'invalid-config',
      `${field}.secret_env: ${secretEnv} must hold whsec_ and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in base64. Make one with: echo "whsec_$(openssl rand -base64 32)".`,
      { place: { field: `${field}.secret_env` } },
    );
  }
  if (urlEnv === undefined) return { url: undefined, secret };
  const url = process.env[urlEnv] ?? '';
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return { url, secret };
  throw new PlimsollError(
    'invalid-config',
    `${field}.url_env: ${urlEnv} must hold the http or https address that is notified of tasks.`,
    { place: { field: `${field}.url_env` } },
  );
}

/** @returns why it did not arrive, without the address */
async function post(url: string, headers: Record<string, string>, body: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    await response.body?.cancel();
    return response.ok ? undefined : `it replied with status ${response.status}`;
  } catch {
    return 'it cannot be reached, or did not reply within ten seconds';
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0 || signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms).unref();
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

function forbidden(message: string): PlimsollError {
  return new PlimsollError('forbidden', message);
}

function wrong(message: string, field?: string): PlimsollError {
  return new PlimsollError('invalid-input', message, field === undefined ? {} : { place: { field } });
}
