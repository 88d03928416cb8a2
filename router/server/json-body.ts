import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MemoryShare } from '../memory-budget.ts';
import { isLarge, takeTurn } from '../turns.ts';
import type { Sender } from './answer.ts';
import { bodyFaultAnswer, invalidJson, NO_BODY, NOT_JSON } from './body-error.ts';
import type { ServerContext } from './context.ts';
import { type BodyLimits, readBody } from './read-body.ts';

/** A request whose body has been read. */
export interface WithBody {
  /** Any JSON value. */
  body?: unknown;
  /** The JSON text that `body` was read from. */
  bodyText?: string;
  /** What the request holds in memory until its response has ended. */
  memory?: MemoryShare;
}

const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

/** The limits of a route's bodies. */
export function bodyLimits(
  { config, budget }: Pick<ServerContext, 'config' | 'budget'>,
  maxBytes: number,
): BodyLimits {
  const { maxJsonDepth: maxDepth, maxJsonValues: maxValues } = config.server;
  return { maxBytes, maxDepth, maxValues, budget };
}

/**
 * Reads a JSON body of any kind of value into `request.body`, and its text into `request.bodyText`; refuses other content types, empty
 * bodies, and those that break a limit. For Express and for node's own server.
 * @param field the name of the setting that limits `maxBytes`
 */
export function jsonBody(limits: BodyLimits, send: Sender, field: string) {
  return (request: IncomingMessage & WithBody, response: ServerResponse, next: () => void) => {
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
      request.resume(); // lets the client finish sending and read the response
      return send.error(request, response, NOT_JSON);
    }
    const share = limits.budget.share();
    response.once('close', () => share.release());
    request.memory = share;
    return readBody(request, limits, share, (fault, text) => {
      if (fault) {
        share.release();
        return send.error(request, response, bodyFaultAnswer(fault, limits, field));
      }
      if (text === '') return send.error(request, response, NO_BODY);
      if (isLarge(text)) parseInTurns(text);
      else if (parse(text)) next();
      else send.error(request, response, invalidJson(text));
    });

    /** What nobody waits for any more is dropped. */
    function parseInTurns(text: string): void {
      takeTurn(() => {
        if (response.destroyed) return;
        const parsed = parse(text);
        takeTurn(() => {
          if (response.destroyed) return;
          if (parsed) next();
          else send.error(request, response, invalidJson(text));
        });
      });
    }

    /** The parser's own error is of no use: its words quote the body. */
    function parse(text: string): boolean {
      try {
        request.body = JSON.parse(text);
        request.bodyText = text;
        return true;
      } catch {
        return false;
      }
    }
  };
}
