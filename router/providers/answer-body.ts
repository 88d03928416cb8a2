import type { AnswerBody } from './types.ts';

/** A body that is here as a whole. */
export function inOnePiece(whole: Uint8Array): AnswerBody {
  return {
    whole,
    async *[Symbol.asyncIterator]() {
      yield whole;
    },
  };
}
