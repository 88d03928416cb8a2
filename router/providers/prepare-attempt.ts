import type { CatalogModel } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { createNativeAttempt } from './native-attempt.ts';
import type { PrepareAttempt, UnroutedCall } from './types.ts';

/** Providers that speak the client's dialect get the bytes; the others go through the AI SDK, which is loaded with the first such request. */
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
 * Whether a model's API can carry a call. One that speaks the client's dialect carries everything; for others the call is mapped here, and
 * the attempt sends that mapping. An error other than a refusal is left to the attempt.
 */
export function canCarry(call: UnroutedCall, model: CatalogModel): boolean | Promise<boolean> {
  if (call.operation !== 'chat' || model.provider.dialect === call.dialect) return true;
  return canMap(call, model);
}

async function canMap(call: UnroutedCall, model: CatalogModel): Promise<boolean> {
  const { sharedMapping } = await import('./map-request.ts');
  return sharedMapping({ ...call, model }, process.env).then(
    () => true,
    (error: unknown) => !(error instanceof PlimsollError),
  );
}
