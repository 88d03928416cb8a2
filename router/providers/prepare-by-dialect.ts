import { createNativeAttempt } from './native-attempt.ts';
import type { PrepareAttempt } from './types.ts';

/** A provider that speaks the client's dialect gets the bytes; the others go through the AI SDK, whose code is loaded with the first such request. */
export function prepareByDialect(): PrepareAttempt {
  const native = createNativeAttempt();
  let mapped: Promise<PrepareAttempt> | undefined;
  return (call) => {
    if (call.model.provider.dialect === call.dialect) return native(call);
    mapped ??= import('./mapped-attempt.ts').then((loaded) => loaded.createMappedAttempt());
    return mapped.then((prepare) => prepare(call));
  };
}
