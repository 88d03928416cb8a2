import type { StoredVerdict } from '../artifact/index.ts';

interface Candidate {
  readonly folder: string;
  readonly threshold: number;
  /** The largest quality loss, 0 to 1. */
  readonly margin: number;
  readonly verdict: StoredVerdict;
  readonly logsToState: boolean;
}

/** What a shell needs to plan a candidate, let the gate judge it and promote it. The artifact that serves is not touched: the gate judges a copy. */
export function candidateCommands({ folder, threshold, margin, verdict, logsToState }: Candidate): string {
  const copy = `${folder.replace(/\/+$/, '')}-candidate`;
  const confidence = (verdict.schema_version === 2 ? verdict.looks.confidence : undefined) ?? 0.95;
  const log = logsToState ? 'state --since 7d' : '.plimsoll/decisions.jsonl';
  return `# 1. What it would have done with recorded requests. In a copy of your configuration, planned.yaml, set
#      allow_ungated: true
#      default_policy: candidate
#      policies: { candidate: { threshold: ${threshold}, version: 1 } }
plimsoll plan --from ${log} --config planned.yaml

# 2. The gate, on fresh labelled cases. It finds the loosest threshold that it can prove at this margin.
#    Add the other demands of your suite ${printed(verdict.suite.name)}.
cp -r ${quotedPath(folder)} ${quotedPath(copy)}
cat > candidate.yaml <<'END'
name: candidate
max_quality_loss: ${Number(margin.toFixed(6))}
confidence: ${confidence}
END
plimsoll gate --artifact ${quotedPath(copy)} --suite candidate.yaml --data labelled.jsonl --reports candidate-report

# 3. After a PASS, in a store:
plimsoll promote --artifact ${quotedPath(copy)}
`;
}

/** In a comment, a name from outside must not begin another line. */
function printed(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N} ._-]/gu, '?');
}

/** A path as one word of a shell. */
export function quotedPath(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
