import { Command } from 'commander';
import { checkedModels } from '../../evals/cases/index.ts';
import { expectationSentence, thresholdWords } from '../../evals/lifecycle/index.ts';
import {
  type ArtifactFiles,
  readArtifact,
  resolveArtifact,
  type Standing,
} from '../../router/artifact/index.ts';
import { checkedRungs } from '../../router/cascade/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { print, printJson } from '../terminal.ts';

interface Flags {
  readonly allowHub: boolean;
  readonly json: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .argument('<artifact>', 'the artifact folder, or a store whose current artifact is meant')
    .option('--allow-hub', 'let a transformers encoder fetch its model from the hub', false)
    .option('--json', 'print the manifest as JSON', false)
    .action(run);
}

async function run(place: string, flags: Flags): Promise<void> {
  const folder = resolveArtifact(place);
  const artifact = readArtifact(folder);
  const router = await createRouter(
    configSchema.parse({
      artifact: folder,
      default_policy: artifact.manifest.policy.name,
      allow_ungated: true, // it serves nobody
      encoder: { allow_hub: flags.allowHub },
    }), // the artifact alone: no configuration of the working folder has a say
  );
  await router.close(); // opening it has checked the weights and every golden case
  const { sha256, manifest } = artifact;
  const standing = router.standing();
  if (!flags.json) return print(lines(artifact, standing));
  const { standingJson } = await import('../../router/server/index.ts'); // loads Express
  printJson({ folder, sha256, verdict: standingJson(standing), manifest });
}

function lines({ manifest, sha256, golden }: ArtifactFiles, standing: Standing): string {
  const { policy, split, metrics, encoder, data, ladder, cascade, classifier } = manifest;
  const skips = (cascade === undefined ? [] : checkedRungs(cascade)).map(({ skip }) => skip.toFixed(4));
  const rows = [
    ['artifact', `${manifest.name}, made ${manifest.created}`],
    ['sha256', sha256],
    ['ladder', manifest.ladder.map(({ candidate, model }) => `${candidate}: ${model}`).join(' -> ')],
    ['encoder', `${encoder.id}, ${encoder.dimension} dimensions, sha256 ${encoder.sha256.slice(0, 12)}…`],
    [
      'classifier',
      `${manifest.classifier.kind}, lambda ${manifest.classifier.lambda}, ${manifest.features.length} structural features`,
    ],
    ...(classifier.similarity_limit === undefined ? [] : [['similarity', similarityWords(classifier)]]),
    ...(cascade === undefined
      ? []
      : [
          [
            'cascade',
            `judges the replies of ${checkedModels(ladder.map(({ model }) => model)).join(' and ')} by ${cascade.judge.columns.length} columns; skips prompts with a predicted loss above ${skips.join(' and ')} at the previewed threshold`,
          ],
        ]),
    ['data', `${data.files.map(({ file, rows: n }) => `${file} (${n})`).join(', ')}`],
    [
      'split',
      `${split.train.n} train, ${split.calibration === undefined ? '' : `${split.calibration.n} calibration, `}${split.test.n} sealed test, seed ${split.seed}`,
    ],
    ['policy', `${policy.name} v${policy.version}: ${thresholdWords(policy)} by ${policy.chosen_by.rule}`],
    ['expected', expectationSentence(policy)],
    [
      'APGR',
      metrics?.apgr === undefined
        ? '-'
        : `${metrics.apgr.toFixed(3)} on ${metrics.n} ${split.calibration === undefined ? 'training' : 'calibration'} cases (random .500)`,
    ],
    ['golden', `${golden.length} cases, all as they should be`],
    ['verdict', verdictWords(standing)],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(11)}${value}\n`).join('');
}

function similarityWords({
  similarity_limit: limit,
  abstain,
}: ArtifactFiles['manifest']['classifier']): string {
  const below = `below ${limit!.similarity.toFixed(4)} of the nearest labelled case nothing similar was labelled (${limit!.percent} % of training cases)`;
  return `${below}: ${abstain === undefined ? 'told in explanations, scored all the same' : 'the strongest candidate, unscored'}`;
}

function verdictWords(standing: Standing): string {
  if (standing.kind !== 'pass') return `${standing.kind}: ${standing.why}`;
  const { suite, threshold, issued, expires } = standing;
  return `PASS at threshold ${threshold.toFixed(4)} by the suite ${suite}, issued ${issued}, expires ${expires}`;
}
