import { readFileSync } from 'node:fs';
import type { DecisionRecord } from '../../../router/records/index.ts';

/** The decision log, in the order in which requests ended. */
export function readDecisionLog(file: string): DecisionRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DecisionRecord);
}
