import { Command, InvalidArgumentError, Option } from 'commander';
import { textTable } from '../../evals/format.ts';
import { PlimsollError } from '../../router/errors.ts';
import { EXPERIMENT_MOVES, SHADOWED } from '../../router/experiments/index.ts';
import { AUDITS } from '../../router/monitoring/index.ts';
import {
  CAPTURED,
  CHANGES,
  capturedFrom,
  capturedRow,
  FEEDBACK,
  type FeedbackLabel,
  GRADED,
  gradedRow,
  labelledRow,
  readCaptured,
  readFeedback,
  readGraded,
} from '../../router/records/index.ts';
import {
  DECISIONS,
  PEOPLE_WORK,
  pruneState,
  type Retention,
  type State,
  type StoredRecord,
} from '../../router/state/index.ts';
import { withState } from '../open-state.ts';
import { counted, print, printJson, startProgress } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags {
  readonly config?: string;
  readonly json: boolean;
}

const STREAMS = [
  DECISIONS,
  CAPTURED,
  FEEDBACK,
  GRADED,
  AUDITS,
  PEOPLE_WORK,
  CHANGES,
  SHADOWED,
  EXPERIMENT_MOVES,
];

/** `plimsoll state`: the database that `state` of the configuration names. */
export function stateCommand(): Command {
  const state = new Command('state');
  const add = (name: string, description: string) =>
    state
      .command(name)
      .description(description)
      .option('--config <file>', 'the configuration (default: plimsoll.config.yaml where there is one)')
      .option('--json', 'print the result as JSON', false);
  add('migrate', 'Make the schema, or bring it up to that of this version').action(runMigrate);
  add('status', 'Say what is stored, how much, and with which keys it is encrypted').action(runStatus);
  add('export', 'Print a log as JSON Lines, the oldest record first')
    .addOption(new Option('--stream <name>', 'which log').choices(STREAMS).default(DECISIONS))
    .option(
      '--with-feedback',
      'of captured: only what has feedback, as cases with the score as quality',
      false,
    )
    .action(runExport);
  add('prune', 'Drop what is older or larger than state.retention allows, now')
    .option('--max-age-days <days>', 'in place of state.retention.max_age_days', wholeNumber)
    .option('--max-bytes <bytes>', 'in place of state.retention.max_bytes', wholeNumber)
    .action(runPrune);
  add('erase', 'Delete all records and documents about a user or a session')
    .option('--user <id>', 'as clients send it: safety_identifier, user or metadata.user_id')
    .option('--session <id>', 'as clients send it: x-session-id')
    .option('--key <id>', 'only under this API key')
    .action(runErase);
  add('reencrypt', 'Encrypt captured text with the current key, whatever key it has now').action(
    runReencrypt,
  );
  return state;
}

async function runMigrate({ config, json }: Flags): Promise<void> {
  await withState(config, { migrate: 'auto', mayBeNew: true }, async (state) => {
    const { place, schema } = await state.status();
    if (json) printJson({ place, schema });
    else print(`${place} has schema ${schema}.\n`);
  });
}

async function runStatus({ config, json }: Flags): Promise<void> {
  await withState(config, {}, async (state) => {
    const status = await state.status();
    if (json) return printJson(status);
    const rows = status.streams.map(({ stream, records, bytes, oldestMs, newestMs }) => {
      return [stream, String(records), String(bytes), dateOf(oldestMs), dateOf(newestMs)];
    });
    const keys = Object.entries(status.textsByKey).map(
      ([id, texts]) => `${texts} ${id === 'none' ? 'not encrypted' : `encrypted with the key ${id}`}`,
    );
    print(
      `${status.place}: schema ${status.schema}, ${counted(status.documents, 'document')}, ${counted(status.ledgerEntries, 'entry', 'entries')} of the ledger\n` +
        `captured texts: ${keys.join(', ') || 'none'}\n` +
        `${rows.length === 0 ? 'no logs' : textTable([['log', 'records', 'bytes', 'oldest', 'newest'], ...rows])}\n`,
    );
  });
}

const PAGE = 500;

interface ExportFlags extends Flags {
  readonly stream: string;
  readonly withFeedback: boolean;
}

