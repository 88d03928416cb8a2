import { PlimsollError } from './errors.ts';

/** What a router rejects with after `close`: a decision without its classifier would be an escalation that nobody asked for. */
export function closedError(): PlimsollError {
  return new PlimsollError(
    'closed',
    'The router is closed: it decides nothing any more. Create another one.',
  );
}
