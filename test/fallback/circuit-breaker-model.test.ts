import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  type CircuitBreaker,
  createCircuitBreaker,
  type Granted,
} from '../../router/fallback/circuit-breaker.ts';
import type { Health } from '../../router/fallback/failure-rules.ts';
import { scaled } from '../helpers/long-run.ts';
import { outcomeOf, settingsWith } from './fallback-script.ts';

const SETTINGS = settingsWith({ breaker: { window: 4, min_attempts: 2, open_ms: 1_000 } }).breaker;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What the breaker must do, without its counts: those are taken from the real one, which may open after any failure. */
interface Model {
  state: 'closed' | 'open' | 'half-open';
  reopensAt: number;
  /** Permissions that were granted since the breaker last changed between closed and open. */
  current: Set<Granted>;
  /** Every permission that has not been returned. */
  held: Granted[];
  failuresInARow: number;
}

interface Real {
  readonly breaker: CircuitBreaker;
}

type Command = fc.Command<Model, Real>;

class TryAcquire implements Command {
  check = () => true;
  run(model: Model, { breaker }: Real): void {
    const permission = breaker.tryAcquire();
    const due = model.state === 'open' && Date.now() >= model.reopensAt;
    expect(permission.kind).toBe(model.state === 'closed' || due ? 'granted' : 'refused');
    if (permission.kind === 'refused') return;
    expect(permission.probe).toBe(due);
    if (due) {
      model.state = 'half-open';
      model.current = new Set();
    }
    model.current.add(permission);
    model.held.push(permission);
    expect(breaker.state()).toBe(model.state);
  }
  toString = () => 'tryAcquire';
}

class RecordOutcome implements Command {
  readonly health: Health | undefined;
  readonly which: number;
  constructor(health: Health | undefined, which: number) {
    this.health = health;
    this.which = which;
  }
  check = ({ held }: Readonly<Model>) => held.length > 0;
  run(model: Model, { breaker }: Real): void {
    const [granted] = model.held.splice(this.which % model.held.length, 1);
    const outcome = outcomeOf({ what: this.health === 'down' ? 'connect' : 'answer' });
    breaker.record(granted!, this.health && { outcome, health: this.health });
    if (model.current.has(granted!)) this.#changed(model, granted!.probe, breaker);
    expect(breaker.state()).toBe(model.state);
  }
  #changed(model: Model, probe: boolean, breaker: CircuitBreaker): void {
    if (probe) {
      model.current = new Set();
      model.state = this.health === 'up' || this.health === 'responds' ? 'closed' : 'open';
      model.failuresInARow = 0;
      if (this.health === 'down') model.reopensAt = Date.now() + SETTINGS.openMs;
      return;
    }
    if (this.health === 'up') model.failuresInARow = 0;
    if (this.health === 'down') model.failuresInARow++;
    const mayOpen = this.health === 'down' && model.failuresInARow > 0;
    const mustOpen = model.failuresInARow >= 3; // more than half of a window of four
    const opened = breaker.state() === 'open';
    expect(opened ? mayOpen : !mustOpen).toBe(true);
    if (!opened) return;
    model.state = 'open';
    model.current = new Set();
    model.reopensAt = Date.now() + SETTINGS.openMs;
  }
  toString = () => `record(${this.health}, ${this.which})`;
}

class Wait implements Command {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  run(): void {
    vi.advanceTimersByTime(this.ms);
  }
  toString = () => `wait(${this.ms})`;
}

const HEALTHS = ['up', 'down', 'responds', 'unknown', undefined] as const;

it('a breaker grants one probe at a time, never stays half-open, and learns nothing from the time before it opened', () => {
  const commands = fc.commands(
    [
      fc.constant(new TryAcquire()),
      fc.constant(new TryAcquire()),
      fc
        .record({ health: fc.constantFrom(...HEALTHS, 'down', 'down'), which: fc.nat(20) })
        .map(({ health, which }) => new RecordOutcome(health as Health | undefined, which)),
      fc.constantFrom(1, 999, 1_000, 5_000).map((ms) => new Wait(ms)),
    ],
    { size: '+2' },
  );
  fc.assert(
    fc.property(commands, (sequence) => {
      const breaker = createCircuitBreaker(SETTINGS, () => {});
      const model: Model = {
        state: 'closed',
        reopensAt: 0,
        current: new Set(),
        held: [],
        failuresInARow: 0,
      };
      fc.modelRun(() => ({ model, real: { breaker } }), sequence);
      // Whatever came before: once every permission is returned and time has passed, a healthy model serves again.
      for (const granted of model.held) breaker.record(granted, undefined);
      vi.advanceTimersByTime(SETTINGS.openMs);
      const next = breaker.tryAcquire();
      if (next.kind === 'refused') throw new Error('stuck');
      breaker.record(next, { outcome: outcomeOf({ what: 'answer' }), health: 'up' });
      expect(breaker.state()).toBe('closed');
    }),
    { numRuns: scaled(500) },
  );
});
