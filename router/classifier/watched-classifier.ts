import { PlimsollError } from '../errors.ts';
import type { Classifier } from './onnx-classifier.ts';

export interface ClassifierFailures {
  readonly count: number;
  readonly last: { readonly at: string; readonly message: string } | null;
}

/** A classifier whose failures are counted, not thrown: a request must get an answer all the same. */
export interface WatchedClassifier {
  /** The probabilities, or why there are none: the text cannot be read, or the classifier failed. */
  score(text: string): Promise<Float32Array | 'unreadable' | 'classifier-failed'>;
  failures(): ClassifierFailures;
}

export function watchedClassifier(classifier: Classifier): WatchedClassifier {
  let count = 0;
  let last: ClassifierFailures['last'] = null;
  return {
    async score(text) {
      try {
        return classifier.reads(text) ? await classifier.score(text) : 'unreadable';
      } catch (error) {
        count++;
        last = { at: new Date().toISOString(), message: failureMessage(error) };
        return 'classifier-failed';
      }
    },
    failures: () => ({ count, last }),
  };
}

/** The message of our own errors; only the name of others, whose messages may quote their input. */
function failureMessage(error: unknown): string {
  if (error instanceof PlimsollError) return error.message;
  return error instanceof Error ? error.name : 'unknown error';
}
