import type { UpstreamSettings } from '../providers/index.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { BreakerState } from './types.ts';

/** One breaker for each model, made when it is first asked. May outlive a chain, so that a new configuration forgets no outage. */
export interface Breakers {
  of(model: string): Breaker;
  states(): ReadonlyMap<string, BreakerState>;
}

/** @param onState told at every change; may not throw. */
export function createBreakers(
  settings: UpstreamSettings['breaker'],
  onState: (model: string, state: BreakerState) => void = () => {},
): Breakers {
  const byModel = new Map<string, Breaker>();
  return {
    of(model) {
      const known = byModel.get(model);
      if (known) return known;
      const made = createBreaker(settings, (state) => onState(model, state));
      byModel.set(model, made);
      return made;
    },
    states: () => new Map([...byModel].map(([model, breaker]) => [model, breaker.state()])),
  };
}
