import { isWalked, type Manifest, type StoredVerdict } from '../artifact/index.ts';
import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';
import { wantedConfidence } from './certified.ts';

interface Candidate {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly threshold: number;
  /** The largest quality loss, 0 to 1. */
  readonly margin: number;
  readonly verdict: StoredVerdict;
  readonly logsToState: boolean;
}

/** What a shell needs to plan a candidate, let the gate judge it and promote it. The artifact that serves is not touched: the gate judges a copy. */
export function candidateCommands(candidate: Candidate): string {
  const { folder, threshold, margin, verdict, logsToState } = candidate;
  const copy = shellWord(candidateFolder(folder));
  const log = logsToState ? 'state --since 7d' : '.plimsoll/decisions.jsonl';
  return `# 1. What it would have done with recorded requests. In a copy of your configuration, planned.yaml, set
#      allow_ungated: true
#      default_policy: candidate
#      policies: { candidate: { threshold: ${threshold}, version: 1 } }
${COMMAND} plan --from ${log} --config planned.yaml

# 2. ${whatIsJudged(candidate)}
#    Add the other demands of your suite ${printed(verdict.suite.name)}.
${makeCopy(candidate)}
cat > candidate.yaml <<'END'
name: candidate
max_quality_loss: ${margin}
confidence: ${wantedConfidence(verdict)}
END
${COMMAND} gate --artifact ${copy} --suite candidate.yaml --data labelled.jsonl --reports candidate-report

# 3. After a PASS, in a store:
${COMMAND} promote --artifact ${copy}
`;
}

function candidateFolder(folder: string): string {
  return `${folder.replace(/\/+$/, '')}-candidate`;
}

/** Which threshold the gate will judge: of a walked policy the loosest that it can prove, of any other that of the manifest. */
function whatIsJudged({ manifest: { policy }, threshold }: Candidate): string {
  if (isWalked(policy))
    return 'The gate, on fresh labelled cases. It finds the loosest threshold that it can prove at this margin.';
  const fixed = `The threshold of this artifact is fixed at ${policy.threshold}`;
  if (threshold === policy.threshold)
    return `The gate, on fresh labelled cases. ${fixed}: it judges that one, and no other.`;
  return `${fixed}, and the gate would judge that one, not ${threshold}.
#    So make an artifact of which it finds the loosest threshold that it can prove at this margin.`;
}

function makeCopy({ folder, manifest, threshold, margin, verdict }: Candidate): string {
  const copy = shellWord(candidateFolder(folder));
  if (isWalked(manifest.policy) || threshold === manifest.policy.threshold)
    return `cp -r ${shellWord(folder)} ${copy}
rm -f ${shellWord(`${candidateFolder(folder)}/verdict.json`)}   # its PASS is of the threshold that serves now`;
  const promise = `--max-quality-loss ${margin} --confidence ${wantedConfidence(verdict)} --out ${copy}`;
  if (manifest.cascade === undefined)
    return `${COMMAND} calibrate --artifact ${shellWord(folder)} --data labelled.jsonl ${promise}`;
  const models = manifest.ladder.map(({ model }) => model).join(',');
  return `${COMMAND} train --cascade --data training.jsonl --ladder ${shellWord(models)} ${promise}`;
}

/** In a comment, a name from outside must not begin another line. */
function printed(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N} ._-]/gu, '?');
}
