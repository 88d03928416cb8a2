import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_FOLDER } from '../../../router/package.ts';
import { type BenchContext, type Row, spread } from '../measurement.ts';

const ROUNDS = 3;
const CASES = 1_000_000;
const CHILD = fileURLToPath(new URL('../children/gate-million.ts', import.meta.url));

interface Measured {
  readonly seconds: number;
  readonly maxRssMb: number;
  readonly verdict: string;
  readonly pairs: number;
}

/** Replay and gate of a million cases in a process of its own, compared with a process that only reads them. */
export async function gate({ artifact, say }: BenchContext): Promise<readonly Row[]> {
  const file = realPairsFile();
  const runs: Measured[] = [];
  const reads: Measured[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    say(`gate, round ${round + 1} of ${ROUNDS} ...`);
    runs.push(child(artifact, file));
    reads.push(child(artifact, file, 'read'));
  }
  const notes = [
    `synthetic ids over ${runs[0]!.pairs} pairs of score and outcome of ${path.basename(file)}; verdict ${runs[0]!.verdict}`,
  ];
  const row = (of: 'seconds' | 'maxRssMb', required: number): Row => ({
    name: of === 'seconds' ? 'gate, time' : 'gate, memory',
    what: `replay and gate of ${CASES} streamed cases`,
    unit: of === 'seconds' ? 's' : 'MB',
    value: spread(runs.map((run) => run[of])),
    samples: CASES,
    peer: { what: 'the same stream, only read', value: spread(reads.map((read) => read[of])) },
    ratio: null,
    target: { of: 'value', is: 'at most', required },
    notes,
  });
  return [row('seconds', 60), row('maxRssMb', 1000)];
}

function child(artifact: string, file: string, ...more: string[]): Measured {
  const args = ['--import', 'tsx', CHILD, artifact, file, String(CASES), ...more];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

/** A public set if it is available, else the everyday cases that ship. */
function realPairsFile(): string {
  const data = process.env['PLIMSOLL_DATA'];
  const mmlu = data && path.join(data, 'routellm_mmlu.jsonl.gz');
  if (mmlu && existsSync(mmlu)) return mmlu;
  return path.join(PACKAGE_FOLDER, 'training-data/everyday-english.jsonl');
}
