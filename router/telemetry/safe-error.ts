import { PlimsollError } from '../errors.ts';

/** What may be logged of an error: the message of our own; of others, whose messages may quote a prompt, name and place. */
export interface SafeError {
  readonly error: string;
  readonly code?: string;
  readonly message?: string;
  readonly where?: string;
}

export function safeError(error: unknown): SafeError {
  if (error instanceof PlimsollError) {
    return { error: error.name, code: error.code, message: error.message };
  }
  if (!(error instanceof Error)) return { error: typeof error };
  const where = firstFrame(error);
  return { error: error.name, ...(where !== undefined && { where }) };
}

/** `function (file:line:column)` of the first stack frame. The message, which stands before it, may be of many lines. */
function firstFrame({ stack = '', message }: Error): string | undefined {
  const frames = stack.slice(stack.indexOf(message) + message.length);
  return frames.match(/^ {4}at (.{1,300})$/m)?.[1];
}
