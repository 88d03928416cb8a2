import type { IncomingMessage, ServerResponse } from 'node:http';
import { FAULT_RESPONSES, type WithBody } from './json-body.ts';
import type { BodyFault, BodyLimits } from './read-body.ts';
import { errorResponse, type Sender } from './responses.ts';

/** A request whose body has been read as bytes. */
export interface WithBytes extends Pick<WithBody, 'memory'> {
  bytes?: Buffer;
}

const FORM = /^multipart\/form-data\s*;/i;

/**
 * Reads a form (multipart/form-data) into `request.bytes`, within its limits; refuses other content types and compressed bodies, which no
 * provider takes here.
 * @param field the name of the setting that limits `maxBytes`
 */
export function formBody(limits: BodyLimits, send: Sender, field: string) {
  return (request: IncomingMessage & WithBytes, response: ServerResponse, next: () => void) => {
    const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
    if (!FORM.test(type)) return refuse(NOT_A_FORM);
    if (encoding.toLowerCase() !== 'identity') return refuse(COMPRESSED);
    const share = holdMemory(request, response, limits);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let settled = false;
    const finish = (fault: BodyFault | undefined) => {
      if (settled) return;
      settled = true;
      if (fault === undefined) {
        request.bytes = Buffer.concat(chunks);
        return next();
      }
      share.release();
      chunks.length = 0;
      request.resume();
      send.error(request, response, FAULT_RESPONSES[fault](limits, field));
    };
    request.on('data', (chunk: Buffer) => {
      if (settled) return;
      bytes += chunk.length;
      if (bytes > limits.maxBytes) return finish('too-large');
      // Twice: the pieces, and the whole that is made of them.
      if (!share.add(2 * chunk.length)) {
        return finish(limits.budget.couldHold(2 * bytes) ? 'no-memory' : 'over-budget');
      }
      chunks.push(chunk);
    });
    request.on('end', () => finish(undefined));
    request.on('error', () => finish('incomplete'));

    function refuse(error: typeof NOT_A_FORM): void {
      request.resume(); // lets the client finish sending and read the response
      send.error(request, response, error);
    }
  };
}

/** Takes no body; what comes is thrown away. */
export function noBody(limits: BodyLimits) {
  return (request: IncomingMessage & WithBytes, response: ServerResponse, next: () => void) => {
    request.resume();
    holdMemory(request, response, limits);
    next();
  };
}

/** The request's share of the memory, until its response has ended. */
function holdMemory(request: WithBytes, response: ServerResponse, { budget }: BodyLimits) {
  const share = budget.share();
  response.on('close', () => share.release());
  request.memory = share;
  return share;
}

const NOT_A_FORM = errorResponse({
  status: 415,
  code: 'unsupported_media_type',
  message: 'Send a form, with the header content-type: multipart/form-data.',
});

const COMPRESSED = errorResponse({
  status: 415,
  code: 'unsupported_encoding',
  message: 'Send the form without content-encoding.',
});
