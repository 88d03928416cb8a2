import type { Logger } from '../telemetry/logger.ts';
import type { ChainEvent } from '../upstream/chain/types.ts';

type OperatorFault = Extract<ChainEvent, { kind: 'operator-fault' }>;

/** The same fault of the same model is logged at most once in this time. */
const LOG_EVERY_MS = 60_000;

function faultWords({ model, failure, status }: OperatorFault): string {
  if (failure === 'model-missing') return `${model} does not exist at its provider`;
  return status === undefined
    ? `${model} was not asked: the key of its provider is not in the environment`
    : `${model} refuses the key of its provider`;
}

/**
 * Logs what is neither the client's fault nor an outage: somebody has to fix the configuration. Every request may meet the same fault,
 * so it is logged once a minute, with the number of times it was left out in between.
 */
export function operatorFaultLog(logger: Logger): (event: ChainEvent) => void {
  const logged = new Map<string, { at: number; repeated: number }>();
  return (event) => {
    if (event.kind !== 'operator-fault') return;
    const { model, failure, status } = event;
    const name = `${model} ${failure} ${status}`;
    const last = logged.get(name);
    const now = performance.now();
    if (last !== undefined && now - last.at < LOG_EVERY_MS) {
      last.repeated++;
      return;
    }
    logged.set(name, { at: now, repeated: 0 });
    logger.error({ model, failure, status, repeated: last?.repeated || undefined }, faultWords(event));
  };
}
