import type { CatalogModel } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { createNativeAttempt } from './native-attempt.ts';
import type { PrepareAttempt, ProviderCall } from './types.ts';

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

/**
 * Whether a model's API can carry a call. One that speaks the client's dialect carries everything; for another one the call is mapped, and
 * the attempt sends that mapping. Nothing is sent here. An error of another kind than a refusal is left to the attempt.
 */
export async function canCarry(call: Omit<ProviderCall, 'model'>, model: CatalogModel): Promise<boolean> {
  if (call.operation !== 'chat' || model.provider.dialect === call.dialect) return true;
  const { sharedMapping } = await import('./map-request.ts');
  return sharedMapping({ ...call, model }, process.env).then(
    () => true,
    (error: unknown) => !(error instanceof PlimsollError),
  );
}
