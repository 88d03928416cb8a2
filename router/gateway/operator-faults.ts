import type { Logger } from '../telemetry/logger.ts';
import type { ChainEvent } from '../upstream/chain/types.ts';

function faultWords(model: string, failure: 'auth' | 'model-missing', status: number | undefined): string {
  if (failure === 'model-missing') return `${model} does not exist at its provider`;
  return status === undefined
    ? `${model} was not asked: the key of its provider is not in the environment`
    : `${model} refuses the key of its provider`;
}

/** Not the client's fault and not an outage: somebody has to mend the configuration. */
export function reportOperatorFault(event: ChainEvent, logger: Logger): void {
  if (event.kind !== 'operator-fault') return;
  const { model, failure, status } = event;
  logger.error({ model, failure, status }, faultWords(model, failure, status));
}
