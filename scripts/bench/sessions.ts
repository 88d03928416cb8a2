import { Command } from 'commander';
import { costUsd } from '../../router/catalog/index.ts';
import { choose } from '../../router/policy/index.ts';
import {
  afterChoice,
  afterReply,
  type StickinessOptions,
  standingOf,
  type ThreadState,
} from '../../router/sessions/index.ts';
import { mean, seededRandom } from '../../router/statistics/index.ts';
import { wholeNumberBetween } from '../flags.ts';
import { print } from '../terminal.ts';

const REQUESTS = 40;
const CACHE_TTL_MS = 300_000;
const REPLY_MS = 3_000;
const TOOL_GAP_MS = 8_000;
/** A system prompt with tools. */
const FIRST_TOKENS = 30_000;
/** What a hard turn loses on the cheap model. */
const LOSS = 0.5;

const rates = (inputUsd: number) => ({
  inputUsd,
  outputUsd: inputUsd * 5,
  cachedInputUsd: inputUsd / 10,
  cacheWriteUsd: inputUsd * 1.25,
});
/** Two models of one maker, in US dollars for a million tokens. */
const LADDER = [
  { name: 'cheap', price: rates(1) },
  { name: 'strong', price: rates(5) },
];
const POLICY = { kind: 'threshold', name: 'bench', version: 1, threshold: 0.1 } as const;

/** A kind of traffic. */
interface Mix {
  readonly name: string;
  /** Mean of the requests of a turn. */
  readonly perTurn: number;
  readonly hardShare: number;
  /** Mean time until a person goes on. */
  readonly gapMs: number;
}

const MIXES: readonly Mix[] = [
  { name: 'agent, 5 requests a turn, 20 % hard, pauses of 1 min', perTurn: 5, hardShare: 0.2, gapMs: 60_000 },
  {
    name: 'agent, 5 requests a turn, 40 % hard, pauses of 4 min',
    perTurn: 5,
    hardShare: 0.4,
    gapMs: 240_000,
  },
  { name: 'one request a turn, 20 % hard, pauses of 1 min', perTurn: 1, hardShare: 0.2, gapMs: 60_000 },
  { name: 'one request a turn, 20 % hard, pauses of 4 min', perTurn: 1, hardShare: 0.2, gapMs: 240_000 },
  { name: 'one request a turn, 40 % hard, pauses of 1 min', perTurn: 1, hardShare: 0.4, gapMs: 60_000 },
  { name: 'one request a turn, 40 % hard, pauses of 4 min', perTurn: 1, hardShare: 0.4, gapMs: 240_000 },
];

interface SimulatedRequest {
  readonly isHard: boolean;
  readonly isToolTurn: boolean;
  readonly newTokens: number;
  readonly outputTokens: number;
  readonly gapMs: number;
}

function drawSession(random: () => number, { perTurn, hardShare, gapMs }: Mix): SimulatedRequest[] {
  const exponential = () => -Math.log(1 - random());
  const requests: SimulatedRequest[] = [];
  while (requests.length < REQUESTS) {
    const isHard = random() < hardShare;
    const length = 1 + Math.round(exponential() * (perTurn - 1));
    for (let i = 0; i < length && requests.length < REQUESTS; i++) {
      const isToolTurn = i > 0;
      requests.push({
        isHard,
        isToolTurn,
        newTokens:
          (requests.length === 0 ? FIRST_TOKENS : 0) +
          (isToolTurn ? 1_000 + Math.round(random() * 2_000) : 300),
        outputTokens: 100 + Math.round(random() * 500),
        gapMs: isToolTurn ? TOOL_GAP_MS : gapMs * exponential(),
      });
    }
  }
  return requests;
}

type Way = StickinessOptions['stickiness'] | 'first';
const WAYS: readonly Way[] = ['off', 'priced', 'pinned', 'first'];

interface Outcome {
  readonly usd: number;
  /** Mean quality loss of a request against the strong model. */
  readonly loss: number;
  readonly switches: number;
}

