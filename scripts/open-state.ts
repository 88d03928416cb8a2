import { existsSync } from 'node:fs';
import { defaultState, loadConfig } from '../router/config/index.ts';
import { PlimsollError } from '../router/errors.ts';
import {
  DEFAULT_SQLITE_FILE,
  openState,
  type Retention,
  type State,
  type StateOptions,
} from '../router/state/index.ts';

interface Opening {
  readonly migrate?: 'auto';
  /** Whether a file that is not there is made. */
  readonly mayBeNew?: boolean;
}

/**
 * Does work on the state that a configuration names. Commands leave the schema as it is, except those that make it.
 * @throws PlimsollError if it cannot be opened
 */
export async function withState(
  config: string | undefined,
  { migrate, mayBeNew = false }: Opening,
  work: (state: State, options: StateOptions & { readonly retention: Retention }) => Promise<void>,
): Promise<void> {
  const options = loadConfig(config).state ?? defaultState();
  const file = options.url ?? DEFAULT_SQLITE_FILE;
  if (options.kind === 'memory') {
    throw new PlimsollError('invalid-config', 'state.kind is memory: nothing is stored outside the server.');
  }
  if (options.kind === 'sqlite' && !mayBeNew && !existsSync(file)) {
    throw new PlimsollError(
      'not-found',
      `There is no state at ${file} yet. A server that needs one makes it.`,
      {
        place: { file },
      },
    );
  }
  const state = await openState({ ...options, migrate: migrate ?? 'manual' });
  try {
    const trouble = state.trouble();
    if (trouble !== undefined) throw new PlimsollError('state-unavailable', trouble);
    await work(state, options);
  } finally {
    await state.close();
  }
}
