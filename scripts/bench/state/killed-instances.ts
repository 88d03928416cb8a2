import { setTimeout as sleep } from 'node:timers/promises';
import { request as httpRequest } from 'undici';
import { revokeStateKey } from '../../../router/access/index.ts';
import { type Books, readBooks } from './books.ts';
import { type InstancePair, POOR_NANO_USD, startInstancePair } from './instance-pair.ts';
import {
  billedNanoUsd,
  type UniqueRequest,
  type VerifiedClient,
  verifiedClient,
  type WholeReply,
} from './verified-client.ts';

export interface KilledInstances {
  /** Each has a text of its own. */
  readonly requests: number;
  readonly texts: readonly string[];
  readonly say: (line: string) => void;
}

/** Its outcome. */
export interface InstancesOutcome {
  readonly requests: number;
  /** Requests sent: those that failed were sent again, to the other instance. */
  readonly attempts: number;
  /** No whole reply within two minutes. */
  readonly unanswered: number;
  readonly crossed: number;
  /** Whole replies that the ledger does not have with their key, model and cost. */
  readonly missing: number;
  /** Whole replies that the provider sent, and what it bills for them. */
  readonly provider: { readonly replies: number; readonly nanoUsd: number };
  readonly ledger: { readonly entries: number; readonly nanoUsd: number };
  /** Requests at work on the instance when it was killed: the provider may have replied to them, and nobody was left to settle it. */
  readonly atWorkAtKill: number;
  /** Keys of which the sums of days are not those of their entries. */
  readonly wrongSums: number;
  /** Whole replies that the decision log does not have. */
  readonly unlogged: number;
  /** Turns that went on at the other instance, and those that changed the model there. */
  readonly turns: { readonly count: number; readonly moved: number };
  /** A revoked key: seconds until both instances refused it, and requests that one of them took after that. */
  readonly revoked: { readonly seconds: number; readonly taken: number };
  /** A key that spent its budget at both instances: requests that one of them took a while after that. */
  readonly takenBeyondBudget: number;
  readonly seconds: number;
}

const CONCURRENCY = 32;
const GIVE_UP_MS = 120_000;
const RETRY_MS = 50;
/** Shares of all requests: when the instance is killed, when PostgreSQL crashes, and when a key is revoked. */
const KILLED_AT = 0.3;
const CRASHED_AT = 0.55;
const REVOKED_AT = 0.85;
/** Longer than a reply waits for the ledger. */
const POSTGRES_AWAY_MS = 3_000;
const PROBES = 10;
/** Few are reserved for each request, so that the budget is for several. */
const POOR_MAX_TOKENS = 64;
/** What a revoked key gets. */
const REVOKED_STATUS = 403;
const REQUESTS_PER_CYCLE = 4;
const TASKS_PER_CYCLE = 3;
const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }];
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }],
};
const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

type Which = 0 | 1;

/**
 * Sends requests to two instances in turns, as a load balancer does: plain ones, streams, and turns of an agent that begin at one instance and
 * go on at the other. Meanwhile one instance is killed (SIGKILL) and started again, PostgreSQL crashes and is away for three seconds,
 * and a key is revoked. In the end the books of the state are compared with what clients got and the provider sent.
 */
