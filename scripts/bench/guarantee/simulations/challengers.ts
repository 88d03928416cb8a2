import { deltaOfLook } from '../../../../evals/gate/index.ts';
import { lossPValue } from '../../../../evals/threshold/index.ts';
import { drawnOrder } from '../gate.ts';
import { CONFIDENCE, lossLimit, MARGIN, promised, type Simulation, shown, shuffled } from './simulation.ts';

const CASES = 1000;
const COUNTS = [1, 3, 6, 12, 24] as const;
const MOST = COUNTS[COUNTS.length - 1]!;
/** Every challenger truly loses so much. */
const TRUE_LOSS = MARGIN + 0.002;
const TOPICS = 40;
const KEPT_TOPICS = 20;
/** Every challenger keeps half of the requests cheap. */
const LOSS_OF_KEPT = 2 * TRUE_LOSS;

/**
 * Challengers that were made before anybody looked, gated one after the other on the same cases. Each keeps half of the cases cheap; which ones
 * goes by a normal score that any two of them share to `correlation`.
 */
export function fixedChallengers(correlation: number): Simulation {
  return {
    name: `challengers/fixed, correlation ${correlation}, n ${CASES}`,
    ways: [...COUNTS.map((count) => promised(`${count}, spending`)), shown(`${MOST}, undivided`)],
    trial(random) {
      const normal = normalDraws(random);
      const lost = Uint8Array.from({ length: CASES }, () => Number(random() < LOSS_OF_KEPT));
      const common = Float64Array.from({ length: CASES }, normal);
      const [shared, own] = [Math.sqrt(correlation), Math.sqrt(1 - correlation)];
      const first = { spending: Number.POSITIVE_INFINITY, undivided: Number.POSITIVE_INFINITY };
      for (let k = 1; k <= MOST; k++) {
        const losses = Float64Array.from(lost, (loss, i) =>
          shared * common[i]! + own * normal() < 0 ? loss : 0,
        );
        if (passes(losses, deltaOfLook(k, CONFIDENCE))) first.spending = Math.min(first.spending, k);
        if (passes(losses, 1 - CONFIDENCE)) first.undivided = Math.min(first.undivided, k);
      }
      return [...COUNTS.map((count) => first.spending <= count), first.undivided <= MOST];
    },
  };
}

/** What the operator exchanges after each look, knowing the losses of the sealed cases. */
type Exchange = 'the worst topic for any other' | 'the worst topic for the best other';

/**
 * The operator makes the next challenger from what the last result showed: requests are of forty topics, a policy keeps twenty of them
 * cheap, and the topic that lost most on the sealed cases is exchanged. All topics truly lose the same, so every policy is as bad as the first.
 */
export function adaptiveChallengers(exchange: Exchange): Simulation {
  return {
    name: `challengers/adaptive, ${exchange}, n ${CASES}`,
    ways: COUNTS.map((count) => shown(`${count}, spending`)),
    trial(random) {
      const topics = Uint8Array.from({ length: CASES }, () => Math.floor(random() * TOPICS));
      const lost = Uint8Array.from({ length: CASES }, () => Number(random() < LOSS_OF_KEPT));
      const lostOf = new Uint16Array(TOPICS);
      topics.forEach((topic, i) => {
        lostOf[topic]! += lost[i]!;
      });
      const order = Array.from(shuffled(TOPICS, random));
      const kept = order.slice(0, KEPT_TOPICS);
      const others = order.slice(KEPT_TOPICS);
      let first = Number.POSITIVE_INFINITY;
      for (let k = 1; k <= MOST && first > MOST; k++) {
        const losses = Float64Array.from(lost, (loss, i) => (kept.includes(topics[i]!) ? loss : 0));
        if (passes(losses, deltaOfLook(k, CONFIDENCE))) first = k;
        const worst = kept.reduce((most, topic) => (lostOf[topic]! > lostOf[most]! ? topic : most));
        const next =
          exchange === 'the worst topic for any other'
            ? others[Math.floor(random() * others.length)]!
            : others.reduce((least, topic) => (lostOf[topic]! < lostOf[least]! ? topic : least));
        kept[kept.indexOf(worst)] = next;
        others[others.indexOf(next)] = worst;
      }
      return COUNTS.map((count) => first <= count);
    },
  };
}

function passes(losses: Float64Array, delta: number): boolean {
  return lossPValue(drawnOrder(CASES), losses, lossLimit(delta)) <= delta;
}

/** Standard normal numbers, by Box and Muller. */
function normalDraws(random: () => number): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