/** A session with the routing that serves, against providers that keep each model's prompt for five minutes. `first` keeps the model of the first request. */
function play(session: readonly SimulatedRequest[], way: Way): Outcome {
  const options: StickinessOptions = {
    stickiness: way === 'first' ? 'off' : way,
    marginUsd: 0,
    weight: 1,
    cacheTtlMs: CACHE_TTL_MS,
    rescueAfter: 0,
  };
  const held = new Map<string, { readonly tokens: number; readonly untilMs: number }>();
  let state: ThreadState | undefined;
  let rung = -1;
  let [nowMs, tokens, usd, lost, switches] = [0, 0, 0, 0, 0];
  for (const { isHard, isToolTurn, newTokens, outputTokens, gapMs } of session) {
    nowMs += gapMs;
    tokens += newTokens;
    const facts = { characters: tokens, failures: 0, isToolTurn };
    const standing = standingOf(state, facts, LADDER, options, nowMs);
    const pinned = isToolTurn || (way === 'first' && rung >= 0) ? rung : undefined;
    const choosing = { rungs: 2, allowed: undefined, requestedThreshold: undefined, pinned };
    const choice = choose(POLICY, [isHard ? 0.2 : 0.95, 0.95], { ...choosing, session: standing.stay });
    if (rung >= 0 && choice.rung !== rung) switches++;
    rung = choice.rung;
    state = afterChoice(state, standing, choice, facts, LADDER);
    const model = LADDER[rung]!;
    const cache = held.get(model.name);
    const cachedInputTokens = cache !== undefined && nowMs < cache.untilMs ? cache.tokens : 0;
    const usage = {
      inputTokens: tokens,
      outputTokens,
      cachedInputTokens,
      cacheWriteInputTokens: tokens - cachedInputTokens,
    };
    nowMs += REPLY_MS;
    usd += costUsd(model.price, usage)!;
    lost += isHard && rung === 0 ? LOSS : 0;
    held.set(model.name, { tokens, untilMs: nowMs + CACHE_TTL_MS });
    state = afterReply(state, model, usage, options, nowMs);
    tokens += outputTokens;
  }
  return { usd, loss: lost / session.length, switches };
}

/** Mean with a 95 % interval by the central limit theorem. */
function withInterval(values: readonly number[], digits: number): string {
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  const half = 1.96 * Math.sqrt(variance / values.length);
  return `${centre.toFixed(digits)} (${(centre - half).toFixed(digits)} to ${(centre + half).toFixed(digits)})`;
}

function main(): void {
  const { sessions, seed } = new Command()
    .description(
      'What sessions of 40 requests cost by how conversations keep their model. Simulated: no model is called.',
    )
    .option('--sessions <n>', 'sessions of each mix', wholeNumberBetween(2, 100_000), 300)
    .option('--seed <n>', 'of the draws', wholeNumberBetween(0, 2 ** 31), 1)
    .parse()
    .opts<{ sessions: number; seed: number }>();
  print(`${sessions} sessions a row, seed ${seed}; 95 % intervals\n\n`);
  print('| traffic | way | USD a session | against off, % | quality loss | changes |\n');
  print('| --- | --- | ---: | ---: | ---: | ---: |\n');
  for (const [at, mix] of MIXES.entries()) {
    const random = seededRandom(seed * 1_000 + at);
    const drawn = Array.from({ length: sessions }, () => drawSession(random, mix));
    const off = drawn.map((session) => play(session, 'off').usd);
    for (const way of WAYS) {
      const outcomes = drawn.map((session) => play(session, way));
      const usd = outcomes.map((one) => one.usd);
      const difference = usd.map((one, i) => (100 * (one - off[i]!)) / mean(off));
      const loss = mean(outcomes.map((one) => one.loss)).toFixed(3);
      const switches = mean(outcomes.map((one) => one.switches)).toFixed(1);
      const against = way === 'off' ? '' : withInterval(difference, 1);
      print(`| ${mix.name} | ${way} | ${withInterval(usd, 3)} | ${against} | ${loss} | ${switches} |\n`);
    }
  }
}

main();
