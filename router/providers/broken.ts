/** Why no connection was made. */
export type ConnectFailure =
  | 'connect'
  | 'connect-refused'
  | 'connect-timeout'
  | 'dns'
  | 'tls-untrusted'
  | 'tls-host-name'
  | 'tls-expired'
  | 'tls';

/** How an exchange with a provider ends badly. A body that is being read throws the last four only. */
export type Break =
  | ConnectFailure
  | 'first-byte' // sent, and nothing came in time
  | 'stall' // silence between two chunks
  | 'too-long' // the whole took longer than an attempt may
  | 'reset' // the connection broke, or ended before the answer did
  | 'unreadable'; // not HTTP, or a compression that cannot be undone

/**
 * An answer broke off. Thrown by the body of an answer after its first byte: what came before it has been passed on as it
 * came, half an event included, so no other answer may follow. `message` holds no byte of the answer and no key.
 */
export class UpstreamBroken extends Error {
  readonly reason: Break;
  /** The provider itself has said so to the client, in the bytes that were passed on: nothing need be added. */
  readonly told: boolean;
  /** The system's code for it, such as `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(reason: Break, message: string, told = false, code?: string) {
    super(message);
    this.code = code;
    this.name = 'UpstreamBroken';
    this.reason = reason;
    this.told = told;
  }
}
