import type { Fault } from '../../fake-provider/index.ts';
import type { Row } from '../measurement.ts';
import { readBooks } from '../state/books.ts';
import { type InstancePair, startInstancePair } from '../state/instance-pair.ts';
import { type Attempt, verifiedClient, type WholeReply } from '../state/verified-client.ts';
import { atOnce, figure, NONE, type StressContext } from './context.ts';

const WIDTH = 32;
/** By number of the request to the provider: a third of them is broken in one way or another. */
const FAULTS: readonly (Fault | undefined)[] = [
  ...['cut', undefined, undefined, 'reset', undefined, undefined, 'half-event', undefined, undefined],
  ...[
    'error-event',
    undefined,
    undefined,
    'no-last-event',
    undefined,
    undefined,
    '500',
    undefined,
    undefined,
  ],
] as const;

/** Requests, most of them streams, to two instances on one PostgreSQL while a third of the replies breaks off: the ledger beside what the provider bills. */
export async function broken({ texts, requests, say }: StressContext): Promise<readonly Row[]> {
  const pair = await startInstancePair(4 * requests, { faultOf: (number) => FAULTS[number % FAULTS.length] });
  const client = verifiedClient();
  try {
    const attempts: Attempt[] = [];
    await atOnce(requests, WIDTH, async (i) => {
      if (i % 5_000 === 0) say(`broken: ${i} of ${requests}`);
      const streamed = { stream: true, stream_options: { include_usage: true } };
      const messages = [{ role: 'user', content: `${texts[i % texts.length]} (${i})` }];
      const body = { model: 'auto', max_tokens: 64, messages, ...(i % 4 !== 0 && streamed) };
      attempts.push(
        await client.send(pair.origins[i % 2]!, { body, key: pair.keys[i % pair.keys.length]!.key }),
      );
    });
    await pair.drain();
    return await rowsOf(pair, attempts);
  } finally {
    await client.close();
    await pair.close();
  }
}

async function rowsOf({ state, postgres }: InstancePair, attempts: readonly Attempt[]): Promise<Row[]> {
  const { entries } = await readBooks(postgres.url);
  const whole = attempts.filter((one): one is WholeReply => one.kind === 'whole');
  const begun = attempts.filter((one) => one.kind !== 'whole' && one.status === 200);
  const wrong = whole.filter(({ decisionId, nanoUsd }) => entries.get(decisionId)?.nanoUsd !== nanoUsd);
  const missing = begun.filter(({ decisionId }) => !((entries.get(decisionId ?? '')?.nanoUsd ?? 0) > 0));
  const windows = (await state.ledger.windows(Date.now())).filter(({ window }) => window.endsWith(' usd'));
  const settled = windows.reduce((sum, one) => sum + one.settled, 0);
  const reserved = windows.reduce((sum, one) => sum + one.reserved, 0);
  const entered = [...entries.values()].reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
  const billed = whole.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
  const samples = attempts.length;
  const usd = (nano: number) => `$${(nano / 1e9).toFixed(6)}`;
  return [
    figure('broken-settled', {
      what: 'whole replies that the ledger does not have to the billionth of a dollar as the provider bills them',
      unit: 'requests',
      value: wrong.length,
      samples,
      target: NONE,
      notes: [
        `${whole.length} whole replies for ${usd(billed)}, ${begun.length} that broke off, ${samples - whole.length - begun.length} without a reply`,
      ],
    }),
    figure('broken-accounted', {
      what: 'replies that broke off and are not in the ledger',
      unit: 'requests',
      value: missing.length,
      samples,
      target: NONE,
      notes: [
        'each counts with an estimate of its prompt and of what was seen of its reply: the provider reported nothing',
      ],
    }),
    figure('broken-windows', {
      what: 'difference between the windows of the keys and the entries of the ledger, and what is still reserved',
      unit: 'nano-USD',
      value: Math.abs(settled - entered) + reserved,
      samples,
      target: NONE,
      notes: [`${usd(settled)} in the windows, ${usd(entered)} in ${entries.size} entries`],
    }),
  ];
}
