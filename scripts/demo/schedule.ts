import { seededRandom } from '../../router/statistics/index.ts';
import { easyPrompt, hardPrompt } from './prompts.ts';

/** The applications that send the traffic, each with an API key of its own. */
export const APPS = ['shop', 'helpdesk', 'nightly'] as const;
export type App = (typeof APPS)[number];

export const APIS = ['openai', 'anthropic', 'responses'] as const;
export type Api = (typeof APIS)[number];

export interface PlannedRequest {
  /** Simulated time since the beginning, in ms. */
  readonly atMs: number;
  readonly app: App;
  readonly api: Api;
  readonly model: string;
  /** What was said before and is said now, by the user and the model in turn. */
  readonly turns: readonly string[];
  readonly session?: string;
  readonly tag?: 'payments' | 'legal';
  readonly stream: boolean;
  readonly tools: boolean;
  /** 0 to 1, as the user would rate the reply; undefined: says nothing. */
  readonly score?: number;
}

/** Simulated length of the traffic. */
export const HOUR_MS = 3_600_000;

/** When the provider of the large model is away, simulated. */
export const OUTAGE = { fromMs: 0.5 * HOUR_MS, untilMs: 0.58 * HOUR_MS };

/** Requests that name this model themselves have no other to fall back on. */
export const LARGE_MODEL = 'beta/large-models';

/** The same hour each time. @param count of requests, at least 1 @param seed of the draws */
export function plannedHour(count: number, seed: number): PlannedRequest[] {
  const random = seededRandom(seed);
  const times = Array.from({ length: count }, () => HOUR_MS * random()).sort((a, b) => a - b);
  const conversations: string[][] = [];
  return times.map((atMs, i) => planned(atMs, i, random, conversations));
}

function planned(atMs: number, i: number, random: () => number, conversations: string[][]): PlannedRequest {
  const [kind, isHard] = [random(), random() < HARD_SHARE];
  const prompt = isHard ? hardPrompt(random) : easyPrompt(random);
  const common = {
    atMs,
    app: APPS[random() < 0.6 ? 0 : random() < 0.7 ? 1 : 2]!,
    api: APIS[Math.floor(random() * APIS.length)]!,
    model: 'auto',
    turns: [prompt],
    stream: random() < 0.4,
    tools: false,
    ...(random() < 0.25 && { score: random() < (isHard ? 0.75 : 0.85) ? 1 : 0.3 }),
  };
  if (kind < 0.3) return { ...common, app: 'helpdesk', ...nextTurn(prompt, i, random, conversations) };
  if (kind < 0.38) return { ...common, model: 'auto:careful' };
  if (kind < 0.46) return { ...common, model: 'auto:drafts' };
  if (kind < 0.52) return { ...common, tag: 'payments' };
  if (kind < 0.53) return { ...common, tag: 'legal', stream: false };
  if (kind < 0.58) return { ...common, tools: true };
  if (kind < 0.62) return { ...common, model: LARGE_MODEL };
  if (kind < 0.63) return { ...common, model: 'beta/no-such-model' };
  return common;
}

const HARD_SHARE = 0.3;
const OPEN_CONVERSATIONS = 6;
const LONGEST = 9;

/** The next turn of a conversation, or the first of a new one. */
function nextTurn(
  prompt: string,
  i: number,
  random: () => number,
  conversations: string[][],
): Pick<PlannedRequest, 'turns' | 'session'> {
  const slot = Math.floor(random() * OPEN_CONVERSATIONS);
  const known = conversations[slot];
  const turns =
    known === undefined || known.length > LONGEST ? [`demo-${i}`] : [...known, 'A made-up reply.'];
  turns.push(prompt);
  conversations[slot] = turns;
  return { session: turns[0]!, turns: turns.slice(1) };
}
