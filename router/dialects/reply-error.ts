/**
 * A model's reply has no form in the client's dialect: it holds what cannot be carried (`unreadable`), or its stream ended before the
 * model had finished (`incomplete`). The message quotes nothing of the reply.
 */
export class ReplyError extends Error {
  readonly reason: 'unreadable' | 'incomplete';

  constructor(reason: ReplyError['reason'], message: string) {
    super(message);
    this.name = 'ReplyError';
    this.reason = reason;
  }
}
