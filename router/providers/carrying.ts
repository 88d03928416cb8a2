import type { CatalogModel } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UpstreamCall } from './types.ts';

/**
 * Whether a model's API can carry a call. One that speaks the client's dialect carries everything; for another one the call is mapped, and
 * the attempt sends that mapping. Nothing is sent here. An error of another kind than a refusal is left to the attempt.
 */
export async function canCarry(call: Omit<UpstreamCall, 'model'>, model: CatalogModel): Promise<boolean> {
  if (call.operation !== 'chat' || model.provider.dialect === call.dialect) return true;
  const { mappingOf } = await import('./map-request.ts');
  return mappingOf({ ...call, model }, process.env).then(
    () => true,
    (error: unknown) => !(error instanceof PlimsollError),
  );
}