export async function killedInstances(plan: KilledInstances): Promise<InstancesOutcome> {
  const startedMs = performance.now();
  const pair = await startInstancePair(4 * plan.requests);
  const client = verifiedClient();
  try {
    const run = createRun(pair, client);
    const cheap = await cheapTexts(pair, plan.texts);
    const [disturbed] = await Promise.all([disturb(pair, run, plan), sendAll(plan, run, pair.keys, cheap)]);
    const takenBeyondBudget = await spendAll(pair, run, plan);
    await settled(pair);
    await pair.drain();
    return {
      requests: plan.requests,
      ...run.counts,
      ...compareBooks(await readBooks(pair.postgres.url), run.replies),
      provider: providerBooks(pair),
      ...disturbed,
      takenBeyondBudget,
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    await client.close();
    await pair.close();
  }
}

interface Run {
  readonly counts: {
    attempts: number;
    unanswered: number;
    crossed: number;
    turns: { count: number; moved: number };
  };
  /** Decision id -> what the ledger must have. */
  readonly replies: Map<string, WholeReply & { readonly keyId: string }>;
  readonly atWork: [number, number];
  /** Requests that ended. */
  done(): number;
  /** Sends a request until it is answered, each time to the other instance. */
  answer(request: UniqueRequest, first: Which): Promise<WholeReply | undefined>;
  /** Sends it once. */
  once(request: UniqueRequest, which: Which): ReturnType<VerifiedClient['send']>;
}

function createRun({ origins, keys, poorKey, revokedKey }: InstancePair, client: VerifiedClient): Run {
  const idOf = new Map([...keys, poorKey, revokedKey].map(({ key, id }) => [key, id]));
  const counts = { attempts: 0, unanswered: 0, crossed: 0, turns: { count: 0, moved: 0 } };
  const replies: Run['replies'] = new Map();
  const atWork: [number, number] = [0, 0];
  let done = 0;
  const once = async (request: UniqueRequest, which: Which) => {
    counts.attempts++;
    atWork[which]++;
    const attempt = await client.send(origins[which], request);
    atWork[which]--;
    if (attempt.kind === 'crossed') counts.crossed++;
    if (attempt.kind === 'whole') {
      replies.set(attempt.decisionId, { ...attempt, keyId: idOf.get(request.key) ?? '' });
    }
    return attempt;
  };
  return {
    counts,
    replies,
    atWork,
    done: () => done,
    once,
    async answer(request, first) {
      const giveUpMs = performance.now() + GIVE_UP_MS;
      for (let which = first; performance.now() < giveUpMs; which = which === 0 ? 1 : 0) {
        const attempt = await once(request, which);
        if (attempt.kind !== 'failed') {
          done++;
          return attempt.kind === 'whole' ? attempt : undefined;
        }
        await sleep(RETRY_MS);
      }
      done++;
      counts.unanswered++;
      return undefined;
    },
  };
}

/** Sends all requests, several at once. @param cheap texts that the router sends to the cheap model */
async function sendAll(
  { requests, texts }: KilledInstances,
  run: Run,
  keys: InstancePair['keys'],
  cheap: readonly string[],
): Promise<void> {
  const tasks = Math.round((requests / REQUESTS_PER_CYCLE) * TASKS_PER_CYCLE);
  let next = 0;
  const task = async (i: number) => {
    const { key } = keys[i % keys.length]!;
    const which: Which = Math.floor(i / TASKS_PER_CYCLE) % 2 === 0 ? 0 : 1;
    if (i % TASKS_PER_CYCLE === 2)
      return agentTurn(run, { key, which, text: `${cheap[i % cheap.length]} (${i})`, i });
    const streamed = { stream: true, stream_options: { include_usage: true } };
    const messages = [{ role: 'user', content: `${texts[i % texts.length]} (${i})` }];
    const body = { model: 'auto', messages, ...(i % TASKS_PER_CYCLE === 1 && streamed) };
    await run.answer({ body, key }, which);
  };
  const worker = async () => {
    for (let i = next++; i < tasks; i = next++) await task(i);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

interface AgentTurn {
  readonly key: string;
  readonly which: Which;
  readonly text: string;
  readonly i: number;
}

/** A picture sends the first request to the strong model; the second, at the other instance, has none, and stays there by its pin alone. */
async function agentTurn({ answer, counts }: Run, { key, which, text, i }: AgentTurn): Promise<void> {
  const session = `session-${i}`;
  const picture = [
    { type: 'text', text },
    { type: 'image_url', image_url: { url: PIXEL } },
  ];
  const first = { model: 'auto', tools: TOOLS, messages: [{ role: 'user', content: picture }] };
  const began = await answer({ body: first, key, session }, which);
  const result = { role: 'tool', tool_call_id: 'c', content: `result ${i}` };
  const next = { model: 'auto', tools: TOOLS, messages: [{ role: 'user', content: text }, CALL, result] };
  const went = await answer({ body: next, key, session }, which === 0 ? 1 : 0);
  if (began === undefined || went === undefined) return;
  counts.turns.count++;
  if (began.selected !== went.selected) counts.turns.moved++;
}

async function cheapTexts(
  { origins, keys }: InstancePair,
  texts: readonly string[],
): Promise<readonly string[]> {
  const cheap: string[] = [];
  for (const prompt of texts) {
    const { body } = await httpRequest(`${origins[0]}/v1/route`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[0]!.key}` },
      body: JSON.stringify({ prompt }),
    });
    const { candidate } = (await body.json()) as { readonly candidate?: string };
    if (candidate === 'cheap') cheap.push(prompt);
  }
  if (cheap.length === 0) throw new Error('The router sends no text to the cheap model.');
  return cheap;
}

/** Kills, crashes and revokes while requests are sent. */
async function disturb(
  pair: InstancePair,
  run: Run,
  { requests, say }: KilledInstances,
): Promise<Pick<InstancesOutcome, 'atWorkAtKill' | 'revoked'>> {
  const reached = async (share: number) => {
    while (run.done() < share * requests) await sleep(5);
  };
  await reached(KILLED_AT);
  const atWorkAtKill = run.atWork[1];
  say(`an instance is killed with ${atWorkAtKill} requests at work`);
  await pair.kill(1);
  await pair.restart(1);
  await reached(CRASHED_AT);
  say('PostgreSQL crashes');
  pair.postgres.crash();
  await sleep(POSTGRES_AWAY_MS);
  await pair.postgres.start();
  await reached(REVOKED_AT);
  say('a key is revoked');
  return { atWorkAtKill, revoked: await revoke(pair, run) };
}

/** Tries the key at both instances. */
async function probe(
  run: Run,
  key: string,
  text: string,
  maxTokens?: number,
): Promise<readonly (number | undefined)[]> {
  const body = {
    model: 'auto',
    messages: [{ role: 'user', content: text }],
    ...(maxTokens && { max_tokens: maxTokens }),
  };
  const send = async (which: Which) => {
    const attempt = await run.once({ body, key }, which);
    return attempt.kind === 'whole' ? 200 : attempt.status;
  };
  return [await send(0), await send(1)];
}

async function revoke(pair: InstancePair, run: Run): Promise<InstancesOutcome['revoked']> {
  const { key, id } = pair.revokedKey;
  let sent = 0;
  const probes = () => probe(run, key, `a key that is revoked (${sent++})`);
  const before = await probes();
  if (before.some((status) => status !== 200))
    throw new Error(`A key that holds got ${before.join(' and ')}.`);
  await revokeStateKey(pair.state.documents, id, new Date());
  const startedMs = performance.now();
  while ((await probes()).some((status) => status !== REVOKED_STATUS)) {
    if (performance.now() - startedMs > GIVE_UP_MS)
      throw new Error('The revoked key is in force after two minutes.');
    await sleep(RETRY_MS);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  let taken = 0;
  for (let i = 0; i < PROBES; i++) taken += (await probes()).filter((status) => status === 200).length;
  return { seconds, taken };
}

/** Spends a small budget at both instances. @returns how many requests were taken after both refused one, and the nano-USD above the budget */
async function spendAll(
  { poorKey, state }: InstancePair,
  run: Run,
  { texts }: KilledInstances,
): Promise<number> {
  let sent = 0;
  const probes = () =>
    probe(run, poorKey.key, `${texts[sent % texts.length]} (poor ${sent++})`, POOR_MAX_TOKENS);
  while ((await probes()).some((status) => status !== 429)); // what is reserved ends it before what is spent
  let taken = 0;
  for (let i = 0; i < PROBES; i++) taken += (await probes()).filter((status) => status !== 429).length;
  const { nanoUsd } = await state.ledger.spent(poorKey.id, '2000-01-01');
  if (nanoUsd === 0) throw new Error('The budget was refused before anything was spent of it.');
  return taken + Math.max(0, nanoUsd - POOR_NANO_USD);
}

/** Until no entry waits for the ledger. */
async function settled({ origins, keys }: InstancePair): Promise<void> {
  for (const origin of origins) {
    for (let waiting = Number.NaN; waiting !== 0; await sleep(RETRY_MS)) {
      const headers = { authorization: `Bearer ${keys[0]!.key}` };
      const { body } = await httpRequest(`${origin}/metrics`, { headers });
      waiting = Number(/^plimsoll_ledger_waiting (\d+)/m.exec(await body.text())?.[1]);
    }
  }
}

function compareBooks(
  { entries, sums, logged }: Books,
  replies: Run['replies'],
): Pick<InstancesOutcome, 'missing' | 'unlogged' | 'wrongSums' | 'ledger'> {
  const expected = [...replies.values()];
  const isThere = ({ decisionId, keyId, served, nanoUsd }: (typeof expected)[number]) => {
    const entry = entries.get(decisionId);
    return entry?.keyId === keyId && entry.model === served && entry.nanoUsd === nanoUsd;
  };
  const byKey = new Map<string, number>();
  for (const { keyId, nanoUsd } of entries.values()) byKey.set(keyId, (byKey.get(keyId) ?? 0) + nanoUsd);
  const keyIds = new Set([...byKey.keys(), ...sums.keys()]);
  return {
    missing: expected.filter((reply) => !isThere(reply)).length,
    unlogged: expected.filter(({ decisionId }) => !logged.has(decisionId)).length,
    wrongSums: [...keyIds].filter((id) => byKey.get(id) !== sums.get(id)).length,
    ledger: { entries: entries.size, nanoUsd: [...byKey.values()].reduce((a, b) => a + b, 0) },
  };
}

function providerBooks({ provider }: InstancePair): InstancesOutcome['provider'] {
  const whole = provider.requests.filter(({ aborted }) => !aborted);
  const nanoUsd = whole.reduce((sum, { body }) => sum + billedNanoUsd(body, String(body['model'])), 0);
  return { replies: whole.length, nanoUsd };
}