async function runExport({ config, stream, withFeedback }: ExportFlags): Promise<void> {
  if (withFeedback && stream !== CAPTURED) {
    throw new UsageError('--with-feedback is for --stream captured: cases need the request and its reply.');
  }
  await withState(config, {}, async (state) => {
    if (withFeedback) return exportCases(state);
    if (stream === GRADED) return exportGraded(state);
    const progress = startProgress(`Exporting ${stream}`);
    let done = 0;
    for (let afterSeq = 0; ; ) {
      const page = await state.log.read(stream, { afterSeq, limit: PAGE });
      const last = page.at(-1);
      if (last === undefined) break;
      print(page.map((record) => exportedLine(stream, record)).join(''));
      afterSeq = last.seq;
      done += page.length;
      progress.update(done);
    }
    progress.end(`${done} records`);
  });
}

/** Captured requests with what was said about their replies: a case each, labelled by feedback. */
async function exportCases({ log }: State): Promise<void> {
  const progress = startProgress('Exporting cases of feedback');
  const labels = new Map<string, FeedbackLabel>();
  for await (const { decisionId, kind, score, text } of readFeedback(log)) {
    const known = labels.get(decisionId) ?? {};
    if (kind === 'score') labels.set(decisionId, { ...known, score });
    if (kind === 'correct_answer') labels.set(decisionId, { ...known, reference: text });
  }
  let done = 0;
  for await (const captured of readCaptured(log)) {
    const row = labelledRow(captured, labels.get(captured.id));
    if (row === undefined) continue;
    print(`${JSON.stringify(row)}\n`);
    progress.update(++done);
  }
  progress.end(`${done} cases`);
}

/** Graded replies as labelled cases: the last word of each person. */
async function exportGraded({ log }: State): Promise<void> {
  const progress = startProgress(`Exporting ${GRADED}`);
  let done = 0;
  for await (const graded of readGraded(log)) {
    print(`${JSON.stringify(gradedRow(graded))}\n`);
    progress.update(++done);
  }
  progress.end(`${done} records`);
}

/** As the decision log has it in a file; a captured request as a row of a file of requests. */
function exportedLine(stream: string, record: StoredRecord): string {
  const { body, text } = record;
  const captured = stream === CAPTURED ? capturedFrom(record) : undefined;
  if (captured !== undefined) return `${JSON.stringify(capturedRow(captured))}\n`;
  if (text === undefined) return `${body}\n`;
  return `${JSON.stringify({ ...(JSON.parse(body) as object), prompt: text })}\n`;
}

async function runPrune(flags: Flags & Partial<Retention>): Promise<void> {
  await withState(flags.config, {}, async (state, { retention }) => {
    const wanted = {
      maxAgeDays: flags.maxAgeDays ?? retention.maxAgeDays,
      maxBytes: flags.maxBytes ?? retention.maxBytes,
    };
    const pruned = await pruneState(state, wanted, Date.now());
    if (flags.json) printJson(pruned);
    else {
      const { records, ledgerEntries, documents } = pruned;
      print(
        `Dropped ${records} records, ${ledgerEntries} entries of the ledger and ${documents} documents.\n`,
      );
    }
  });
}

interface EraseFlags extends Flags {
  readonly user?: string;
  readonly session?: string;
  readonly key?: string;
}

async function runErase({ config, json, user, session, key }: EraseFlags): Promise<void> {
  if (user === undefined && session === undefined) {
    throw new UsageError('Say whose records are erased: --user ID, --session ID, or both.');
  }
  const subject = {
    ...(user !== undefined && { user }),
    ...(session !== undefined && { session }),
    ...(key !== undefined && { keyId: key }),
  };
  await withState(config, {}, async (state) => {
    const records = await state.log.erase(subject);
    const documents = await state.documents.erase(subject);
    if (json) printJson({ records, documents });
    else print(`Erased ${records} records and ${documents} documents.\n`);
  });
}

async function runReencrypt({ config, json }: Flags): Promise<void> {
  await withState(config, {}, async (state, { encryptionKeysEnv }) => {
    if (encryptionKeysEnv === undefined) {
      throw new PlimsollError(
        'invalid-config',
        'There is no key to encrypt with: set state.encryption_keys_env.',
        {
          place: { field: 'state.encryption_keys_env' },
        },
      );
    }
    const texts = await state.reencrypt();
    if (json) printJson({ texts });
    else print(`Encrypted ${texts} texts anew.\n`);
  });
}

function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}
