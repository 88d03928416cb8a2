import { createHash } from 'node:crypto';
import { seededRandom } from '../../router/statistics/index.ts';

/** A request of a made-up product, and what is right. */
export interface ExampleRequest {
  readonly prompt: string;
  readonly task: string;
  readonly answer: string;
}

type Random = () => number;

/** One kind of request: how it is worded, and how often each model is right about it. */
interface Kind {
  readonly task: string;
  /** Share of all requests. */
  readonly share: number;
  readonly small: number;
  readonly large: number;
  readonly make: (random: Random) => readonly [prompt: string, answer: string];
}

export const MODELS = ['small', 'large'] as const;

type Model = (typeof MODELS)[number];

const whole = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1));
const oneOf = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)]!;

const NAMES = [
  'Amara',
  'Jonas',
  'Mei',
  'Tomasz',
  'Leila',
  'Pedro',
  'Ingrid',
  'Kofi',
  'Noor',
  'Sven',
  'Yuki',
  'Olga',
];
const GOODS = [
  'desk lamp',
  'kettle',
  'rain jacket',
  'notebook',
  'office chair',
  'phone case',
  'backpack',
  'toaster',
];
const PRAISE = [
  'works perfectly',
  'arrived a day early',
  'looks even better than in the picture',
  'was easy to set up',
];
const BLAME = [
  'broke after two days',
  'smells of glue',
  'arrived with a scratch',
  'is much smaller than it says',
];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const KINDS: readonly Kind[] = [
  {
    task: 'sentiment',
    share: 0.3,
    small: 0.97,
    large: 0.98,
    make(random) {
      const isGood = random() < 0.5;
      const said = oneOf(random, isGood ? PRAISE : BLAME);
      const order = whole(random, 1000, 9999);
      return [
        `Is this review positive or negative? Order ${order}: "The ${oneOf(random, GOODS)} ${said}." One word.`,
        isGood ? 'positive' : 'negative',
      ];
    },
  },
  {
    task: 'extraction',
    share: 0.25,
    small: 0.96,
    large: 0.98,
    make(random) {
      const order = `${oneOf(random, ['A', 'B', 'K', 'R'])}-${whole(random, 10_000, 99_999)}`;
      const name = oneOf(random, NAMES);
      return [
        `Give me only the order number: "Hi, ${name} here, where is my ${oneOf(random, GOODS)}? It is order ${order}."`,
        order,
      ];
    },
  },
  {
    task: 'conversion',
    share: 0.15,
    small: 0.93,
    large: 0.98,
    make(random) {
      const kilometres = whole(random, 12, 9_800);
      return [`Convert ${kilometres} kilometres to metres. Number only.`, `${kilometres * 1000}`];
    },
  },
  {
    task: 'bill',
    share: 0.15,
    small: 0.55,
    large: 0.95,
    make(random) {
      const [count, price, percent] = [
        whole(random, 3, 48),
        whole(random, 7, 95),
        oneOf(random, [5, 10, 15, 20]),
      ];
      const total = (count * price * (100 - percent)) / 100;
      return [
        `${oneOf(random, NAMES)} orders ${count} pieces of ${oneOf(random, GOODS)} at ${price} euros each. There is a discount of ${percent} % on the whole order, and delivery is free. What does the order cost in euros? Think step by step, then give the number.`,
        `${total}`,
      ];
    },
  },
  {
    task: 'calendar',
    share: 0.15,
    small: 0.4,
    large: 0.94,
    make(random) {
      const [today, days] = [whole(random, 0, 6), whole(random, 30, 900)];
      return [
        `Today is ${DAYS[today]}. If the warranty of the ${oneOf(random, GOODS)} ends in exactly ${days} days, on which day of the week is that? Explain how you count, and end with the day.`,
        DAYS[(today + days) % 7]!,
      ];
    },
  },
];

/** The same requests each time: of 3,000 about four in five could go to the small model. @param seed of the draw */
export function exampleRequests(count: number, seed: number): ExampleRequest[] {
  const random = seededRandom(seed);
  const seen = new Set<string>();
  const requests: ExampleRequest[] = [];
  while (requests.length < count) {
    const kind = kindAt(random());
    const [prompt, answer] = kind.make(random);
    if (seen.has(prompt)) continue;
    seen.add(prompt);
    requests.push({ prompt, task: kind.task, answer });
  }
  return requests;
}

function kindAt(place: number): Kind {
  let rest = place;
  for (const kind of KINDS) {
    if (rest < kind.share) return kind;
    rest -= kind.share;
  }
  return KINDS[0]!;
}

/** What a model replies: always the same to one prompt, right as often as its kind says. */
export function exampleReply({ prompt, task, answer }: ExampleRequest, model: Model): string {
  const chance = KINDS.find((kind) => kind.task === task)![model];
  const draw = createHash('sha256').update(`${model}\n${prompt}`).digest().readUInt32BE() / 2 ** 32;
  return draw < chance ? answer : wrong(answer);
}

function wrong(answer: string): string {
  const day = DAYS.indexOf(answer);
  if (day >= 0) return DAYS[(day + 1) % 7]!;
  if (answer === 'positive') return 'negative';
  if (answer === 'negative') return 'positive';
  const number = Number(answer);
  return Number.isNaN(number) ? `${answer}0` : `${number + 10}`;
}
