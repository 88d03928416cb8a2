/** How an exchange with a provider ends badly. A body that is being read throws the last four only. */
export type Break =
  | 'connect' // no connection, or not in time
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

  constructor(reason: Break, message: string, told = false) {
    super(message);
    this.name = 'UpstreamBroken';
    this.reason = reason;
    this.told = told;
  }
}
