import type { Limiter } from '../access/index.ts';
import { requirementsOf } from '../catalog/index.ts';
import { requestMessages, scoredText } from '../prompt/index.ts';
import type { RequestTraits } from '../rules/index.ts';
import type { ActiveSession } from '../sessions/index.ts';
import type { GatewayRequest } from './request.ts';

/** What is known besides the request. */
interface Known {
  /** The client named a model. */
  readonly isExplicit: boolean;
  readonly profile: string | undefined;
  readonly session: ActiveSession | undefined;
  readonly limiter: Pick<Limiter, 'used'> | undefined;
}

/** What rules look at of a request. Text and needs are worked out once, if a rule asks for them. */
export function requestTraits(
  request: GatewayRequest,
  { isExplicit, profile, session, limiter }: Known,
): RequestTraits {
  const { body, dialect, headers, keyId, team, tags, task } = request;
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
    sessionAge: () => session?.age(),
    budgetUsed: (limit) =>
      limiter?.used(limit, {
        key: keyId === undefined ? [] : [keyId],
        team: team === undefined ? [] : [team],
        tag: tags,
        profile: isExplicit && profile === undefined ? [] : [profile ?? 'default'],
      }) ?? 0,
  };
}

function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => {
    done ??= { value: work() };
    return done.value;
  };
}
