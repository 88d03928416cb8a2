import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Sender } from './answer.ts';
import { bodyFaultAnswer, invalidJson, NO_BODY, NOT_JSON } from './body-error.ts';
import { readBody } from './read-body.ts';

/** A request whose body has been read. */
export interface WithBody {
  /** Any JSON value. */
  body?: unknown;
  /** The JSON text that `body` was read from. */
  bodyText?: string;
}

const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

/**
 * Reads a JSON body of any kind of value into `request.body`, and its text into `request.bodyText`; refuses other content types and
 * empty bodies. For Express and for node's own server.
 * @param tooLarge what the client is told of the limit, after its number of bytes
 */
export function jsonBody(maxBytes: number, send: Sender, tooLarge?: string) {
  return (request: IncomingMessage & WithBody, response: ServerResponse, next: () => void) => {
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
      request.resume(); // lets the client finish sending and read the answer
      return send.error(request, response, NOT_JSON);
    }
    return readBody(request, maxBytes, (fault, text) => {
      if (fault) return send.error(request, response, bodyFaultAnswer(fault, maxBytes, tooLarge));
      if (text === '') return send.error(request, response, NO_BODY);
      try {
        request.body = JSON.parse(text);
      } catch {
        return send.error(request, response, invalidJson(text)); // the parser's own words quote the body
      }
      request.bodyText = text;
      next();
    });
  };
}
