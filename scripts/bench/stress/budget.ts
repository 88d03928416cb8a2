import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../fake-provider/index.ts';
import type { Row } from '../measurement.ts';
import { type InstancePair, startInstancePair } from '../state/instance-pair.ts';
import {
  type Attempt,
  billedNanoUsd,
  NANO_USD,
  type VerifiedClient,
  verifiedClient,
} from '../state/verified-client.ts';
import { figure, NONE, type StressContext } from './context.ts';

const MODEL = 'fake/small';
const MAX_TOKENS = 32;
/** What a request comes to, about: 64 tokens of prompt and 16 of reply. */
const USUAL_NANO_USD = 64 * NANO_USD.small.input + 16 * NANO_USD.small.output;
/** The budget is for this many of the requests. */
const BUDGET_SHARE = 0.6;
/** Share of the requests that have ended when an instance is killed. */
const KILLED_AT = 0.1;
const MOST_TRIES = 6;
const RETRY_MS = 1_500;
const PROVIDER_MS = 50;
/** By number of the request to the provider. */
const FAULTS: Readonly<Record<number, Fault>> = { 3: '500', 11: 'reset-first', 17: 'cut', 29: '429' };
const FAULT_CYCLE = 40;
/** Nothing is billed for these. */
const UNBILLED: readonly (Fault | undefined)[] = ['500', 'reset-first', '429'];

interface Outcome {
  readonly sent: number;
  readonly whole: number;
  readonly broken: number;
  readonly refused: number;
  readonly lost: number;
  readonly crossed: number;
}

/**
 * Thousands of requests at once to two instances on one PostgreSQL, under one budget that is for some of them; attempts fail, streams are cut, and one
 * instance is killed (SIGKILL) and started again. The provider says what it has to be paid.
 */
export async function budget({ texts, concurrent, say }: StressContext): Promise<readonly Row[]> {
  const capNanoUsd = Math.round(BUDGET_SHARE * concurrent * USUAL_NANO_USD);
  const places = Math.ceil(concurrent / 5);
  const pair = await startInstancePair(MOST_TRIES * concurrent, {
    poorNanoUsd: capNanoUsd,
    delayMs: PROVIDER_MS,
    faultOf: (number) => FAULTS[number % FAULT_CYCLE],
    sections: { gateway: { max_concurrency: places, max_queue: 2 * concurrent, max_wait_ms: 300_000 } },
  });
  const client = verifiedClient();
  try {
    const all = await sendAll(pair, client, { texts, concurrent, say });
    await spendRest(pair, client);
    await pair.drain();
    return await rowsOf(pair, all, capNanoUsd);
  } finally {
    await client.close();
    await pair.close();
  }
}

function requestOf(text: string, i: number, key: string) {
  const streamed = { stream: true, stream_options: { include_usage: true } };
  const messages = [{ role: 'user', content: `${text} (${i})` }];
  return { body: { model: MODEL, max_tokens: MAX_TOKENS, messages, ...(i % 2 === 0 && streamed) }, key };
}

async function sendAll(
  pair: InstancePair,
  client: VerifiedClient,
  { texts, concurrent, say }: Pick<StressContext, 'texts' | 'concurrent' | 'say'>,
): Promise<Outcome> {
  const counts = { sent: 0, whole: 0, broken: 0, refused: 0, lost: 0, crossed: 0 };
  let done = 0;
  const one = async (i: number) => {
    let which = i % 2;
    let last: Attempt | undefined;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      counts.sent++;
      last = await client.send(
        pair.origins[which]!,
        requestOf(texts[i % texts.length]!, i, pair.poorKey.key),
      );
      if (last.kind !== 'failed' || last.status === 200) break;
      if (last.status === undefined) which = 1 - which;
      await sleep(RETRY_MS * (1 + (i % 4)));
    }
    done++;
    if (last?.kind === 'whole') counts.whole++;
    else if (last?.kind === 'crossed') counts.crossed++;
    else if (last?.status === 200) counts.broken++;
    else if (last?.status === 429) counts.refused++;
    else counts.lost++;
  };
  const disturbing = (async () => {
    while (done < KILLED_AT * concurrent) await sleep(5);
    say(`budget: an instance is killed after ${done} requests`);
    await pair.kill(1);
    await pair.restart(1);
  })();
  await Promise.all([disturbing, ...Array.from({ length: concurrent }, (_, i) => one(i))]);
  return counts;
}

/** One after the other, until nothing more fits. */
async function spendRest({ origins, poorKey }: InstancePair, client: VerifiedClient): Promise<void> {
  for (let refused = 0, i = 0; refused < 2; i++) {
    const attempt = await client.send(origins[0], requestOf('the rest of it', 2 * i + 1, poorKey.key));
    if (attempt.kind === 'failed' && attempt.status === 429) refused++;
  }
}

async function rowsOf(pair: InstancePair, outcome: Outcome, capNanoUsd: number): Promise<Row[]> {
  const { provider, state, poorKey } = pair;
  const windows = await state.ledger.windows(Date.now());
  const { reserved, settled } = windows.find(({ scope }) => scope === `key=${poorKey.id}`)!;
  const billed = provider.requests
    .filter(({ fault }) => !UNBILLED.includes(fault))
    .reduce((sum, { body }) => sum + billedNanoUsd(body, String(body['model'])), 0);
  const usd = (nano: number) => `$${(nano / 1e9).toFixed(6)}`;
  const samples = outcome.sent;
  return [
    figure('budget-overspent', {
      what: 'what the provider has to be paid beyond the budget, with cut streams as whole ones',
      unit: 'nano-USD',
      value: Math.max(0, billed - capNanoUsd),
      samples,
      target: NONE,
      notes: [
        `${outcome.sent} requests sent for ${outcome.whole} whole replies and ${outcome.broken} cut ones; ${outcome.refused} were refused to the end, ${outcome.lost} failed to the end`,
        `budget ${usd(capNanoUsd)}; the provider has to be paid ${usd(billed)}, the ledger has ${usd(settled)} settled, and ${usd(reserved)} reserved by requests of the killed instance, which counts as spent`,
      ],
    }),
    figure('budget-window', {
      what: 'what is settled and reserved beyond the budget',
      unit: 'nano-USD',
      value: Math.max(0, settled + reserved - capNanoUsd),
      samples,
      target: NONE,
    }),
    figure('budget-crossed', {
      what: 'replies, or parts of them, to another request',
      unit: 'requests',
      value: outcome.crossed,
      samples,
      target: NONE,
    }),
  ];
}
