import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLink } from '../../router/dashboard/index.ts';
import { PlimsollError, systemErrorCode } from '../../router/errors.ts';
import { experimentNamed, startExperiment } from '../../router/experiments/index.ts';
import { writeFailure } from '../../router/files/index.ts';
import { serve } from '../../router/serve.ts';
import { withState } from '../open-state.ts';
import { OUTAGE, type PlannedRequest, plannedHour } from './schedule.ts';
import { send } from './send.ts';
import { type DemoSummary, type PlayedRequest, summaryOf } from './summary.ts';
import { type DemoWorld, startWorld } from './world.ts';

export interface DemoOptions {
  /** Requests of the hour. */
  readonly requests: number;
  /** How many times faster than real time the hour passes. */
  readonly speed: number;
  readonly port: number;
  /** End when the traffic ends; otherwise the server stays until the signal aborts. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** Called once it listens. */
  readonly onStart: (started: DemoStart) => void;
  readonly onProgress: (done: number, total: number, note: string) => void;
  /** Called when the traffic ended, or was cut short. */
  readonly onSummary: (summary: DemoSummary) => void;
}

export interface DemoStart {
  readonly url: string;
  /** Signs in to the dashboard once, within ten minutes. */
  readonly signInLink: string;
  /** An API key for requests of one's own. */
  readonly key: string;
}

const SEED = 20_261_201;
/** Over the whole page, on every page. */
const BANNER = 'Demonstration: made-up requests and made-up models. No figure on this page is a measurement.';

/**
 * Plays the hour, in a temporary folder that becomes the working folder of this process and is removed at the end, however it ends.
 * @throws PlimsollError `io` if the port is taken, or no temporary folder can be made
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const before = process.cwd();
  const folder = temporaryFolder();
  const clean = () => {
    try {
      process.chdir(before);
    } catch {} // removed meanwhile: nothing follows that needs it
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', clean); // a second signal ends the process at once
  process.chdir(folder); // state, keys and the secret of sign-in links are where the server runs
  try {
    await play(options);
  } finally {
    process.off('exit', clean);
    clean();
  }
}

function temporaryFolder(): string {
  const parent = tmpdir();
  try {
    return mkdtempSync(path.join(parent, 'plimsoll-demo-'));
  } catch (cause) {
    throw writeFailure(`a temporary folder in ${parent}, which TMPDIR may name`, parent, cause);
  }
}

async function play(options: DemoOptions): Promise<void> {
  const { requests, port, once, signal, onStart, onSummary } = options;
  const plan = plannedHour(requests, SEED);
  const world = await startWorld(plan.filter(({ app }) => app === 'nightly').length, port);
  try {
    const { config, keys } = world;
    const configFile = 'plimsoll.config.yaml';
    const shadow = experimentNamed('newcomer', config.experiments);
    await withState(configFile, { mayBeNew: true, migrate: 'auto' }, async (state) => {
      await startExperiment(shadow, state, Date.now());
    });
    const server = await serve(config, { banner: BANNER }).catch((error) => {
      throw inTermsOfFlags(error, port);
    });
    try {
      const { url } = server;
      onStart({ url, key: keys.you, signInLink: createLink(url, Date.now()) });
      const startedMs = performance.now();
      const played = await sendAll(plan, url, world, options);
      const seconds = Number(((performance.now() - startedMs) / 1_000).toFixed(1));
      onSummary(summaryOf(played, { url, interrupted: played.length < plan.length, seconds }));
      if (!once) await aborted(signal);
    } finally {
      await server.close();
    }
  } finally {
    await world.close();
  }
}

/** The configuration is the demonstration's own: a port is chosen by the flag alone. */
function inTermsOfFlags(error: unknown, port: number): unknown {
  if (!(error instanceof PlimsollError) || error.place.field !== 'server.port') return error;
  const why =
    systemErrorCode(error.cause) === 'EADDRINUSE'
      ? 'is in use, by another program or by a demonstration that runs already'
      : 'needs rights that this user does not have';
  return new PlimsollError('io', `Port ${port} ${why}. Choose another with --port; 0 takes a free one.`, {
    cause: error,
  });
}

/** The most that are at work at once: a slow machine falls behind the hour, and does not drown. */
const MOST_AT_WORK = 24;

/** Sends each request at its time, whether or not earlier ones have their reply. */
async function sendAll(
  plan: readonly PlannedRequest[],
  url: string,
  world: DemoWorld,
  { speed, signal, onProgress }: DemoOptions,
): Promise<readonly PlayedRequest[]> {
  setMaxListeners(0, signal); // each request at work listens
  const played: PlayedRequest[] = [];
  const atWork = new Set<Promise<void>>();
  const startedMs = performance.now();
  let isAway = false;
  for (const planned of plan) {
    const waitMs = planned.atMs / speed - (performance.now() - startedMs);
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
    const away = planned.atMs >= OUTAGE.fromMs && planned.atMs < OUTAGE.untilMs;
    if (away !== isAway) await Promise.all(atWork); // an outage is of its own requests, however slow the machine is
    isAway = away;
    while (atWork.size >= MOST_AT_WORK) await Promise.race(atWork);
    if (signal.aborted) break;
    world.setOutage(isAway);
    const work = send(url, world.keys[planned.app], planned, signal).then(
      (one) => {
        played.push(one);
        onProgress(played.length, plan.length, away ? ', beta is away' : '');
      },
      (error) => {
        if (!signal.aborted) throw error;
      },
    );
    atWork.add(work);
    work.finally(() => atWork.delete(work)).catch(() => {});
  }
  await Promise.all(atWork);
  world.setOutage(false);
  return played;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
