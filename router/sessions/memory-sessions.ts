import { RecentMap } from '../recent-map.ts';
import type { ThreadState } from './stickiness.ts';

/** What a session did last. Stored as JSON, and without a word of anybody. */
export interface SessionState {
  /** The model of its last request. */
  readonly last: string;
  /** Its newest turns, oldest first: several may be under way, as with the agents of one session. */
  readonly turns: readonly TurnPin[];
  /** Its conversations, the newest last: an agent's helpers have their own. Left out unless conversations keep their model. */
  readonly threads?: readonly SessionThread[] | undefined;
  /** When its first request came, and how many turns there were. Left out by earlier versions. */
  readonly began?: { readonly ms: number; readonly turns: number } | undefined;
}

export interface SessionThread extends ThreadState {
  /** Keyed hash of system prompt and first user turn, which a prompt cache begins with, and of the options that decided. */
  readonly thread: string;
}

/** Where one turn went. */
export interface TurnPin {
  /** Keyed hash of what was asked, and of the options that decided. */
  readonly turn: string;
  readonly rung: number;
  /** The model of that rung: if another one serves on it now, the pin says nothing. */
  readonly model: string;
}

/** Sessions of this process: bounded, and each for some time after it was last written. What is read is written soon after. */
export interface MemorySessions {
  get(id: string): SessionState | undefined;
  set(id: string, state: SessionState): void;
  readonly size: number;
}

/**
 * @param max sessions; those that were written least recently make room
 * @param ttlMs after the last write
 */
export function memorySessions(max: number, ttlMs: number, now: () => number = Date.now): MemorySessions {
  const held = new RecentMap<{ readonly state: SessionState; readonly expiresMs: number }>(max);
  return {
    get(id) {
      const found = held.get(id);
      if (found === undefined) return undefined;
      if (found.expiresMs > now()) return found.state;
      held.delete(id);
      return undefined;
    },
    set(id, state) {
      held.set(id, { state, expiresMs: now() + ttlMs });
    },
    get size() {
      return held.size;
    },
  };
}
