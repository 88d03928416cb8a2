import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access, Authentication } from '../access/index.ts';
import type { Dialect } from '../catalog/index.ts';
import type { Sender } from './answer.ts';
import { type ErrorAnswer, errorAnswer } from './error-answer.ts';
import { spokenDialect } from './spoken-dialect.ts';

/** A request that the guard let through. */
export interface Guarded {
  /** Of the key that it came with. */
  keyId?: string;
  /** The whole path, where Express has taken off its beginning. */
  readonly originalUrl?: string;
}

/** For Express and for node's own server. */
export type Guard = (request: IncomingMessage & Guarded, response: ServerResponse, next: () => void) => void;

/**
 * Lets through who has a key; the others get 401 or 403 in the form of the API that they speak, before their body is read.
 * @param refused told of each of them
 */
export function keyGuard(
  send: Sender,
  access: Access,
  refused: (dialect: Dialect, status: number) => void,
): Guard {
  return (request, response, next) => {
    const found = access.authenticate(request.headers);
    if (found.kind === 'ok') {
      request.keyId = found.keyId;
      return next();
    }
    request.resume(); // lets the client finish sending and read the answer
    refused(spokenDialect(request), WHY[found.kind].status);
    send.error(request, response, refusal(found.kind));
  };
}

type Refused = Exclude<Authentication['kind'], 'ok'>;

const WHY: Readonly<Record<Refused, { readonly status: 401 | 403; readonly message: string }>> = {
  missing: { status: 401, message: 'An API key is needed: Authorization: Bearer <key>, or x-api-key.' },
  wrong: { status: 401, message: 'This API key is not known here.' },
  expired: { status: 403, message: 'This API key has expired.' },
  revoked: { status: 403, message: 'This API key was revoked.' },
};

function refusal(kind: Refused): ErrorAnswer {
  return errorAnswer({ ...WHY[kind], code: 'invalid_api_key', headers: { 'www-authenticate': 'Bearer' } });
}
