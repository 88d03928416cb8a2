import { errorBody } from '../dialects/index.ts';
import {
  type FailedAttempt,
  failedAttempt,
  type PrepareAttempt,
  type ProviderCall,
  type ReadyAttempt,
} from '../exchange/index.ts';
import { overruledEfforts, withNamedEffort } from '../targets/index.ts';

/**
 * Calls of a model that is named with an effort get it, in the client's dialect; mapping and corrections follow. What the client says about effort
 * itself counts as dropped, and with the rule `refuse` such a call fails before anything is sent.
 */
export function withNamedEfforts(prepare: PrepareAttempt): PrepareAttempt {
  return (call) => {
    if (call.model.effort === undefined || call.operation !== 'chat') return prepare(call);
    const overruled = overruledEfforts(call);
    if (refusesNamedEffort(call)) return conflict(call, overruled);
    const prepared = prepare(withNamedEffort(call));
    if (overruled.length === 0) return prepared;
    return prepared instanceof Promise
      ? prepared.then((ready) => reporting(ready, overruled))
      : reporting(prepared, overruled);
  };
}

/** Whether the client says something of effort that the model's name contradicts, and nothing may be dropped. */
export function refusesNamedEffort(
  call: Pick<ProviderCall, 'model' | 'dialect' | 'body' | 'unmappable'>,
): boolean {
  return call.unmappable === 'refuse' && overruledEfforts(call).length > 0;
}

function reporting(prepared: ReadyAttempt | FailedAttempt, overruled: readonly string[]) {
  if (prepared.kind === 'failure') return prepared;
  const send: ReadyAttempt['send'] = async (timeouts) => {
    const outcome = await prepared.send(timeouts);
    if (outcome.kind === 'failure') return outcome;
    return { ...outcome, dropped: [...overruled, ...(outcome.dropped ?? [])] };
  };
  return { kind: 'ready', send } as const;
}

function conflict({ model, dialect }: ProviderCall, [param = 'effort']: readonly string[]): FailedAttempt {
  const message = `${param} contradicts the effort in the name ${model.name}. Leave one of the two out.`;
  const error = { status: 400, message, code: 'unmappable_field', param };
  return {
    ...failedAttempt(model, 'bad-request', undefined, message),
    body: Buffer.from(JSON.stringify(errorBody(dialect, error))),
  };
}
