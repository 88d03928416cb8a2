import { expect } from 'vitest';
import type { Verdict } from '../router/artifact/index.ts';
import { PlimsollError } from '../router/errors.ts';
import { type GateRequest, runGate } from './gate/index.ts';
import { terminalReport } from './report/index.ts';

/** What a test may say beside artifact and suite. Paths are relative to the folder that vitest runs in. */
export type PassGateOptions = Pick<GateRequest, 'data' | 'allowHub'>;

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: a declaration merges only with the same type parameters as vitest's own
  interface Matchers<T = any> {
    /**
     * The gate says PASS of an artifact, given as its folder or as `{ artifact: folder }`. FAIL and INCONCLUSIVE are no PASS.
     * The sealed cases are replayed and nothing is written: it repeats a look that is on record (`plimsoll gate --check`).
     *
     * @example await expect('models/mine').toPassGate('gate/suite.yaml', { data: ['labelled.jsonl'] });
     */
    toPassGate(suite: string, options?: PassGateOptions): Promise<void>;
  }
}

expect.extend({ toPassGate });

/**
 * Runs the gate. An error, such as missing data, is thrown as it is: it is neither a PASS nor a failed one, and `.not` must not
 * make it green.
 *
 * @throws PlimsollError what runGate throws, such as for a look that is not on record; `invalid-input` if no artifact is given
 */
async function toPassGate(received: unknown, suite: string, options: PassGateOptions = {}) {
  const { verdict } = await runGate({ ...options, artifact: artifactOf(received), suite, check: true });
  return { pass: verdict.verdict === 'PASS', message: () => messageOf(verdict) };
}

function artifactOf(received: unknown): string {
  if (typeof received === 'string') return received;
  if (typeof received === 'object' && received !== null && 'artifact' in received) {
    if (typeof received.artifact === 'string') return received.artifact;
  }
  throw new PlimsollError(
    'invalid-input',
    "toPassGate judges an artifact: give its folder, expect('models/mine'), or expect({ artifact: 'models/mine' }).",
  );
}

/** Vitest shows it if the expectation does not hold: of a PASS, only after `.not`. */
function messageOf(verdict: Verdict): string {
  return `${EXPLAINED[verdict.verdict]}\n\n${terminalReport(verdict, { colour: false })}`;
}

const EXPLAINED: Readonly<Record<Verdict['verdict'], string>> = {
  PASS: 'The gate says PASS, and the test expects that it does not.',
  FAIL: 'The gate says FAIL: a limit is broken, with the confidence stated.',
  INCONCLUSIVE:
    'The gate says INCONCLUSIVE, which is no PASS: the cases are too few to show that every limit is kept.',
};
