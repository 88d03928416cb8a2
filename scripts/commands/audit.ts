import { Command } from 'commander';
import { type FoundAudits, findAudits } from '../../evals/labelling/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { AUDITS, type Audit } from '../../router/monitoring/index.ts';
import type { State } from '../../router/state/index.ts';
import { labelCandidates } from '../label-candidates.ts';
import { withState } from '../open-state.ts';
import { print, printJson, printNotes } from '../terminal.ts';

interface Flags {
  readonly cases: readonly string[];
  readonly models: string;
  readonly config?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function auditCommand(): Command {
  return new Command('audit')
    .requiredOption('--cases <file...>', 'captured requests, labelled: what `label` wrote')
    .requiredOption('--models <list>', 'the candidates, cheapest first, as they were labelled')
    .option('--config <file>', 'names state and ladder (default: plimsoll.config.yaml)')
    .option('--dry-run', 'say what would be recorded, and record nothing', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Records in the state what requests that stayed cheap lost against the strongest candidate. Servers with a \`watch\` read it within
seconds. An audit that is recorded already is not counted again.

Example:
  plimsoll state export --stream captured > captured.jsonl
  plimsoll label --from captured.jsonl --kept-only --models cheap,strong --graders graders.yaml --budget 5usd --out audited.jsonl
  plimsoll audit --cases audited.jsonl --models cheap,strong
`,
    )
    .action(run);
}

async function run({ cases, models, config, dryRun, json }: Flags): Promise<void> {
  const { ladder } = loadConfig(config);
  const found = await findAudits(cases, labelCandidates(models, ladder));
  printNotes(found.notes);
  if (!dryRun) await withState(config, {}, (state) => record(state, found.audits));
  if (json) printJson(resultJson(found));
  else print(summary(found, dryRun));
}

/** Written together: they are a few thousand at most, and a second run changes nothing. */
async function record(state: State, audits: readonly Audit[]): Promise<void> {
  const timeMs = Date.now();
  const records = audits.map((audit) => ({ id: audit.decision_id, timeMs, body: JSON.stringify(audit) }));
  if (records.length > 0) await state.log.append(AUDITS, records);
}

function meanLoss(audits: readonly Audit[]): number | undefined {
  return audits.length === 0 ? undefined : audits.reduce((sum, { loss }) => sum + loss, 0) / audits.length;
}

function resultJson({ audits, left }: FoundAudits) {
  return { audits: audits.length, mean_loss: meanLoss(audits) ?? null, left_out: left };
}

const LIMIT_NOTE = '/readyz of a server with a watch says how much they may lose: watch.audits.limit.';

function summary({ audits, left }: FoundAudits, dryRun: boolean): string {
  const mean = meanLoss(audits);
  const loses =
    mean === undefined ? '' : `; these requests, which stayed cheap, lose ${mean.toFixed(3)} on average`;
  return [
    `${audits.length} audits ${dryRun ? 'would be' : 'are'} recorded${loses}.`,
    ...(mean === undefined ? [] : [LIMIT_NOTE]),
    `Left out: ${left.escalated} that went to the strongest candidate, ${left.undecided} that no router decided or of other models, ${left.ungraded} without both grades, ${left.thinned} that were drawn more often than the others.`,
    '',
  ].join('\n');
}
