import { requirementsOf } from '../catalog/index.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';
import type { RequestTraits } from '../rules/index.ts';
import type { GatewayRequest } from './request.ts';

/** What rules look at of a request. Text and needs are worked out once, if a rule asks for them. */
export function requestTraits(request: GatewayRequest, isExplicit: boolean): RequestTraits {
  const { body, dialect, headers, keyId, tags, task } = request;
  const model = body['model'];
  return {
    model: typeof model === 'string' ? model : undefined,
    isExplicit,
    task,
    tags,
    keyId,
    headers,
    text: once(() => scoredText({ messages: requestMessages(body, dialect) })),
    needs: once(() => requirementsOf(body, dialect)),
  };
}

function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => {
    done ??= { value: work() };
    return done.value;
  };
}
