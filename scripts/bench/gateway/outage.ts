import { setTimeout as sleep } from 'node:timers/promises';
import type { DecisionRecord } from '../../../router/records/index.ts';
import { openLoop, quantile, type Row, spread } from '../measurement.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import {
  CONSTANT_REPLY,
  type PlimsollProcess,
  readDecisionLog,
  startFakeProviderProcess,
  startPlimsoll,
} from './servers.ts';
import { sendVerified } from './verified-request.ts';

const CHEAP = 'cheap/small';
const BREAKER = { open_ms: 2_000 };
const RATE = { perSecond: 50, seconds: 10 };
const POLL_MS = 50;
const GIVE_UP_MS = 30_000;

interface OutageResults {
  readonly unanswered: number;
  readonly asked: number;
  readonly times: readonly number[];
  readonly recoverySeconds: number | undefined;
  readonly log: readonly DecisionRecord[];
}

/** Kills the provider of the cheap model while requests come in, and starts it again. */
export async function outage(context: GatewayBenchContext): Promise<readonly Row[]> {
  const cheap = await startFakeProviderProcess(CONSTANT_REPLY);
  const other = await startFakeProviderProcess(CONSTANT_REPLY);
  const plimsoll = await startPlimsoll({
    providers: { cheap: cheap.url, other: other.url },
    ladder: { cheap: CHEAP, strong: 'other/large' },
    upstream: { breaker: BREAKER },
  });
  try {
    const texts = await cheapTexts(plimsoll, context.texts);
    await cheap.kill();
    const during = await openLoop(RATE, (i) => timed(plimsoll, texts[i % texts.length]!));
    // Requests keep coming while it starts, so that probes fail and its breaker opens again, as in an outage.
    const served = untilServed(plimsoll, texts[0]!);
    const again = await startFakeProviderProcess(CONSTANT_REPLY, cheap.port);
    const backMs = performance.now();
    const servedMs = await served;
    const recoverySeconds = servedMs && Math.max(0, servedMs - backMs) / 1000;
    await again.close();
    await plimsoll.close();
    return outageRows({
      unanswered: during.filter(({ right }) => !right).length,
      asked: during.length,
      times: during.map(({ ms }) => ms),
      recoverySeconds,
      log: readDecisionLog(plimsoll.decisionLog),
    });
  } finally {
    await Promise.all([cheap, other, plimsoll].map((one) => one.close()));
    plimsoll.remove();
  }
}

/** The texts that the policy routes to the cheap model. */
async function cheapTexts(plimsoll: PlimsollProcess, texts: readonly string[]): Promise<string[]> {
  const cheap: string[] = [];
  for (const text of texts) {
    const { served } = await sendVerified(plimsoll.url, text, false);
    if (served === CHEAP) cheap.push(text);
  }
  if (cheap.length > 0) return cheap;
  throw new Error(
    'The policy sends none of the prompts to the cheap model: an outage of it would not be seen.',
  );
}

async function timed(plimsoll: PlimsollProcess, text: string) {
  const startedMs = performance.now();
  const { kind, served } = await sendVerified(plimsoll.url, text, false);
  return { right: kind === 'complete' && served !== CHEAP, ms: performance.now() - startedMs };
}

/** When the cheap model replied, in ms of `performance.now()`; undefined if it did not within 30 s. */
async function untilServed(plimsoll: PlimsollProcess, text: string): Promise<number | undefined> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < GIVE_UP_MS) {
    const { served } = await sendVerified(plimsoll.url, text, false);
    if (served === CHEAP) return performance.now();
    await sleep(POLL_MS);
  }
  return undefined;
}

/** Failed attempts on the dead model, without the probes of an open breaker. Attempts in flight when it opened count. */
function failuresBeforeOpen(log: readonly DecisionRecord[]): number {
  const attempts = log.flatMap((record) => record.attempts).filter(({ model }) => model === CHEAP);
  const asked = attempts.filter(({ kind, outcome }) => kind !== 'probe' && outcome !== 'skipped-open');
  return asked.filter(({ outcome }) => outcome !== 'answer').length;
}

function outageRows({ unanswered, asked, times, recoverySeconds, log }: OutageResults): Row[] {
  const base = { samples: asked, peer: null, ratio: null };
  const p99 = Math.round(quantile(times, 0.99));
  const longest = Math.round(quantile(times, 1));
  return [
    {
      ...base,
      name: 'outage-unanswered',
      what: 'the cheap provider dies: requests that no other model answered',
      unit: 'requests',
      value: spread([unanswered]),
      target: TARGETS.unanswered,
      notes: [
        `${asked} requests at ${RATE.perSecond} a second; p99 ${p99} ms, the longest ${longest} ms, deadline 600 s`,
      ],
    },
    {
      ...base,
      name: 'outage-failures',
      what: 'attempts on the dead provider before its breaker opened',
      unit: 'attempts',
      value: spread([failuresBeforeOpen(log)]),
      target: TARGETS.failuresBeforeOpen,
      notes: [],
    },
    {
      ...base,
      name: 'outage-recovery',
      what: 'from the provider being back to its model answering again',
      unit: 's',
      value: spread([recoverySeconds ?? GIVE_UP_MS / 1000]),
      target: TARGETS.recoverySeconds,
      notes: [
        `open_ms ${BREAKER.open_ms}`,
        ...(recoverySeconds === undefined ? ['it did not answer again within 30 s'] : []),
      ],
    },
  ];
}
