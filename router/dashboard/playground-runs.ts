import { PlimsollError } from '../errors.ts';
import type { MemoryBudget, MemoryShare } from '../memory-budget.ts';
import { risingId } from '../rising-id.ts';
import type { Explained } from '../router.ts';
import type { AskedReply } from './playground-reply.ts';

/** What somebody tries: a prompt and what was decided on it. */
export interface Attempt {
  readonly prompt: string;
  /** Empty: none. */
  readonly system: string;
  /** Undefined: none. */
  readonly profile: string | undefined;
  /** The captured request that is tried again. */
  readonly captured?: string | undefined;
  readonly explained: Explained;
}

/** One prompt in the playground, in the memory of this process alone. */
export interface Run extends Attempt {
  readonly id: string;
  readonly createdMs: number;
  /** Counts the texts of the prompt and of the replies. */
  readonly memory: MemoryShare;
  /** Empty until the candidates are asked. */
  replies: readonly AskedReply[];
  /** What the visitor said about each reply and was kept: `good`, `bad` or nothing. Empty until then. */
  grades: readonly string[];
}

const MAX_AGE_MS = 3_600_000;
/** The oldest go beyond these. */
const MAX_RUNS = 100;
const MAX_RUNS_EACH = 10;

/** The prompts that are tried at the moment. Each is there for the session that sent it, and for nobody else. */
export class Runs {
  readonly #runs = new Map<string, Run & { readonly owner: string }>();
  readonly #budget: MemoryBudget;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /**
   * @param owner the form token of the session
   * @throws PlimsollError `queue-full` if there is no memory for it
   */
  add(owner: string, attempt: Attempt, nowMs: number): Run {
    this.#dropOld(nowMs);
    const own = [...this.#runs.values()].filter((one) => one.owner === owner);
    for (const one of own.slice(0, Math.max(0, own.length - MAX_RUNS_EACH + 1))) this.#drop(one);
    for (const one of [...this.#runs.values()].slice(0, Math.max(0, this.#runs.size - MAX_RUNS + 1)))
      this.#drop(one);
    const memory = this.#budget.share();
    if (!memory.add(2 * (attempt.prompt.length + attempt.system.length))) throw noMemory();
    const run = {
      ...attempt,
      id: `play_${risingId(nowMs)}`,
      createdMs: nowMs,
      memory,
      replies: [],
      grades: [],
    };
    this.#runs.set(run.id, { ...run, owner });
    return this.#runs.get(run.id)!;
  }

  /** Undefined if there is none, it is another session's, or it is over. */
  find(owner: string | undefined, id: string, nowMs: number): Run | undefined {
    this.#dropOld(nowMs);
    const run = this.#runs.get(id);
    return run !== undefined && run.owner === owner ? run : undefined;
  }

  #dropOld(nowMs: number): void {
    for (const run of this.#runs.values()) {
      if (nowMs - run.createdMs < MAX_AGE_MS) return;
      this.#drop(run);
    }
  }

  #drop(run: Run): void {
    for (const reply of run.replies) reply.stop();
    run.memory.release();
    this.#runs.delete(run.id);
  }
}

function noMemory(): PlimsollError {
  return new PlimsollError(
    'queue-full',
    'The server holds too much at the moment. Nothing was called. Try again later.',
  );
}
