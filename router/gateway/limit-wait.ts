import type { AppliedLimit, Entry, Limiter, LimitRefusal, RequestLimits } from '../access/index.ts';
import { placesOf } from '../catalog/index.ts';
import { monotonicClock } from '../fallback/index.ts';
import { callPlaceOf, choiceOf } from './limit-steps.ts';
import type { Plan } from './plan.ts';
import type { GatewayRequest } from './request.ts';

/** How often the head of a line looks whether requests at work gave back what they reserved, in ms. */
const LOOK_EVERY_MS = 100;

/** A request's wait for room in limits. One place in one line at most, so that two requests never wait for each other. */
export interface LimitWait {
  /** If others wait for the limits of the plan's choice already, waits for its turn. @returns why that failed */
  turn(limits: RequestLimits, plan: Plan): Promise<LimitRefusal | undefined>;
  /** Waits until there may be room. @returns false if the wait would be too long, or too many wait */
  room(refusal: LimitRefusal): Promise<boolean>;
  /** Gives the place to the next. */
  leave(): void;
}

/** @throws from `turn` and `room` the reason of the request's signal */
export function createLimitWait(
  limiter: Pick<Limiter, 'line'>,
  { signal, keyId }: Pick<GatewayRequest, 'signal' | 'keyId'>,
): LimitWait {
  const { now, sleep } = monotonicClock;
  const startedAt = now();
  let held: { readonly scope: string; readonly leave: () => void } | undefined;

  async function enter(limit: AppliedLimit): Promise<Entry> {
    held?.leave();
    held = undefined;
    const entry = await limiter.line(limit).enter(signal, keyId);
    if (entry.outcome === 'entered') held = { scope: limit.scope, leave: entry.leave };
    if (entry.outcome === 'aborted') signal.throwIfAborted();
    return entry;
  }

  return {
    async turn(limits, plan) {
      const queued = placesOf(choiceOf(plan)).map((place) => limits.queued(callPlaceOf(place)));
      const [limit] = queued;
      if (limit === undefined || limit.scope === held?.scope || queued.includes(undefined)) return undefined;
      const entry = await enter(limit);
      return entry.outcome === 'entered' || entry.outcome === 'aborted'
        ? undefined
        : refusedInLine(limit, entry.retryAfterS);
    },
    async room({ limit, room }) {
      const waitMs = room === 'any-time' ? LOOK_EVERY_MS : room.afterMs + 1;
      const leftMs = () => startedAt + limit.whenFull!.maxWaitMs - now();
      if (waitMs > leftMs()) return false;
      if (held?.scope !== limit.scope) {
        const enteredAt = now();
        if ((await enter(limit)).outcome !== 'entered') return false;
        if (now() - enteredAt > LOOK_EVERY_MS) return true; // others went first, and time has passed
      }
      if (waitMs > leftMs()) return false;
      await sleep(waitMs, signal);
      return true;
    },
    leave: () => held?.leave(),
  };
}

function refusedInLine(limit: AppliedLimit, retryAfterS: number): LimitRefusal {
  const { unit, name: window } = limit.windows[0]!;
  return {
    outcome: 'refused',
    unit,
    window,
    limit,
    neverFits: false,
    retryAfterS,
    room: 'any-time',
    standing: [],
  };
}
