import { Command } from 'commander';
import { textTable } from '../../evals/format.ts';
import { listArtifacts, type StoredArtifact } from '../../router/artifact/index.ts';
import { print, printJson } from '../terminal.ts';

interface Flags {
  readonly store: string;
  readonly json: boolean;
}

export function artifactsCommand(): Command {
  return new Command('artifacts')
    .option('--store <folder>', 'the folder of artifacts', 'models')
    .option('--json', 'print the list as JSON', false)
    .action(run);
}

async function run({ store, json }: Flags): Promise<void> {
  const artifacts = listArtifacts(store, new Date());
  if (json) return printJson({ store, artifacts: await toJson(artifacts) });
  print(artifacts.length === 0 ? `No artifacts in ${store}.\n` : lines(artifacts));
}

async function toJson(artifacts: readonly StoredArtifact[]): Promise<object[]> {
  const { standingJson } = await import('../../router/server/index.ts'); // loads Express
  return artifacts.map((artifact) => {
    if (artifact.kind === 'broken') return artifact;
    const { standing, ...rest } = artifact;
    return { ...rest, verdict: standingJson(standing) };
  });
}

const SHA256_SHOWN = 12;

/** A table; below it, why what has no valid PASS has none. The current artifact has a star. */
function lines(artifacts: readonly StoredArtifact[]): string {
  const heading = ['  artifact', 'sha256', 'created', 'threshold', 'verdict'];
  const reasons = artifacts.flatMap((artifact) => {
    const reason = explainNoPass(artifact);
    return reason === undefined ? [] : [`${artifact.folder}: ${reason}\n`];
  });
  const rows = textTable([heading, ...artifacts.map(row)]);
  return `${rows}\n${reasons.length > 0 ? '\n' : ''}${reasons.join('')}`;
}

function row(artifact: StoredArtifact): string[] {
  const folder = `${artifact.current ? '*' : ' '} ${artifact.folder}`;
  if (artifact.kind === 'broken') return [folder, '-', '-', '-', 'broken'];
  const { sha256, created, threshold, standing } = artifact;
  const verdict = standing.kind === 'pass' ? `PASS until ${standing.expires.slice(0, 10)}` : standing.kind;
  return [folder, sha256.slice(0, SHA256_SHOWN), created.slice(0, 10), threshold.toFixed(4), verdict];
}

function explainNoPass(artifact: StoredArtifact): string | undefined {
  if (artifact.kind === 'broken') return artifact.fault;
  return artifact.standing.kind === 'pass' ? undefined : artifact.standing.why;
}
