import { PlimsollError } from '../router/errors.ts';

/** Wrong usage, as what commander refuses: arguments that have no meaning, or flags that have none together. */
export class UsageError extends PlimsollError {
  constructor(message: string) {
    super('invalid-input', message);
  }
}

/** What a check of the library says about values that are flags here. @throws UsageError in place of PlimsollError */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof PlimsollError) throw new UsageError(error.message);
    throw error;
  }
}
