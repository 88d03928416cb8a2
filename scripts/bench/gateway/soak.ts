import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../fake-provider/index.ts';
import { type Row, spread } from '../measurement.ts';
import { memoryGrowth, openDescriptors, residentMb, watchMemory } from '../processes.ts';
import { type GatewayBenchContext, TARGETS } from './context.ts';
import {
  CONSTANT_REPLY,
  type FakeProviderProcess,
  type PlimsollProcess,
  readDecisionLog,
  startFakeProviderProcess,
  startPlimsoll,
} from './servers.ts';
import { sendVerified, type VerifiedRequest } from './verified-request.ts';

/** One request in ten meets a fault. */
const FAULT_EVERY = 10;
const CONCURRENCY = 32;
const WARM_UP = 500;
/** Longer than any idle connection is kept. */
const IDLE_MS = 7_000;
/** Temporary faults and disconnects; a wrong key or name is the operator's, and 20 MB replies have their own test. */
const FAULTS: readonly Fault[] = [
  '500',
  '502',
  '503',
  '529',
  '408',
  '429',
  'reset-first',
  'reset',
  'half-event',
  'html',
  'wrong-type',
  'broken-json',
  'cut',
  'no-last-event',
  'error-200',
  'error-event',
  'gzip',
  'deflate',
  'br',
  'stall',
  'slow-first-byte',
];
const UPSTREAM = {
  // For a stalled plain reply, only the limit of the whole attempt applies.
  timeouts: { first_byte_ms: 1_000, idle_ms: 1_000, total_ms: 5_000 },
  fallbacks: { 'a/small': ['b/small'], 'b/large': ['a/large'] },
};

interface SoakResults {
  readonly outcomes: readonly VerifiedRequest[];
  /** Decision ids of all requests, including the warm-up. */
  readonly logged: readonly string[];
  readonly asked: number;
  readonly openBefore: number | undefined;
  readonly openAfter: number | undefined;
  readonly mbBefore: number;
  readonly mbAfter: number;
  readonly memory: readonly number[];
}

/** Many requests, plain and streamed, while two providers fail in every temporary way. */
export async function soak(context: GatewayBenchContext): Promise<readonly Row[]> {
  const a = await startFakeProviderProcess(CONSTANT_REPLY);
  const b = await startFakeProviderProcess(CONSTANT_REPLY);
  const plimsoll = await startPlimsoll({
    providers: { a: a.url, b: b.url },
    ladder: { cheap: 'a/small', strong: 'b/large' },
    upstream: UPSTREAM,
  });
  try {
    return soakRows(await runSoak(plimsoll, [a, b], context));
  } finally {
    await Promise.all([a, b, plimsoll].map((one) => one.close()));
    plimsoll.remove();
  }
}

async function runSoak(
  plimsoll: PlimsollProcess,
  providers: readonly FakeProviderProcess[],
  { soakRequests, texts }: GatewayBenchContext,
): Promise<SoakResults> {
  const { pid } = plimsoll;
  await sendRequests(plimsoll, providers, WARM_UP, texts);
  await sleep(IDLE_MS);
  const [openBefore, mbBefore] = [openDescriptors(pid), residentMb(pid)];
  const memory = watchMemory(pid);
  const outcomes = await sendRequests(plimsoll, providers, soakRequests, texts);
  const samples = memory.end();
  await sleep(IDLE_MS);
  const [openAfter, mbAfter] = [openDescriptors(pid), residentMb(pid)];
  await plimsoll.close(); // drains, so that the last records are written
  const logged = readDecisionLog(plimsoll.decisionLog).map(({ id }) => id);
  const asked = WARM_UP + soakRequests;
  return { outcomes, logged, asked, openBefore, openAfter, mbBefore, mbAfter, memory: samples };
}

/** Sends `count` requests, 32 at a time, every second one streamed. */
async function sendRequests(
  { url }: PlimsollProcess,
  providers: readonly FakeProviderProcess[],
  count: number,
  texts: readonly string[],
): Promise<VerifiedRequest[]> {
  const outcomes: VerifiedRequest[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) {
      const turn = Math.floor(i / FAULT_EVERY);
      const fault = FAULTS[turn % FAULTS.length];
      if (fault && i % FAULT_EVERY === 0) await providers[turn % providers.length]?.fail(fault);
      // Every request has its own prompt, so that a reply to another one is noticed.
      outcomes.push(await sendVerified(url, `${texts[i % texts.length]} (${i})`, i % 2 === 1));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return outcomes;
}

function soakRows(found: SoakResults): Row[] {
  const { outcomes, asked, logged, openBefore, openAfter, mbBefore, mbAfter, memory } = found;
  const count = (kind: VerifiedRequest['kind']) => outcomes.filter((one) => one.kind === kind).length;
  const [lost, spliced, cut] = [count('lost'), count('spliced'), count('truncated')];
  const doubled = countDuplicates(outcomes, logged);
  const unlogged = asked - new Set(logged).size;
  const base = { samples: outcomes.length, peer: null, ratio: null };
  const what = `${outcomes.length} requests, one fault for every ${FAULT_EVERY} of them, two providers`;
  const rows: Row[] = [
    {
      ...base,
      name: 'soak-unclean',
      what: `${what}: lost, doubled, spliced, cut off without a word, or not in the decision log`,
      unit: 'requests',
      value: spread([lost + doubled + spliced + cut + Math.abs(unlogged)]),
      target: TARGETS.unclean,
      notes: [
        `answered ${count('complete')}, refused ${count('refused')}, streams that broke off and said so ${count('interrupted')}`,
        `lost ${lost}, doubled ${doubled}, spliced ${spliced}, cut ${cut}, not in the decision log ${unlogged}`,
      ],
    },
    {
      ...base,
      name: 'soak-growth',
      what: `${what}: resident memory of the last quarter / of the second`,
      unit: 'times',
      value: spread([memoryGrowth(memory)]),
      target: TARGETS.growth,
      notes: [
        `idle, ${Math.round(mbBefore)} MB before (after ${WARM_UP} requests) and ${Math.round(mbAfter)} MB after`,
      ],
    },
  ];
  if (openBefore === undefined || openAfter === undefined) return rows;
  const descriptorRow: Row = {
    ...base,
    name: 'soak-descriptors',
    what: `${what}: open descriptors, idle, more than before`,
    unit: 'descriptors',
    value: spread([openAfter - openBefore]),
    target: TARGETS.descriptors,
    notes: [`${openBefore} before, ${openAfter} after`],
  };
  return [...rows, descriptorRow];
}

/** Decision ids that occur in two responses, or in two records. */
function countDuplicates(outcomes: readonly VerifiedRequest[], logged: readonly string[]): number {
  const ids = outcomes.flatMap(({ decisionId }) => decisionId ?? []);
  return ids.length - new Set(ids).size + logged.length - new Set(logged).size;
}
