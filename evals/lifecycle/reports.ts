import {
  type ArtifactFiles,
  readVerdict,
  standingInFolder,
  type Verdict,
} from '../../router/artifact/index.ts';
import { writeReports } from '../../scripts/gate-reports.ts';
import type { Retrained } from './retrain.ts';

/**
 * The reports of the gate on the challenger, told against the champion's verdict where that holds, and the comparison.
 * @throws PlimsollError `io` where the folder cannot be written
 */
export function writeRetrainReports(
  folder: string,
  { verdict, comparison, champion }: Retrained,
): Promise<void> {
  const previous = verdictThatHolds(champion);
  const more = { 'comparison.json': `${JSON.stringify(comparison, null, 2)}\n` };
  return writeReports(folder, verdict, { ...(previous && { previous }), more });
}

function verdictThatHolds(champion: ArtifactFiles): Verdict | undefined {
  const { kind } = standingInFolder(champion, new Date());
  return kind === 'none' ? undefined : readVerdict(champion.folder);
}
