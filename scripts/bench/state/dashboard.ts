import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { configSchema } from '../../../router/config/index.ts';
import { MEASURES, timeBucket } from '../../../router/records/index.ts';
import { serve } from '../../../router/serve.ts';
import { DECISIONS, type HourCount, openState, type State } from '../../../router/state/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';
import { launchChromium, NO_CHROMIUM } from '../browser.ts';
import { hasPostgres, NO_POSTGRES, ownPostgres } from '../databases.ts';
import { quantile, type Row, spread } from '../measurement.ts';
import { type StateBenchContext, TARGETS } from './context.ts';
import { firstVisitRows } from './first-visit.ts';
import type { DatabasePlace } from './raw-database.ts';

const ROUNDS = 5;
const VISITS = 40;
const SEED = 1;
const HOUR_MS = 3_600_000;
const HOURS = 30 * 24;
const BATCH = 5_000;

type Context = Pick<StateBenchContext, 'decisions' | 'say'>;

/** Time until the whole first page of the dashboard is there, and is painted, with a month of decisions in the state. */
export async function dashboard(context: Context): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-dashboard-'));
  const browser = await launchChromium();
  if (browser === undefined) context.say(`what a browser does is not measured: ${NO_CHROMIUM}`);
  try {
    const inSqlite = await pageRows({ kind: 'sqlite', url: path.join(folder, 'state.db') }, context, browser);
    if (!hasPostgres()) {
      context.say(`PostgreSQL is not measured: ${NO_POSTGRES}`);
      return inSqlite;
    }
    const server = await ownPostgres();
    try {
      return [...inSqlite, ...(await pageRows({ kind: 'postgres', url: server.url }, context, browser))];
    } finally {
      server.close();
    }
  } finally {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function pageRows(
  place: DatabasePlace,
  { decisions, say }: Context,
  browser: Browser | undefined,
): Promise<readonly Row[]> {
  say(`${place.kind}: storing ${decisions} decisions ...`);
  const state = await openState({ ...place, migrate: 'auto' });
  await storeDecisions(state, decisions);
  await state.close();
  const local = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } as const;
  const served = await serve(
    configSchema.parse({
      ladder: { cheap: 'local/small', strong: 'local/large' },
      providers: { local },
      models: { 'local/small': {}, 'local/large': {} },
      state: { ...place, migrate: 'manual' },
      server: { port: 0 },
      log_level: 'silent',
    }),
  );
  try {
    const rounds: Visit[][] = [];
    await visits(`${served.url}/dashboard`, 5, decisions);
    for (let round = 0; round < ROUNDS; round++)
      rounds.push(await visits(`${served.url}/dashboard?days=${[7, 30][round % 2]}`, VISITS, decisions));
    const figures = (of: keyof Visit) => rounds.map((round) => round.map((visit) => visit[of]));
    const [times, used] = [figures('ms'), figures('cpuMs')];
    const inProcess = `processor time of server and client together, all threads: p50 ${quantile(used.flat(), 0.5).toFixed(1)} ms, p95 ${quantile(used.flat(), 0.95).toFixed(1)} ms`;
    const whole: Row = {
      name: `dashboard-${place.kind}-p95`,
      what: `the first page of the dashboard with ${decisions} decisions in ${place.kind}, p95`,
      unit: 'ms',
      value: spread(times.map((round) => quantile(round, 0.95))),
      samples: VISITS,
      peer: null,
      ratio: null,
      target: TARGETS.dashboard,
      notes: [`p50 ${quantile(times.flat(), 0.5).toFixed(1)} ms; of 7 and 30 days in turns; ${inProcess}`],
    };
    const at = { url: `${served.url}/dashboard`, kind: place.kind };
    return [whole, ...(browser === undefined ? [] : await firstVisitRows(browser, at))];
  } finally {
    await served.close();
  }
}

/** A record of the log for each decision, and their sums by hour, as requests would have left them: in the order of time. */
async function storeDecisions(state: State, decisions: number): Promise<void> {
  const random = seededRandom(SEED);
  const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  for (let past = HOURS - 1, stored = 0; past >= 0; past--) {
    const startMs = hour - past * HOUR_MS;
    const until = Math.round((decisions * (HOURS - past)) / HOURS);
    const counts = new Map<string, HourCount>();
    const records = [];
    for (; stored < until; stored++) {
      for (const [measure, label, amount] of countsOf(random)) {
        const name = `${measure} ${label}`;
        const before = counts.get(name)?.amount ?? 0;
        counts.set(name, { startMs, measure, label, amount: before + amount });
      }
      records.push({ id: `dec_${stored}`, timeMs: startMs, body: '{"schema_version":1}' });
    }
    if (records.length === 0) continue;
    for (let at = 0; at < records.length; at += BATCH)
      await state.log.append(DECISIONS, records.slice(at, at + BATCH));
    await state.hourCounts.add(`hour ${startMs}`, [...counts.values()]);
  }
}

const PROFILES = ['', 'support', 'search', 'code', 'mail'];

/** What one decision adds. */
function countsOf(random: () => number): [measure: string, label: string, amount: number][] {
  const profile = PROFILES[Math.floor(random() * PROFILES.length)]!;
  const isEscalated = random() < 0.3;
  const model = isEscalated ? 'local/large' : 'local/small';
  return [
    [MEASURES.requests, 'replied', 1],
    [isEscalated ? MEASURES.escalated : MEASURES.keptCheap, profile, 1],
    [MEASURES.served, model, 1],
    [MEASURES.verdict, 'PASS', 1],
    [MEASURES.reason, isEscalated ? 'over-threshold' : 'within-threshold', 1],
    [MEASURES.spent, model, 1_000_000],
    [MEASURES.compared, profile, 1],
    [MEASURES.comparedCost, profile, 1_000_000],
    [MEASURES.strongCost, profile, 3_000_000],
    [MEASURES.randomCost, profile, 1_500_000],
    [MEASURES.promptTokens, model, 900],
    [MEASURES.cachedTokens, model, 300],
    [MEASURES.addedTime, timeBucket(0.2 * Math.exp(random() * 3)), 1],
    [MEASURES.totalTime, timeBucket(200 * Math.exp(random() * 4)), 1],
  ];
}

interface Visit {
  readonly ms: number;
  /** Processor time of this process, which is server and client. */
  readonly cpuMs: number;
}

/** One after another. @throws Error if the page does not show what was stored: otherwise something else would be measured */
async function visits(url: string, count: number, decisions: number): Promise<Visit[]> {
  const made: Visit[] = [];
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    const before = process.cpuUsage();
    const page = await (await fetch(url)).text();
    const { user, system } = process.cpuUsage(before);
    made.push({ ms: performance.now() - startedMs, cpuMs: (user + system) / 1_000 });
    if (!page.includes('class="tiles"') || decisions === 0) throw new Error('The page shows no decisions.');
  }
  return made;
}
