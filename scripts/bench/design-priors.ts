import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { meanDelta, PRIORS_FILE, priorsSchema } from '../../evals/design/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { print } from '../terminal.ts';
import { PRIOR_SETS, qualitiesOf, rankingsOf, recognitionOf } from './design/priors-of-sets.ts';
import { dataFolder, scoredSet } from './design/scored-set.ts';
import { RANKED } from './design/sets.ts';

const flags = new Command('bench:design-priors')
  .description('Makes the priors of plimsoll design from the public sets whose licence permits it.')
  .option('--data <folder>', 'the converted public sets (default: the folder that PLIMSOLL_DATA names)')
  .option('--scores <folder>', 'keep cross-validated scores there, and take them from there next time')
  .option('--out <file>', 'where they go', PRIORS_FILE)
  .parse()
  .opts<{ data?: string; scores?: string; out: string }>();

const DESCRIPTION =
  'Aggregates of public sets under Apache-2.0 (MMLU-Pro, ZeroEval, RouteLLM) and MIT (LLMRouter): training-data/sources.json. No prompt, no reply. Made by npm run bench:design-priors.';

try {
  const folder = dataFolder(flags.data);
  const qualities = [];
  for (const one of PRIOR_SETS) qualities.push(...(await qualitiesOf(folder, one)));
  const rankings = [];
  const sets = [];
  for (const { set, models } of RANKED) {
    const scored = await scoredSet(folder, set, models, flags.scores);
    sets.push(scored);
    rankings.push(...rankingsOf(scored, PRIOR_SETS.find((one) => one.set === set)?.partOf));
  }
  const delta = meanDelta(rankings);
  const recognition = sets.flatMap((scored) => recognitionOf(scored, delta));
  const file = priorsSchema.parse({
    schema_version: 1,
    description: DESCRIPTION,
    qualities,
    rankings,
    recognition,
  });
  writeFileSync(flags.out, `${JSON.stringify(file, null, 2)}\n`);
  print(
    `${flags.out}: ${qualities.length} qualities, ${rankings.length} rankings, ${recognition.length} over tasks\n`,
  );
} catch (error) {
  if (!(error instanceof PlimsollError)) throw error;
  process.stderr.write(`design-priors: ${error.message}\n`);
  process.exitCode = 2;
}
