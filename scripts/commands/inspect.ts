import { Command } from 'commander';
import { type ArtifactFiles, readArtifact } from '../../router/artifact/read.ts';
import { configSchema } from '../../router/config.ts';
import { createRouter } from '../../router/create-router.ts';
import { printJson } from '../output.ts';

interface Flags {
  readonly allowHub: boolean;
  readonly json: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Check an artifact (hashes, weights, golden cases) and say what it is')
    .argument('<artifact>', 'the artifact folder')
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--json', 'print the manifest as JSON', false)
    .action(run);
}

async function run(folder: string, flags: Flags): Promise<void> {
  const artifact = readArtifact(folder);
  const router = await createRouter(
    configSchema.parse({
      artifact: folder,
      default_policy: artifact.manifest.policy.name,
      encoder: { allow_hub: flags.allowHub },
    }), // the artifact alone: no configuration of the working folder has a say
  );
  await router.close(); // opening it has checked the weights and every golden case
  if (flags.json) printJson({ folder, sha256: artifact.sha256, verdict: null, manifest: artifact.manifest });
  else process.stdout.write(lines(artifact));
}

function lines({ manifest, sha256, golden }: ArtifactFiles): string {
  const { policy, split, metrics, encoder, data } = manifest;
  const expected = policy.expected;
  const rows = [
    ['artifact', `${manifest.name}, made ${manifest.created}`],
    ['sha256', sha256],
    ['ladder', manifest.ladder.map(({ candidate, model }) => `${candidate}: ${model}`).join(' -> ')],
    ['encoder', `${encoder.id}, ${encoder.dimension} dimensions, sha256 ${encoder.sha256.slice(0, 12)}…`],
    [
      'classifier',
      `${manifest.classifier.kind}, lambda ${manifest.classifier.lambda}, ${manifest.features.length} structural features`,
    ],
    ['data', `${data.files.map(({ file, rows: n }) => `${file} (${n})`).join(', ')}`],
    [
      'split',
      `${split.train.n} train, ${split.calibration.n} calibration, ${split.test.n} sealed test, seed ${split.seed}`,
    ],
    [
      'policy',
      `${policy.name} v${policy.version}: threshold ${policy.threshold.toFixed(4)} by ${policy.chosen_by.rule}`,
    ],
    [
      'expected',
      expected
        ? `escalation rate ${expected.escalation_rate.toFixed(3)}, quality loss ${expected.quality_loss.toFixed(4)} (n ${expected.n}, no bound)`
        : '-',
    ],
    [
      'APGR',
      metrics?.apgr === undefined
        ? '-'
        : `${metrics.apgr.toFixed(3)} on ${metrics.n} calibration cases (random .500)`,
    ],
    ['golden', `${golden.length} cases, all as they should be`],
    ['verdict', 'none: the gate has not run on this artifact'],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(11)}${value}\n`).join('');
}
